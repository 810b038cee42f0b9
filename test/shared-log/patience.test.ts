import { describe, expect, it } from 'vitest';
import { fill } from '../../src/shared-log/fill-slot.js';
import { type ObjectStore, type PutAnswer, StoreFault } from '../../src/shared-log/object-store.js';
import { type WaitsFor, withPatience } from '../../src/shared-log/patience.js';
import { withRetries } from '../../src/shared-log/store-retries.js';
import { createHandClock } from './hand-clock.js';

const WHY = new StoreFault('unreachable', 'no response');
const BYTES = new Uint8Array(1);
const FULL_TRIES = 9;
const TRY_MS = 30_000;

/** A store that accepts requests and does not answer them, except as told. */
function stage(answers: { put?: () => Promise<PutAnswer>; get?: () => Promise<undefined> } = {}) {
  const { clock, pass } = createHandClock();
  const stop = new AbortController();
  const shown: WaitsFor[] = [];
  let tries = 0;
  let abandoned = 0;
  const timeOut = () => {
    tries += 1;
    return clock.sleep(TRY_MS);
  };
  const raw: ObjectStore = {
    address: 'silent',
    putIfAbsent: async () => {
      if (answers.put !== undefined) return answers.put();
      await timeOut();
      return { kind: 'unknown', why: WHY };
    },
    get: async () => {
      if (answers.get !== undefined) return answers.get();
      await timeOut();
      throw WHY;
    },
    list: async () => [],
    abandon: () => {
      abandoned += 1;
    },
    close: async () => {},
  };
  const random = { bytes: (count: number) => new Uint8Array(count) };
  const access = { clock, random, ...withPatience(raw, clock, stop.signal, (what) => shown.push(what)) };
  const put = (doubtful?: () => void) => {
    const outcome: { now: unknown } = { now: 'waiting' };
    fill(access, 'log/1', BYTES, doubtful).then(
      (answer) => {
        outcome.now = answer;
      },
      (fault: unknown) => {
        outcome.now = fault;
      },
    );
    return outcome;
  };
  const get = () => withRetries(access, () => access.store.get('log/1'));
  return { access, pass, stop, shown, put, get, tries: () => tries, abandoned: () => abandoned };
}

const SILENT = expect.objectContaining({ kind: 'unreachable' });

describe('a store that accepts requests and does not answer', () => {
  it('is waited for in full once, then for one try at a time, until it answers', async () => {
    const answers: { put?: () => Promise<PutAnswer> } = {};
    const { put, pass, tries } = stage(answers);
    const first = put();
    await pass(10 * 60_000);
    expect(first.now).toEqual(SILENT);
    expect(tries()).toBe(FULL_TRIES);
    const second = put();
    await pass(TRY_MS);
    expect(second.now).toEqual(SILENT);
    expect(tries()).toBe(FULL_TRIES + 1);
    answers.put = async () => ({ kind: 'created' });
    const third = put();
    await pass(0);
    expect(third.now).toBe('created');
    delete answers.put;
    put();
    await pass(10 * 60_000);
    expect(tries()).toBe(2 * FULL_TRIES + 1);
  });

  it('is not thought to answer writes because it answers reads', async () => {
    const { put, get, pass, tries } = stage({ get: async () => undefined });
    put();
    await pass(10 * 60_000);
    await get();
    put();
    await pass(10 * 60_000);
    expect(tries()).toBe(FULL_TRIES + 1);
  });

  it('is shown once as the reason for the wait', async () => {
    const { put, pass, shown } = stage();
    put();
    await pass(10 * 60_000);
    expect(shown).toEqual(['answers']);
  });
});

describe('a store that is silent after the run was stopped', () => {
  it('is waited for at most half a minute in all; what was put stays unknown, and nothing more is put', async () => {
    const { put, get, pass, stop, shown, tries, abandoned } = stage();
    let doubts = 0;
    const first = put(() => {
      doubts += 1;
    });
    await pass(1_000);
    stop.abort();
    await pass(29_000);
    expect(first.now).toBe('waiting');
    expect(abandoned()).toBe(0);
    await pass(1_000);
    expect(first.now).toEqual(SILENT);
    expect(doubts).toBeGreaterThan(0);
    expect(abandoned()).toBe(1);
    expect(shown).toEqual(['stopping', 'nothing']);
    const before = tries();
    let later = 0;
    const second = put(() => {
      later += 1;
    });
    await pass(0);
    expect(second.now).toEqual(SILENT);
    expect(later).toBe(0);
    await expect(get()).rejects.toEqual(SILENT);
    expect(tries()).toBe(before);
  });

  it('gets only seconds if it was silent before', async () => {
    const { put, pass, stop } = stage();
    put();
    await pass(10 * 60_000);
    stop.abort();
    const second = put();
    await pass(5_000);
    expect(second.now).toEqual(SILENT);
  });

  it('has its half a minute from the first request without an answer, however late that is', async () => {
    const answers: { put?: () => Promise<PutAnswer> } = { put: async () => ({ kind: 'created' }) };
    const { put, pass, stop, shown } = stage(answers);
    stop.abort();
    for (let records = 0; records < 5; records += 1) {
      const one = put();
      await pass(60_000);
      expect(one.now).toBe('created');
    }
    expect(shown).toEqual([]);
    delete answers.put;
    const last = put();
    await pass(29_000);
    expect(last.now).toBe('waiting');
    await pass(2_000);
    expect(last.now).toEqual(SILENT);
  });
});
