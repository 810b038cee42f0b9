import type { Attempt } from '../lockfile/attempt.js';
import type { UsageEntry } from './client.js';
import { createTimeline } from './timeline.js';

/** The amount in the history may differ from the quote by rounding: half a per cent, and at least a tenth of a cent. */
const AMOUNT_TOLERANCE = 0.005;
const AMOUNT_TOLERANCE_MICRO_USD = 1_000;
/** A charge may be dated some time before or after its submit, because of different clocks and queues. */
const BEFORE_MS = 60_000;
const AFTER_MS = 10 * 60_000;
/** A charge made when a job ends is dated at most this long after its audio was seen. */
const LATE_MS = 60_000;
/** A smaller clock difference is ignored as noise; a larger one is not credible. */
const CLOCK_OFFSET_MS_MIN = 5_000;
const CLOCK_OFFSET_MS_MAX = 24 * 3_600_000;

/** Number of nearest charges checked for other possible owners. */
const RIVALRY_MAX = 20;

/** How an entry differs from what the attempt would have been charged. */
export type Difference = 'another amount' | 'another model' | 'another amount and model';

export interface NearEntry {
  readonly entry: UsageEntry;
  readonly difference: Difference;
}

/** What the billing history shows about one attempt: evidence for the user, never proof. */
export interface Evidence {
  /** Charges with that amount at that time, the nearest first. */
  readonly fits: readonly UsageEntry[];
  /** Charges at that time that differ but may still be the attempt's: neither amounts nor names are guaranteed. */
  readonly near: readonly NearEntry[];
  /** Charges that match, but belong to other jobs known to be paid. */
  readonly accounted: number;
  /** Jobs that failed, are lost or are still running, and to which a charge in `fits` may also belong. */
  readonly rivals: readonly Attempt[];
  /** The time range that was searched, by this machine's clock, in ms since the epoch. */
  readonly fromMs: number;
  readonly toMs: number;
}

/**
 * Matches the billing history with attempts in doubt. Pure. Takes n log n time, whatever is in the lockfile and the
 * history: only the nearest hundred or so charges before and after a moment, and jobs, are examined.
 *
 * @param known all attempts of the lockfile
 * @param clockOffsetMs how far the service's clock is ahead. A charge counts if its time fits by either clock, because
 *   this machine's may have been set since
 * @returns what is known about an attempt in doubt
 */
export function createEvidence(
  history: readonly UsageEntry[],
  known: readonly Attempt[],
  clockOffsetMs = 0,
): (attempt: Attempt) => Evidence {
  const modelIn = modelFinder(known);
  const viewOfOne = (attempt: Attempt) => viewOf(attempt, modelIn, clockOffsetMs);
  const charges = history.filter(({ spentMicroUsd }) => spentMicroUsd > 0);
  const left = createTimeline(charges, ({ timestampMs }) => timestampMs);
  const taken: UsageEntry[] = [];
  for (const other of known) {
    if (!isPaidFor(other)) continue;
    const view = viewOfOne(other);
    const charge = left.near(view.probesMs).filter(view.fits).sort(view.byLikelihood)[0];
    if (charge === undefined) continue;
    left.remove(charge);
    taken.push(charge);
  }
  const accounted = createTimeline(taken, ({ timestampMs }) => timestampMs);
  const uncertain = known.filter(isMaybePaidFor).map((attempt) => ({ attempt, view: viewOfOne(attempt) }));
  const rivals = createTimeline(uncertain, ({ attempt }) => windowOf(attempt).fromMs);
  return (attempt) => {
    const own = viewOfOne(attempt);
    const inTime = left.near(own.probesMs).filter(own.isInTime).sort(own.byLikelihood);
    const fits = inTime.filter(own.fits).sort(own.byTime);
    const nearest = fits.slice(0, RIVALRY_MAX);
    return {
      fits,
      rivals: rivals
        .near([windowOf(attempt).fromMs])
        .filter((other) => other.attempt.attempt !== attempt.attempt && nearest.some(other.view.fits))
        .map((other) => other.attempt),
      near: inTime
        .filter((entry) => !own.fits(entry))
        .map((entry) => ({ entry, difference: own.differs(entry) })),
      accounted: accounted.near(own.probesMs).filter(own.fits).length,
      ...windowOf(attempt),
    };
  };
}

/** When a charge of this attempt would be dated, in ms since the epoch; `NaN` if it is unknown when it was sent. */
export function windowOf({ at }: Attempt): { fromMs: number; toMs: number } {
  const sentMs = Date.parse(at.intent ?? '');
  return { fromMs: sentMs - BEFORE_MS, toMs: sentMs + AFTER_MS };
}

