import { describe, expect, it } from 'vitest';
import type { RunEvent } from '../../src/events.js';
import type { Attempt } from '../../src/lock/attempt.js';
import { execute, type RunInput, type RunOutcome } from '../../src/run/run.js';
import type { CallResult, Retrieved } from '../../src/venice/client.js';
import { attempt, file, id } from '../lock/build.js';
import { fakeClock, START_MS } from '../report/fakes.js';

const SECOND_MS = 1_000;
const MINUTE_MS = 60_000;
const RUN_MS_MAX = 30 * MINUTE_MS;

type Answer = CallResult<Retrieved>;
const refusedConnection: Answer = {
  ok: false,
  kind: 'no_answer',
  sent: false,
  code: 'ECONNREFUSED',
  message: 'connect ECONNREFUSED',
  rate: {},
};
const failing: Answer = {
  ok: false,
  kind: 'refused',
  status: 500,
  sent: true,
  code: 'http-500',
  message: 'no',
  rate: {},
};
const running: Answer = { ok: true, value: { kind: 'running' }, rate: {} };

function queued(track: string): Attempt {
  const at = { intent: new Date(START_MS).toISOString(), queued: new Date(START_MS).toISOString() };
  return attempt({ attempt: id(track), track, state: 'queued', queue_id: track, key: 'k', at });
}

interface Around {
  readonly clock: RunInput['ports']['clock'];
  retrieve(): Promise<Answer>;
  readonly store: object;
  emit(event: RunEvent): void;
}

/** A run that buys nothing. */
function collecting({ clock, retrieve, store, emit }: Around): RunInput {
  return {
    ports: { clock, random: { bytes: (count: number) => new Uint8Array(count) } },
    client: { retrieve },
    store,
    purchases: [],
    takes: [],
    approvedMicroUsd: 0,
    keyFingerprint: 'k',
    settings: { command: (verb: string) => verb },
    stop: new AbortController().signal,
    emit,
  } as unknown as RunInput;
}

/** Collects three jobs, each poll answered by what holds at that time, ms since the start. */
async function collect(answer: (atMs: number) => Answer) {
  const clock = fakeClock();
  const attempts = new Map(['one', 'two', 'three'].map((track) => [id(track), queued(track)]));
  const events: RunEvent[] = [];
  const input = collecting({
    clock,
    retrieve: async () => answer(clock.nowMs() - START_MS),
    store: { attempts, newest: (key: string) => attempts.get(key), record: async () => {} },
    emit: (event: RunEvent) => events.push(event),
  });
  let outcome: RunOutcome | undefined;
  const ended = execute(input).then((result) => {
    outcome = result;
  });
  while (outcome === undefined && clock.nowMs() - START_MS < RUN_MS_MAX) await clock.advance(SECOND_MS);
  const tookMs = clock.nowMs() - START_MS;
  await ended;
  return { tookMs, events, troubles: [...outcome!.troubles] };
}

function codes(events: readonly RunEvent[]): string[] {
  return events.flatMap((event) => (event.type === 'notice' ? [event.code] : []));
}

describe('a service that nobody can reach', () => {
  it('is given up after two to three minutes, and that is told once', async () => {
    const { tookMs, events, troubles } = await collect(() => refusedConnection);
    expect(tookMs).toBeGreaterThanOrEqual(2 * MINUTE_MS);
    expect(tookMs).toBeLessThanOrEqual(3 * MINUTE_MS + 10 * SECOND_MS);
    expect(troubles).toEqual(['unavailable']);
    expect(codes(events).filter((code) => code === 'no-answer')).toHaveLength(1);
    expect(codes(events)).not.toContain('given-up');
  });

  it('is given as long again after each answer', async () => {
    const goneMs = 5 * MINUTE_MS;
    const { tookMs } = await collect((atMs) => (atMs < goneMs ? running : refusedConnection));
    expect(tookMs).toBeGreaterThanOrEqual(goneMs + 2 * MINUTE_MS);
    expect(tookMs).toBeLessThanOrEqual(goneMs + 4 * MINUTE_MS);
  });

  it('is another thing than one that answers with errors, which gets its time', async () => {
    const { tookMs, events } = await collect(() => failing);
    expect(tookMs).toBeGreaterThan(4 * MINUTE_MS);
    expect(codes(events)).not.toContain('no-answer');
  });
});

describe('a job whose file was moved out of another one’s way meanwhile', () => {
  it('goes on from the record of the move', async () => {
    const clock = fakeClock();
    const known = queued('one');
    const moved: Attempt = { ...known, rev: 7, file: { ...file, path: 'aside.mp3' } };
    const recorded: Attempt[] = [];
    const failed: Answer = {
      ok: true,
      value: { kind: 'failed', code: 'GENERATION_FAILED', message: 'no', creditsRefunded: true },
      rate: {},
    };
    const attempts = new Map([[known.attempt, known]]);
    const record = async (next: Attempt) => void recorded.push(next);
    const store = { attempts, newest: () => moved, record };
    const ended = execute(collecting({ clock, retrieve: async () => failed, store, emit: () => {} }));
    await clock.advance(MINUTE_MS);
    await ended;
    expect(recorded).toEqual([expect.objectContaining({ rev: 8, state: 'failed', file: moved.file })]);
  });
});

describe('what is in flight from an earlier run', () => {
  it('is told at once, with its age', async () => {
    const { events } = await collect(() => refusedConnection);
    const told = events.flatMap((event) => (event.type === 'take' ? [event] : []));
    expect(told.map(({ track, state, queued_at }) => [track, state, queued_at])).toEqual(
      ['one', 'two', 'three'].map((track) => [track, 'queued', new Date(START_MS).toISOString()]),
    );
  });
});
