import type { Ledger, Reading } from './reading.js';

/** The bucket is assumed to fill a little slower than stated: requests do not arrive as evenly as they are sent. */
const REFILL_SHARE = 0.985;
/** The largest fraction that a count of whole requests can hide. */
const FRACTION = 0.99;

/** A token bucket: the reset in its headers moves with every request, and the remaining count grows with time. */
export function createBucket(first: Reading, perMinute: () => number): Ledger {
  let level = first.remaining - first.uncounted;
  let atMs = first.nowMs;

  const refillPerMs = (): number => (perMinute() * REFILL_SHARE) / 60_000;
  const levelAt = (nowMs: number): number =>
    Math.min(perMinute(), level + Math.max(0, nowMs - atMs) * refillPerMs());
  const set = (value: number, nowMs: number): void => {
    level = value;
    atMs = nowMs;
  };

  return {
    available: (nowMs) => Math.floor(levelAt(nowMs)),
    opensAtMs: (nowMs) => nowMs + Math.max(0, Math.ceil((1 - levelAt(nowMs)) / refillPerMs())),
    lapsesAtMs: (nowMs) => nowMs + (perMinute() - levelAt(nowMs)) / refillPerMs(),
    sent: (_ticket, nowMs) => set(levelAt(nowMs) - 1, nowMs),
    read: (reading) => {
      const expected = levelAt(reading.nowMs);
      const most = reading.remaining + FRACTION;
      set(
        reading.alone ? Math.max(reading.remaining, Math.min(expected, most)) : Math.min(expected, most),
        reading.nowMs,
      );
      return reading.remaining < expected - 3 && reading.alone ? 'shared' : 'fits';
    },
    unread: () => false,
    refused: (nowMs) => set(0, nowMs),
  };
}