/** How far the service's clock is ahead of this machine's, in ms; 0 if it is about right, or unknown. */
export function clockOffset(dateUnixSeconds: number | undefined, nowMs: number): number {
  if (dateUnixSeconds === undefined) return 0;
  const offsetMs = dateUnixSeconds * 1_000 - nowMs;
  const isCorrected = Math.abs(offsetMs) >= CLOCK_OFFSET_MS_MIN && Math.abs(offsetMs) <= CLOCK_OFFSET_MS_MAX;
  return isCorrected ? offsetMs : 0;
}

/**
 * A job that was certainly charged has its own entry. One still running may not have it yet, and one that failed may
 * never have it, so neither may hide an entry of the attempt in doubt.
 */
function isPaidFor({ state, queue_id, reason }: Attempt): boolean {
  if (reason?.code === 'resolved_charged') return true;
  return queue_id !== undefined && ['stored', 'done', 'unverified'].includes(state);
}

/** Whether it may have been charged, without proof that the charge stayed. Attempts in doubt are listed separately. */
function isMaybePaidFor(attempt: Attempt): boolean {
  return !isPaidFor(attempt) && ['queued', 'failed', 'lost'].includes(attempt.state);
}

/** The history as seen from one attempt. */
function viewOf(attempt: Attempt, modelIn: ModelFinder, clockOffsetMs: number) {
  const { model, quote_micro_usd: quote } = attempt;
  const momentsMs = momentsOf(attempt);
  const slack = Math.max(AMOUNT_TOLERANCE_MICRO_USD, quote * AMOUNT_TOLERANCE);
  const { fromMs, toMs: soonMs } = windowOf(attempt);
  const toMs = Math.max(soonMs, ...momentsMs.map((ms) => ms + LATE_MS));
  const timesMs = ({ timestampMs }: UsageEntry) => [timestampMs, timestampMs - clockOffsetMs];
  const farMs = (entry: UsageEntry) =>
    Math.min(...timesMs(entry).flatMap((ms) => momentsMs.map((moment) => Math.abs(ms - moment))));
  const offMicroUsd = ({ spentMicroUsd }: UsageEntry) => Math.abs(spentMicroUsd - quote);
  const isOff = (entry: UsageEntry) => offMicroUsd(entry) > slack;
  const isOther = ({ sku }: UsageEntry) => (modelIn(sku) ?? model) !== model;
  const isInTime = (entry: UsageEntry) => timesMs(entry).some((ms) => ms >= fromMs && ms <= toMs);
  const mismatchRank = (entry: UsageEntry) => (isOther(entry) ? 2 : modelIn(entry.sku) === undefined ? 1 : 0);
  return {
    /** When its charge would be dated, by either clock. */
    probesMs: [...new Set(momentsMs.flatMap((ms) => [ms, ms + clockOffsetMs]))],
    isInTime,
    fits: (entry: UsageEntry) => isInTime(entry) && !isOff(entry) && !isOther(entry),
    differs: (entry: UsageEntry): Difference =>
      !isOther(entry) ? 'another amount' : isOff(entry) ? 'another amount and model' : 'another model',
    byTime: (a: UsageEntry, b: UsageEntry) => farMs(a) - farMs(b),
    /** First those with the right amount, then with the right model, then the closest in time. */
    byLikelihood: (a: UsageEntry, b: UsageEntry) =>
      Number(isOff(a)) - Number(isOff(b)) || mismatchRank(a) - mismatchRank(b) || farMs(a) - farMs(b),
  };
}

/**
 * When a charge may have been made, in ms: at the submit, or when the job ended, which is known if it was collected.
 */
function momentsOf({ at }: Attempt): readonly number[] {
  const ended = at.ready ?? at.stored;
  return [Date.parse(at.intent ?? ''), ...(ended === undefined ? [] : [Date.parse(ended)])];
}

type ModelFinder = (sku: string) => string | undefined;

/**
 * Finds the known model that an entry is named after, if any: `lyra-2` is not `lyra`. How entries are named is not
 * documented.
 */
function modelFinder(known: readonly Attempt[]): ModelFinder {
  const models = new Map(known.map(({ model }) => [model.toLowerCase(), model]));
  const lengths = [...new Set([...models.keys()].map(({ length }) => length))].sort((a, b) => b - a);
  const find = (sku: string) => {
    for (const length of lengths)
      for (let start = 0; start + length <= sku.length; start += 1) {
        const model = models.get(sku.slice(start, start + length));
        if (model !== undefined) return model;
      }
    return undefined;
  };
  const found = new Map<string, string | undefined>();
  return (sku) => {
    if (!found.has(sku)) found.set(sku, find(sku.slice(0, SKU_LENGTH_MAX).toLowerCase()));
    return found.get(sku);
  };
}

/** No model has a longer name. */
const SKU_LENGTH_MAX = 256;
