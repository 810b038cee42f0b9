import { describe, expect, it } from 'vitest';
import { countInFlight, stoppingMessage } from '../../src/commands/in-flight.js';
import type { TransportAnswer, TransportNoAnswer } from '../../src/core/ports.js';

const REQUEST = { method: 'GET', path: '/models', deadlineMs: 1 } as const;

type Reported = Awaited<ReturnType<ReturnType<typeof countInFlight>['transport']>>;

/** One request, answered when the test says so. */
function asked() {
  let reply = (_: TransportAnswer | TransportNoAnswer) => {};
  let discarded = false;
  const { transport, inFlight } = countInFlight(
    () =>
      new Promise((resolve) => {
        reply = resolve;
      }),
  );
  const reported: Promise<Reported> = transport(REQUEST);
  const answer = async (body: AsyncIterable<Uint8Array>): Promise<TransportAnswer> => {
    const discard = () => {
      discarded = true;
    };
    reply({ kind: 'answer', status: 200, headers: {}, framed: true, body, discard });
    const came = await reported;
    if (came.kind !== 'answer') throw new Error('no answer');
    return came;
  };
  return {
    inFlight,
    reported,
    answer,
    fail: () => reply({ kind: 'no_answer', sent: false, code: 'ECONNREFUSED', message: '' }),
    discarded: () => discarded,
  };
}

async function* pieces(count: number, fault?: Error): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < count; at++) yield Uint8Array.of(at);
  if (fault !== undefined) throw fault;
}

async function read(body: AsyncIterable<Uint8Array>, countMax = Number.POSITIVE_INFINITY): Promise<number[]> {
  const got: number[] = [];
  for await (const piece of body) {
    got.push(...piece);
    if (got.length >= countMax) break;
  }
  return got;
}

describe('a request', () => {
  it('is in flight until its body is read', async () => {
    const { inFlight, answer } = asked();
    expect(inFlight()).toBe(1);
    const { body } = await answer(pieces(3));
    expect(inFlight()).toBe(1);
    expect(await read(body)).toEqual([0, 1, 2]);
    expect(inFlight()).toBe(0);
  });

  it('is over when the rest of its body is not wanted', async () => {
    const { inFlight, answer } = asked();
    expect(await read((await answer(pieces(3))).body, 1)).toEqual([0]);
    expect(inFlight()).toBe(0);
  });

  it('is over when its body breaks off', async () => {
    const { inFlight, answer } = asked();
    const { body } = await answer(pieces(1, new Error('reset')));
    await expect(read(body)).rejects.toThrow('reset');
    expect(inFlight()).toBe(0);
  });

  it('is over once when its answer is discarded', async () => {
    const { inFlight, answer, discarded } = asked();
    const { discard } = await answer(pieces(1));
    discard();
    discard();
    expect([inFlight(), discarded()]).toEqual([0, true]);
  });

  it('is over when no answer comes', async () => {
    const { inFlight, reported, fail } = asked();
    fail();
    expect(await reported).toMatchObject({ kind: 'no_answer' });
    expect(inFlight()).toBe(0);
  });
});

describe('the first signal', () => {
  it('reports what the run is waiting for, if anything', () => {
    expect(stoppingMessage(2)).toMatch(/responses to requests in flight/);
    expect(stoppingMessage(0)).not.toMatch(/responses to requests in flight/);
  });
});
