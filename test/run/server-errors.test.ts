import { describe, expect, it } from 'vitest';
import { createServerErrors } from '../../src/run/server-errors.js';

const SECOND_MS = 1_000;

/** How long errors every 10 s have to last before the job counts as failed, in seconds. */
function verdictAt(errors: ReturnType<typeof createServerErrors>, job: string, expectedAtMs = 0): number {
  for (let atMs = 0; atMs < 3_600_000; atMs += 10 * SECOND_MS)
    if (errors.came(job, expectedAtMs, atMs)) return atMs / SECOND_MS;
  throw new Error('never');
}

describe('a job whose retrieve answers 500 or 503', () => {
  it('has failed once that has repeated for a minute', () => {
    expect(verdictAt(createServerErrors(), 'one')).toBe(60);
  });

  it('has not failed before its expected end', () => {
    expect(verdictAt(createServerErrors(), 'one', 300 * SECOND_MS)).toBe(300);
  });

  it('has not failed because of two errors far apart', () => {
    const errors = createServerErrors();
    expect(errors.came('one', 0, 0)).toBe(false);
    expect(errors.came('one', 0, 3_600_000)).toBe(false);
  });

  it('has not failed because the clock jumped or the machine slept between two of them', () => {
    const errors = createServerErrors();
    const afterJumpMs = 15 * 3_600_000;
    for (const atMs of [0, 2_000, 6_000]) errors.came('one', 0, atMs);
    expect(errors.came('one', 0, afterJumpMs)).toBe(false);
    expect(errors.came('one', 0, afterJumpMs + 8_000)).toBe(false);
    expect(errors.came('one', 0, afterJumpMs + 24_000)).toBe(false);
    expect(errors.came('one', 0, afterJumpMs + 56_000)).toBe(true);
  });

  it.each(['answered', 'interrupted'] as const)('starts over once it is %s', (how) => {
    const errors = createServerErrors();
    for (const atMs of [0, 20_000, 40_000]) errors.came('one', 0, atMs);
    errors[how]('one', 50_000);
    expect(errors.came('one', 0, 60_000)).toBe(false);
  });

  it('counts as part of an outage while several jobs get only errors', () => {
    const errors = createServerErrors();
    for (const job of ['two', 'three', 'four']) errors.came(job, 0, 0);
    expect(verdictAt(errors, 'one')).toBe(600);
  });

  it.each([
    ['counts as part of an outage if the service answers for fewer jobs', 3, 600],
    ['does not count as part of an outage if the service answers for as many jobs', 4, 60],
  ])('%s', (_, answered, verdict) => {
    const errors = createServerErrors();
    for (const job of ['two', 'three', 'four']) errors.came(job, 0, 0);
    errors.came('one', 0, 0);
    for (let job = 0; job < answered; job += 1) errors.answered(`working ${job}`, 30_000);
    expect(verdictAt(errors, 'one')).toBe(verdict);
  });
});
