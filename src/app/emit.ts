import type { Code } from '../core/codes.js';
import { type Emitter, emitNotice } from '../core/emit-notice.js';
import type { Phase, RunEvent } from '../core/events.js';
import type { Plan } from '../plan/plan.js';

/** The first event of every run. */
export function versionEvent(
  about: { readonly version: string; readonly endpoint: string; readonly sandbox: boolean },
  nowMs: number,
): RunEvent {
  const { version, endpoint, sandbox } = about;
  const time = new Date(nowMs).toISOString();
  return { type: 'version', time, schema: 1, program: 'venice-batch', version, endpoint, sandbox };
}

export function emitPhase(world: Emitter, phase: Phase): void {
  world.emit({ type: 'phase', time: new Date(world.ports.clock.nowMs()).toISOString(), phase });
}

export function noticeTo(
  world: Emitter,
): (level: 'info' | 'warning', code: Code, message: string, hint?: string) => void {
  return (level, code, message, hint) => emitNotice(world, level, code, message, hint);
}

export function emitPlan(world: Emitter, plan: Plan): void {
  const count = (...kinds: string[]) =>
    plan.rows.filter(({ decision }) => kinds.includes(decision.kind)).length;
  world.emit({
    type: 'plan',
    time: new Date(world.ports.clock.nowMs()).toISOString(),
    takes: plan.rows.length,
    done: count('done'),
    collect: count('collect') + plan.orphans.length,
    buy: count('buy'),
    in_doubt: count('in_doubt', 'elsewhere'),
    held: count('held', 'occupied'),
    total_micro_usd: plan.totalMicroUsd,
    spent_before_micro_usd: plan.spentBeforeMicroUsd,
    budget_micro_usd: plan.budgetMicroUsd ?? null,
  });
}
