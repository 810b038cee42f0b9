import type { Code } from './codes.js';
import type { RunEvent } from './events.js';
import type { Clock } from './ports.js';

export interface Emitter {
  readonly ports: { readonly clock: Clock };
  emit(event: RunEvent): void;
}

export function emitNotice(
  to: Emitter,
  level: 'info' | 'warning' | 'error',
  code: Code,
  message: string,
  hint?: string,
): void {
  const time = new Date(to.ports.clock.nowMs()).toISOString();
  to.emit({ type: 'notice', time, level, code, message, hint });
}
