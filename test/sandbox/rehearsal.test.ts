import { describe, expect, it } from 'vitest';
import { createService } from '../../src/sandbox/service.js';
import { createScheduler } from '../../src/scheduler/create-scheduler.js';
import { createPriorityQueue } from '../../src/scheduler/priority-queue.js';
import type { Settled } from '../../src/scheduler/scheduler.js';
import { answered, chance, START_MS } from './play.js';

const MODEL = 'elevenlabs-sound-effects-v2';
const LATENCY_MS = 10;

/** A whole run against the sandbox in virtual time, by the sandbox's clock. */
function rehearse(takes: number, speed: number) {
  const audio = { bytes: 1, chunks: () => [Buffer.from('a')] };
  const faults = { cleanUpFails: 0 };
  const service = createService({ random: chance(), speed, balanceUsd: 1_000, faults, audio: () => audio });
  const events = createPriorityQueue<() => void>();
  const ids = new Map<string, string>();
  let nowMs = START_MS;
  const ask = (method: string, path: string, body: object) => {
    const headers = { authorization: 'Bearer sandbox', 'content-type': 'application/json' };
    const request = { method, path, headers, body: method === 'GET' ? '' : JSON.stringify(body) };
    return answered(service.handle(request, nowMs));
  };
  const stated = new Map<string, number>();
  for (const { apiModelId, rateLimits } of ask('GET', '/api_keys/rate_limits', {}).json.data.rateLimits)
    for (const { amount } of rateLimits) stated.set(apiModelId, amount);

  const scheduler = createScheduler({});
  scheduler.limits(stated);
  for (let take = 0; take < takes; take += 1) scheduler.addTake(`${take}`, { model: MODEL });
  const request = (
    kind: 'submit' | 'poll' | 'complete',
    job: string,
  ): { status: number; settled: Settled } => {
    const held = { model: MODEL, queue_id: ids.get(job) };
    if (kind === 'submit') {
      const answer = ask('POST', '/audio/queue', { model: MODEL, prompt: `A door falls shut, take ${job}` });
      if (answer.status === 200) ids.set(job, answer.json.queue_id);
      const settled = answer.status === 200 ? ({ kind: 'queued' } as const) : again();
      return { status: answer.status, settled };
    }
    if (kind === 'complete')
      return { status: ask('POST', '/audio/complete', held).status, settled: { kind: 'gone' } };
    const { status, json } = ask('POST', '/audio/retrieve', held);
    if (status !== 200) return { status, settled: again() };
    if (json === undefined) return { status, settled: { kind: 'stored', clean: true, readyAtMs: nowMs } };
    return { status, settled: { kind: 'running', averageExecutionMs: json.average_execution_time } };
  };
  const again = (): Settled => ({ kind: 'again', notBeforeMs: nowMs });
  let turn = 0;
  const step = (): void => {
    turn += 1;
    const mine = turn;
    for (let action = scheduler.next(nowMs); action.kind !== 'finished'; action = scheduler.next(nowMs)) {
      if (action.kind === 'wait') {
        if (action.untilMs < Number.POSITIVE_INFINITY)
          events.set(() => mine === turn && step(), action.untilMs);
        return;
      }
      const { kind, job } = action;
      events.set(() => {
        const { status, settled } = request(kind, job);
        scheduler.answered(MODEL, { status, rate: {}, job }, nowMs);
        scheduler.settled(job, settled, nowMs);
        step();
      }, nowMs + LATENCY_MS);
    }
  };
  step();
  while (events.size > 0) {
    nowMs = events.peekKey();
    events.pop()!();
  }
  return {
    stated: stated.get(MODEL),
    tooMany: service.counts.tooMany,
    minutes: (nowMs - START_MS) / 60_000,
    made: ids.size,
  };
}

describe('a sandbox run', () => {
  it('at real speed keeps the real limits, which no response states', () => {
    const { stated, tooMany, minutes, made } = rehearse(80, 1);
    expect({ stated, tooMany, made }).toEqual({ stated: undefined, tooMany: 0, made: 80 });
    expect(minutes).toBeGreaterThan(1);
  });

  it.each([
    [28, 0.25],
    [320, 1],
  ])('at 20 times the speed gets no 429 for %i takes and needs no further window', (takes, minutesMax) => {
    const { stated, tooMany, minutes, made } = rehearse(takes, 20);
    expect({ stated, tooMany, made }).toEqual({ stated: 1_200, tooMany: 0, made: takes });
    expect(minutes).toBeLessThan(minutesMax);
  });
});
