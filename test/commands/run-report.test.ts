import { describe, expect, it } from 'vitest';
import { type RunReport, summarise } from '../../src/app/summarise.js';
import type { RunEvent } from '../../src/core/events.js';
import type { Attempt } from '../../src/lockfile/attempt.js';
import { openOutput } from '../../src/storage/output.js';
import { createMemoryDisk } from '../fakes/memory-files.js';
import { attempt, id } from '../lockfile/build.js';

const BYTES = 'RIFF....WAVE';

/** A stored attempt whose remote copy is gone. */
function done(track: string): Attempt {
  const path = `out/${track}.wav`;
  const file = { path, bytes: BYTES.length, sha256: 'a'.repeat(64), media_type: 'audio/wav' };
  return attempt({
    attempt: id(track),
    track,
    state: 'done',
    queue_id: `job-${track}`,
    stem: `out/${track}`,
    file,
  });
}

function other(track: string, state: Attempt['state']): Attempt {
  return attempt({ attempt: id(track), track, state, stem: `out/${track}`, queue_id: `job-${track}` });
}

/** What `collect` reports at its end for these attempts, with a manifest that cannot be read. */
async function reportOf(
  attempts: readonly Attempt[],
  emit: (event: RunEvent) => void = () => {},
): Promise<RunReport> {
  const files = attempts.flatMap(({ file }) => (file === undefined ? [] : [[`/album/${file.path}`, BYTES]]));
  const disk = createMemoryDisk(Object.fromEntries(files));
  const world = {
    ports: { clock: { nowMs: () => 0 } },
    stop: new AbortController().signal,
    emit,
  };
  const settings = { mode: 'collect', selection: {}, command: String, outputRoot: '/album' };
  const byId = new Map(attempts.map((one) => [one.attempt, one]));
  const outcome = { stopReasons: new Set(), spentMicroUsd: 0, madeCount: 0 };
  const decision = { approved: false };
  const output = await openOutput(disk.files, '/album');
  const ending = {
    world,
    settings,
    output,
    attempts: byId,
    manifest: undefined,
    outcome,
    decision,
    startedMs: 0,
  };
  return summarise(ending as never);
}

describe('the end of a run whose manifest cannot be read', () => {
  it('counts the takes that the lockfile knows, each once', async () => {
    const earlier = {
      ...other('a', 'failed'),
      attempt: id('earlier'),
      at: { intent: '2026-01-01T00:00:00.000Z' },
    };
    const { summary, exitCode } = await reportOf([earlier, done('a'), done('b')]);
    expect(summary).toMatchObject({ total: 2, done: 2, failed: 0 });
    expect(exitCode).toBe(0);
  });

  it('says how many takes are not made, and ends with the matching exit code', async () => {
    const { summary, exitCode } = await reportOf([done('a'), other('b', 'failed'), other('c', 'lost')]);
    expect(summary).toMatchObject({ total: 3, done: 1, failed: 2 });
    expect(exitCode).toBe(100);
  });

  it('keeps takes in flight as they are', async () => {
    const { summary, exitCode } = await reportOf([done('a'), other('b', 'queued')]);
    expect(summary).toMatchObject({ total: 2, done: 1, in_flight: 1 });
    expect(exitCode).toBe(11);
  });

  it('reports what earlier runs cost', async () => {
    const reported = new Map<string, unknown>();
    const failed = other('b', 'failed');
    await reportOf(
      [
        done('a'),
        failed,
        { ...failed, attempt: id('c'), track: 'c', refunded: true },
        { ...failed, attempt: id('g'), track: 'g', refunded: true, refund_ground: 'documented' as const },
        other('d', 'lost'),
        other('e', 'in_doubt'),
        other('f', 'rejected'),
      ].map((attempt) => ({
        ...attempt,
        at: { intent: '1960-01-01T00:00:00.000Z', [attempt.state]: '1960-01-01T00:00:00.000Z' },
      })),
      (event) => event.type === 'take' && reported.set(event.key, event.money),
    );
    expect(Object.fromEntries(reported)).toEqual({
      a: 'charged',
      b: 'charged',
      c: 'refunded',
      g: 'refunded (as documented)',
      d: 'charged',
      e: 'unknown',
    });
  });
});
