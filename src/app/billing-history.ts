import type { Clock } from '../core/ports.js';
import type { Attempt } from '../lockfile/attempt.js';
import type { CallFailure, UsageHistory, VeniceClient } from '../venice/client.js';
import { clockOffset, windowOf } from '../venice/matching-charges.js';

const ENTRIES_MAX = 5_000;
/**
 * A job sent just before or after the one in doubt has its charge near the edge. If that were cut off, the job would be
 * matched with the charge in doubt.
 */
const MARGIN_MS = 10 * 60_000;

/** The billing history around some attempts. */
export interface FetchedHistory extends UsageHistory {
  /** How far the service's clock is ahead of this machine's, in ms. */
  readonly clockOffsetMs: number;
  readonly askedAtMs: number;
}

/**
 * Fetches the billing history around the attempts, and again if the service's clock is off, since its entries then have
 * other times. Not for attempts whose times are all unknown.
 */
export async function fetchHistory(
  client: VeniceClient,
  clock: Clock,
  doubtful: readonly Attempt[],
): Promise<FetchedHistory | CallFailure | undefined> {
  const windows = doubtful.map(windowOf).filter(({ fromMs }) => !Number.isNaN(fromMs));
  if (windows.length === 0) return undefined;
  const fromMs = Math.min(...windows.map((window) => window.fromMs)) - MARGIN_MS;
  const toMs = Math.max(...windows.map((window) => window.toMs)) + MARGIN_MS;
  const first = await client.usageHistory(fromMs, toMs, ENTRIES_MAX);
  const askedAtMs = clock.nowMs();
  if (!first.ok) return first;
  const clockOffsetMs = clockOffset(first.rate.dateUnixSeconds, askedAtMs);
  if (clockOffsetMs === 0) return { ...first.value, clockOffsetMs, askedAtMs };
  const [earlierMs, laterMs] = [Math.min(0, clockOffsetMs), Math.max(0, clockOffsetMs)];
  const wider = await client.usageHistory(fromMs + earlierMs, toMs + laterMs, ENTRIES_MAX);
  return wider.ok ? { ...wider.value, clockOffsetMs, askedAtMs } : wider;
}
