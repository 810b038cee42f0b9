import type { Job } from './ledger.js';

const DAY_MS = 24 * 3_600_000;
/** Spread of the generation times: one in five takes a third longer than the median. */
const SIGMA = 0.35;
/** 80th percentile of the standard normal distribution. */
const Z80 = 0.8416;
const WAIT_SHARE = 0.08;

export type JobState = 'queued' | 'running' | 'ready' | 'failed' | 'gone';

export function stateOf(job: Job, nowMs: number): JobState {
  const ageMs = nowMs - job.atMs;
  if (job.deletedAtMs !== undefined || ageMs >= job.runMs + DAY_MS) return 'gone';
  if (ageMs < job.waitMs) return 'queued';
  if (ageMs < job.runMs) return 'running';
  switch (job.end) {
    case 'ready':
    case 'damaged':
      return 'ready';
    case 'lost':
      return 'gone';
    default:
      return 'failed';
  }
}

/** When the reservation becomes a charge or is released: when the job ends, or is cancelled. */
export function settledAtMs(job: Job): number {
  return Math.min(job.atMs + job.runMs, job.deletedAtMs ?? Number.POSITIVE_INFINITY);
}

/**
 * A cancelled job is never refunded, whatever its result would have been, and neither is one charged to DIEM of an
 * earlier UTC day.
 */
export function isRefunded(job: Job): boolean {
  const settledMs = settledAtMs(job);
  if (settledMs !== job.atMs + job.runMs) return false;
  if (job.end === 'refunded') return true;
  const sameDay = Math.floor(settledMs / DAY_MS) === Math.floor(job.atMs / DAY_MS);
  return job.end.startsWith('failed-') && (job.currency !== 'DIEM' || sameDay);
}

/** How much of the price is returned when the job is settled, in integer micro-dollars. */
export function returnedMicroUsd(job: Job): number {
  if (isRefunded(job)) return job.priceMicroUsd;
  const ended = settledAtMs(job) === job.atMs + job.runMs;
  return ended ? job.priceMicroUsd - (job.settledMicroUsd ?? job.priceMicroUsd) : 0;
}

/** How long a generation takes in ms, log-normally distributed. */
export function drawTimes(runMsMedian: number, speed: number, random: () => number) {
  const normal = Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random());
  const runMs = Math.max(1, Math.round((runMsMedian * Math.exp(SIGMA * normal)) / speed));
  return { runMs, waitMs: Math.floor(runMs * WAIT_SHARE) };
}

/** The expected run time stated by the service: the 80th percentile, in ms. */
export function expectedRunMs(runMsMedian: number, speed: number): number {
  return Math.round((runMsMedian * Math.exp(SIGMA * Z80)) / speed);
}
