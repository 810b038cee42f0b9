import { demandOf, type Rules } from './decide.js';
import type { Job, Lane } from './lane.js';
import { restMs } from './price.js';
import type { Estimate } from './schedule.js';

/** How far the end may lie off, as a share, with nothing and with very much seen. */
const DOUBT_MAX = 0.5;
const DOUBT_MIN = 0.06;
/** A pause shorter than this is not worth telling, ms. */
const PAUSE_TOLD_MS_MIN = 2_000;

/** What is left, from the same knowledge that places the polls. Lanes run side by side: the longest counts. */
export function forecast(
  lanes: readonly { readonly lane: Lane; readonly rules: Rules }[],
  jobs: ReadonlyMap<string, Job>,
  nowMs: number,
): Estimate {
  const busy = lanes.filter(({ lane }) => hasWork(lane));
  let low = 0;
  let high = 0;
  for (const { lane, rules } of busy) {
    const endMs = restMs(demandOf(lane, rules, nowMs), lane.toll);
    const doubt = DOUBT_MIN + (DOUBT_MAX - DOUBT_MIN) / Math.sqrt(1 + lane.pooled.count());
    low = Math.max(low, endMs * (1 - doubt));
    high = Math.max(high, endMs * (1 + doubt));
  }
  const known = busy.every(({ lane }) => lane.pooled.known());
  const pausedUntilMs = pauseOf(
    busy.map(({ lane }) => lane),
    nowMs,
  );
  return {
    expectedRunMs: (id) => expectedRunMs(jobs.get(id)),
    ...(known ? { remainingMs: { low, high } } : {}),
    ...(pausedUntilMs === undefined ? {} : { pausedUntilMs }),
  };
}

export function hasWork(lane: Lane): boolean {
  return lane.wanted.size + lane.held.size + lane.inFlight + lane.owed.size > 0;
}

function pauseOf(lanes: readonly Lane[], nowMs: number): number | undefined {
  if (lanes.length === 0 || lanes.some(({ pacer }) => pacer.credit(nowMs) >= 1)) return undefined;
  const untilMs = Math.min(...lanes.map(({ pacer }) => pacer.opensAtMs(nowMs)));
  return Number.isFinite(untilMs) && untilMs >= nowMs + PAUSE_TOLD_MS_MIN ? untilMs : undefined;
}

/** The mean over the jobs that ran as long as this one has been seen to. */
function expectedRunMs(job: Job | undefined): number | undefined {
  if (job === undefined || !job.kind.times.known()) return undefined;
  const { survival } = job.kind;
  const alive = survival.at(job.ranMs);
  if (alive < 1e-9) return job.ranMs;
  return job.ranMs + (survival.meanMs - survival.integral(job.ranMs)) / alive;
}
