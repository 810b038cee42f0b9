import type { Clock } from '../../src/core/ports.js';
import type { Terminal } from '../../src/report/terminal.js';

/** A terminal that keeps what is written to it, write by write. */
export interface RecordedTerminal extends Terminal {
  readonly writes: string[];
  text(): string;
  resize(columns: number, rows: number): void;
}

export function recordingTerminal(
  options: { columns?: number; rows?: number; isTty?: boolean; color?: boolean } = {},
): RecordedTerminal {
  const writes: string[] = [];
  let { columns = 80, rows = 24 } = options;
  return {
    writes,
    text: () => writes.join(''),
    write: (text) => {
      writes.push(text);
    },
    resize(newColumns, newRows) {
      [columns, rows] = [newColumns, newRows];
    },
    get columns() {
      return columns;
    },
    get rows() {
      return rows;
    },
    isTty: options.isTty ?? true,
    color: options.color ?? false,
  };
}

/** Time that passes only on request; sleepers wake in the order of their times. */
export interface FakeClock extends Clock {
  advance(ms: number): Promise<void>;
  readonly sleeping: number;
}

export const START_MS = Date.parse('2026-03-01T12:00:00.000Z');

export function fakeClock(startMs = START_MS): FakeClock {
  let nowMs = startMs;
  const sleepers = new Set<{ readonly atMs: number; wake(): void }>();
  /** Lets everything that is ready run, with no time passing. */
  const settle = () => new Promise<void>((resolve) => setImmediate(resolve));
  return {
    nowMs: () => nowMs,
    sleep: (delayMs, signal) =>
      new Promise((resolve) => {
        if (signal?.aborted) return resolve();
        const wake = () => {
          sleepers.delete(sleeper);
          signal?.removeEventListener('abort', wake);
          resolve();
        };
        const sleeper = { atMs: nowMs + delayMs, wake };
        sleepers.add(sleeper);
        signal?.addEventListener('abort', wake);
      }),
    async advance(ms) {
      const endMs = nowMs + ms;
      await settle();
      for (;;) {
        const next = [...sleepers].sort((a, b) => a.atMs - b.atMs)[0];
        if (next === undefined || next.atMs > endMs) break;
        nowMs = Math.max(nowMs, next.atMs);
        next.wake();
        await settle();
      }
      nowMs = endMs;
      await settle();
    },
    get sleeping() {
      return sleepers.size;
    },
  };
}
