import { emitNotice } from '../core/emit-notice.js';
import type { CallFailure } from '../venice/client.js';
import { keyHint } from './close-model.js';
import type { RunContext } from './context.js';
import { stopBuying } from './context.js';

/** Nothing more is submitted because the service does not do what a submit needs. */
export function stopUnreachable(context: RunContext, what: string): void {
  if (context.buying)
    emitNotice(
      context,
      'error',
      'service',
      `${what}: nothing more is submitted`,
      `once the service can be reached: ${context.settings.command('run')}`,
    );
  stopBuying(context, 'unavailable');
}

/** Nothing more is submitted because the key is refused; what is paid for may still be collected. */
export function stopRefused(
  context: RunContext,
  { status, code, message }: Pick<CallFailure, 'status' | 'code' | 'message'>,
): void {
  if (context.buying)
    emitNotice(
      context,
      'error',
      'authentication',
      `the service rejected the key (${status}): ${message}; nothing more is submitted`,
      keyHint(code),
    );
  stopBuying(context, 'authentication');
}
