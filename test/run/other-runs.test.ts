import { expect, it } from 'vitest';
import { BEAT_EVERY_MS, SILENT_MS } from '../../src/core/run-silence.js';
import type { RunContext } from '../../src/run/context.js';
import { watchOtherRuns } from '../../src/run/other-runs.js';
import { attempt } from '../lockfile/build.js';
import { fakeClock } from '../report/fakes.js';

/** A run with nothing left to do, while another run, which is alive, has a stored job to clean up. */
function waitForOther() {
  const clock = fakeClock();
  const theirs = attempt({ state: 'stored', queue_id: 'q' });
  const counted = { beats: 0, looks: 0 };
  const halt = new AbortController();
  const context = {
    ports: { clock },
    settings: {},
    halt,
    emit: () => {},
    followOthers: () => {},
    store: {
      attempts: new Map([[theirs.attempt, theirs]]),
      sharing: {
        holderOf: () => ({ kind: 'elsewhere', silent: false }),
        beat: async () => {
          counted.beats += 1;
        },
        refresh: async () => {
          counted.looks += 1;
        },
      },
    },
  } as unknown as RunContext;
  const others = watchOtherRuns(
    context,
    () => {},
    () => {},
  );
  return { clock, counted, others, halt };
}

it('a run that only waits for another does not signal that it is alive, so that two never wait for each other', async () => {
  const { clock, counted, others } = waitForOther();
  await clock.advance(2 * BEAT_EVERY_MS);
  expect(counted.beats).toBeGreaterThan(0);
  expect(await others.atEnd(1)).toBe('looked');
  expect(await others.atEnd(1)).toBe('busy');
  const { beats, looks } = counted;
  await clock.advance(2 * SILENT_MS);
  expect(counted.beats).toBe(beats);
  expect(counted.looks).toBeGreaterThan(looks);
  others.close();
});

it('signals again once it has something to do', async () => {
  const { clock, counted, others } = waitForOther();
  await others.atEnd(1);
  await others.atEnd(1);
  await others.atEnd(2);
  await clock.advance(2 * BEAT_EVERY_MS);
  expect(counted.beats).toBeGreaterThan(0);
  others.close();
});

it('a halted run that still waits for a response no longer signals that it is alive, so that others collect', async () => {
  const { clock, counted, others, halt } = waitForOther();
  await clock.advance(2 * BEAT_EVERY_MS);
  const { beats } = counted;
  expect(beats).toBeGreaterThan(0);
  halt.abort();
  await clock.advance(2 * SILENT_MS);
  expect(counted.beats).toBe(beats);
  others.close();
});
