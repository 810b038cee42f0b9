import type { Ledger, Reading } from './reading.js';

/** How long after the stated end a request certainly falls into the next window, before anything is learned. */
const LAG_MS = 150;
/** The same where the end is given in whole seconds and may have been rounded down. */
const LAG_ROUNDED_MS = 1_050;
/** The service's clock may be ahead of its `Date` header by this much. */
const SKEW_DOUBT_MS = 1_100;
/** The end is known well enough once two sends this close together lie on either side of it. */
const LAG_GAP_MS = 300;
/** Measuring the end more precisely costs one or two requests, which pays only in a run of more windows than this. */
const WINDOWS_BEFORE_TRIAL = 6;
/** A slower exchange does not show on which side of the end it was counted. */
const EXCHANGE_MS_MAX = 1_000;
/** Ends closer together than this are the same one, rounded differently. */
const SAME_END_MS = 1_500;
/** Windows are assumed to be at least this long. */
const WINDOW_MS_MIN = 20_000;
/** A request sent to get the next window's headers no longer holds up the others after this time. */
const PROBE_PATIENCE_MS = 3_000;

/**
 * A fixed window. The remaining count is the lower of two: by the first response minus all requests sent since, which
 * holds even if responses overtake each other, and by the response to the newest request, which also shows what others use.
 * When the window ends, one request goes first to get the headers of the next.
 *
 * The end in local time is learned from the requests around it, because clocks differ and ends are rounded. In a long
 * run the last request of a window is held back and sent close to the end, to narrow it down.
 */
export function createWindow(first: Reading): Ledger {
  let resetMs = first.resetMs;
  let left = first.remaining - first.uncounted;
  let newest = { token: first.token + first.sentAfter, remaining: left };
  let lastToken = newest.token;
  let probeSentMs: number | undefined;
  let probeToken = 0;
  // Lags are measured from the end in the service's time, so they include the difference between the clocks.
  const { skewMs = 0 } = first;
  let goodLagMs = (resetMs % 1_000 === 0 ? LAG_ROUNDED_MS : LAG_MS) - skewMs;
  let badLagMs = first.skewMs === undefined ? 0 : -skewMs - SKEW_DOUBT_MS;
  let stepMs = 1_000;
  let windows = 1;

  const known = (): number => Math.min(left, newest.remaining - (lastToken - newest.token));
  const unsure = (): boolean => windows > WINDOWS_BEFORE_TRIAL && goodLagMs - badLagMs > LAG_GAP_MS;
  const endMs = (): number => resetMs + (unsure() && known() >= 1 ? (goodLagMs + badLagMs) / 2 : goodLagMs);
  const waits = (nowMs: number): boolean =>
    probeSentMs !== undefined && nowMs < probeSentMs + PROBE_PATIENCE_MS;

  const open = (reading: Reading): void => {
    // The request was counted before its response came, so by then the next window has begun.
    const lagMs = reading.nowMs - resetMs;
    if (reading.nowMs - reading.sentMs < EXCHANGE_MS_MAX && lagMs < goodLagMs) {
      goodLagMs = lagMs;
      badLagMs = Math.min(badLagMs, goodLagMs);
    }
    windows += 1;
    resetMs = reading.resetMs;
    left = reading.remaining - reading.uncounted;
    newest = { token: lastToken, remaining: left };
    probeSentMs = undefined;
  };
  const tooEarly = (sentMs: number): void => {
    badLagMs = Math.max(badLagMs, sentMs - resetMs);
    if (goodLagMs <= badLagMs) {
      goodLagMs = badLagMs + stepMs;
      stepMs *= 2;
    }
    probeSentMs = undefined;
  };

  return {
    available: (nowMs) => {
      if (waits(nowMs)) return 0;
      if (nowMs >= endMs()) return 1;
      return unsure() ? known() - 1 : known();
    },
    opensAtMs: (nowMs) => (waits(nowMs) ? probeSentMs! + PROBE_PATIENCE_MS : Math.max(nowMs, endMs())),
    lapsesAtMs: () => endMs(),
    sent: (token, nowMs) => {
      if (nowMs >= endMs()) {
        probeSentMs = nowMs;
        probeToken = token;
      }
      left -= 1;
      lastToken = token;
    },
    read: (reading) => {
      const stepMs = reading.resetMs - resetMs;
      if (stepMs >= WINDOW_MS_MIN) open(reading);
      else if (Math.abs(stepMs) > SAME_END_MS) return stepMs <= -WINDOW_MS_MIN ? 'stale' : 'foreign';
      else {
        if (reading.token === probeToken && probeSentMs !== undefined) tooEarly(reading.sentMs);
        const others = reading.remaining < left - 1;
        if (reading.token >= newest.token) newest = reading;
        if (reading.alone) left = reading.remaining;
        if (others) return 'shared';
      }
      return 'fits';
    },
    unread: (token) => {
      const wasProbe = probeSentMs !== undefined && token === probeToken;
      if (wasProbe) probeSentMs = undefined;
      return wasProbe;
    },
    refused: () => {
      left = Math.min(left, 0);
    },
  };
}
