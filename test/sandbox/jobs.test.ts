import { describe, expect, it } from 'vitest';
import { FAULTS_DEFAULT } from '../../src/sandbox/faults.js';
import type { Entry } from '../../src/sandbox/ledger.js';
import { type Answered, bytesOf, LYRICAL, type Play, play, SONG } from './play.js';

const DAY_MS = 24 * 3_600_000;

function retrieve(world: Play, queueId: string, more: object = {}, key?: string): Answered {
  return world.post('/audio/retrieve', { model: SONG.model, queue_id: queueId, ...more }, key);
}

function complete(world: Play, queueId: string, key?: string): Answered {
  return world.post('/audio/complete', { model: SONG.model, queue_id: queueId }, key);
}

describe('the life of a job', () => {
  it('goes from QUEUED to PROCESSING to audio', () => {
    const world = play();
    const answer = world.post('/audio/queue', SONG);
    expect(answer.json).toEqual({
      model: SONG.model,
      queue_id: expect.stringMatching(
        /^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/,
      ),
      status: 'QUEUED',
    });
    const id = answer.json.queue_id;
    const { runMs, waitMs } = world.service.jobs.get(id)!;
    expect(retrieve(world, id).json).toEqual({ status: 'QUEUED' });
    world.nowMs += waitMs;
    expect(retrieve(world, id).json).toEqual({
      status: 'PROCESSING',
      average_execution_time: expect.any(Number),
      execution_duration: waitMs,
    });
    world.nowMs += runMs - waitMs - 1;
    expect(retrieve(world, id).json.status).toBe('PROCESSING');
    world.nowMs += 1;
    const ready = retrieve(world, id);
    expect(ready.headers['content-type']).toBe('audio/wav');
    const bytes = bytesOf(ready.raw.body);
    expect(bytes.toString('latin1', 0, 4)).toBe('RIFF');
    expect(ready.raw.body).toMatchObject({ bytes: bytes.byteLength });
  });

  it('sends the same bytes each time, and others for another take', () => {
    const world = play();
    const [one, two] = [world.queued(), world.queued()];
    world.untilReady(one);
    world.untilReady(two);
    const first = bytesOf(retrieve(world, one).raw.body);
    expect(first.equals(bytesOf(retrieve(world, one).raw.body))).toBe(true);
    expect(first.equals(bytesOf(retrieve(world, two).raw.body))).toBe(false);
  });

  it('comes in the format of the model', () => {
    const world = play();
    const id = world.queued(LYRICAL);
    world.untilReady(id);
    const answer = world.post('/audio/retrieve', { model: LYRICAL.model, queue_id: id });
    expect(answer.headers['content-type']).toBe('audio/flac');
    expect(bytesOf(answer.raw.body).toString('latin1', 0, 4)).toBe('fLaC');
  });

  it('takes about the reported time: four in five are ready by then', () => {
    const world = play({ balanceUsd: 10_000 });
    const ids = Array.from({ length: 1_000 }, () => world.queued());
    world.nowMs += 5_000;
    const reported = retrieve(world, ids[0]!).json.average_execution_time;
    const within = ids.filter((id) => world.service.jobs.get(id)!.runMs <= reported).length;
    expect(within).toBeGreaterThan(760);
    expect(within).toBeLessThan(840);
  });

  it('is shortened by the speed, in reported times too', () => {
    const [slow, fast] = [play(), play({ speed: 10 })];
    const [a, b] = [slow.queued(), fast.queued()];
    const ran = (world: Play, id: string) => world.service.jobs.get(id)!.runMs;
    expect(ran(slow, a) / ran(fast, b)).toBeCloseTo(10, 1);
    slow.nowMs += ran(slow, a) - 1;
    fast.nowMs += ran(fast, b) - 1;
    const reported = (world: Play, id: string) => retrieve(world, id).json.average_execution_time;
    expect(reported(slow, a) / reported(fast, b)).toBeCloseTo(10, 1);
  });

  it('ends a day after the audio was ready', () => {
    const world = play();
    const id = world.queued();
    world.untilReady(id);
    world.nowMs += DAY_MS - 1;
    expect(retrieve(world, id).status).toBe(200);
    world.nowMs += 1;
    expect(retrieve(world, id).status).toBe(404);
    expect(complete(world, id).status).toBe(404);
  });

  it('is visible to its own account and model only', () => {
    const world = play({ keys: ['sandbox', 'other'] });
    const id = world.queued();
    world.untilReady(id);
    for (const path of ['/audio/retrieve', '/audio/complete']) {
      expect(world.post(path, { model: SONG.model, queue_id: id }, 'other').status).toBe(404);
      expect(world.post(path, { model: LYRICAL.model, queue_id: id }).status).toBe(404);
      expect(world.post(path, { model: SONG.model, queue_id: id.toUpperCase() }).status).toBe(404);
    }
    expect(retrieve(world, id).status).toBe(200);
  });
});

describe('a clean-up', () => {
  it('deletes the media: every later request gets 404', () => {
    const world = play();
    const id = world.queued();
    world.untilReady(id);
    expect(complete(world, id).json).toEqual({ success: true });
    expect(retrieve(world, id).status).toBe(404);
    expect(complete(world, id).status).toBe(404);
  });

  it('changes nothing if it fails', () => {
    const world = play({ faults: { cleanUpFails: 1 } });
    const id = world.queued();
    world.untilReady(id);
    expect(complete(world, id)).toMatchObject({ status: 200, json: { success: false } });
    expect(retrieve(world, id).status).toBe(200);
  });

  it('fails now and then by default', () => {
    const world = play({ faults: FAULTS_DEFAULT, balanceUsd: 1_000 });
    const results = Array.from({ length: 400 }, () => complete(world, world.queued()).json.success);
    const failed = results.filter((success) => success === false).length;
    expect(failed).toBeGreaterThan(5);
    expect(failed).toBeLessThan(45);
  });

  it('of a running job cancels it, without a refund', () => {
    for (const prompt of ['A song', 'A song [sandbox:refund]']) {
      const world = play();
      const id = world.queued({ ...SONG, prompt });
      expect(complete(world, id).json).toEqual({ success: true });
      expect(retrieve(world, id).status).toBe(404);
      world.nowMs += DAY_MS;
      expect(world.get('/billing/balance').json.balances.usd).toBe(99.31);
      expect(world.service.charges(world.nowMs)).toHaveLength(1);
    }
  });

  it('comes with the download if that is asked for, but not before the audio is ready', () => {
    const world = play();
    const id = world.queued();
    const flag = { delete_media_on_completion: true };
    expect(retrieve(world, id, flag).json.status).toBe('QUEUED');
    world.untilReady(id);
    expect(retrieve(world, id, { delete_media_on_completion: false }).status).toBe(200);
    const answer = retrieve(world, id, flag);
    expect(bytesOf(answer.raw.body).length).toBeGreaterThan(44);
    expect(retrieve(world, id).status).toBe(404);
  });
});

describe('a failure', () => {
  it.each([
    ['[sandbox:fail]', false, 99.31],
    ['[sandbox:refund]', true, 100],
  ])('%s is FAILED on every poll', (word, refunded, usd) => {
    const world = play();
    const id = world.queued({ ...SONG, prompt: `A song ${word}` });
    expect(world.get('/billing/balance').json.balances.usd).toBe(99.31);
    world.untilReady(id);
    for (let i = 0; i < 2; i++) {
      expect(retrieve(world, id)).toMatchObject({
        status: 200,
        json: {
          status: 'FAILED',
          error: expect.any(String),
          error_code: 'GENERATION_FAILED',
          credits_refunded: refunded,
        },
      });
    }
    expect(world.get('/billing/balance').json.balances.usd).toBe(usd);
    expect(complete(world, id).json).toEqual({ success: true });
    expect(world.get('/billing/balance').json.balances.usd).toBe(usd);
  });

  it('[sandbox:expired] runs, and is gone when it should be ready', () => {
    const world = play();
    const id = world.queued({ ...SONG, prompt: 'A song [sandbox:expired]' });
    expect(retrieve(world, id).status).toBe(200);
    world.untilReady(id);
    expect(retrieve(world, id).status).toBe(404);
    expect(world.get('/billing/balance').json.balances.usd).toBe(99.31);
  });

  it('[sandbox:slow] takes five times as long', () => {
    const [usual, slow] = [play(), play()];
    const a = usual.service.jobs.get(usual.queued())!;
    const b = slow.service.jobs.get(slow.queued({ ...SONG, prompt: 'A song [sandbox:slow]' }))!;
    expect(b.runMs / a.runMs).toBeCloseTo(5, 1);
  });

  it.each([
    ['[sandbox:lost-answer]', {}, true],
    ['lost at random', { lostAnswer: 1 }, true],
    ['answered with an error', { errorAfterQueueing: 1 }, undefined],
  ])('%s leaves the job queued and paid', (prompt, faults, cut) => {
    const world = play({ faults });
    const answer = world.post('/audio/queue', { ...SONG, prompt });
    expect(answer.raw.cut).toBe(cut);
    expect(cut === true || answer.status === 500).toBe(true);
    expect(world.service.jobs.size).toBe(1);
    expect(world.get('/billing/balance').json.balances.usd).toBe(99.31);
  });

  it('happens at random on request', () => {
    const world = play({ faults: { jobFails: 1 } });
    const ends = Array.from({ length: 20 }, () => world.service.jobs.get(world.queued())!.end);
    expect(new Set(ends)).toEqual(new Set(['failed', 'refunded']));
  });

  it('of a download is a body that is shorter than declared', () => {
    const world = play({ faults: { brokenDownload: 1 } });
    const id = world.queued();
    world.untilReady(id);
    const { body } = retrieve(world, id).raw;
    expect(bytesOf(body).byteLength).toBe(Math.floor((body as { bytes: number }).bytes / 2));
  });
});

describe('a service that is restarted from its ledger', () => {
  it('goes on where it was', () => {
    const entries: Entry[] = [];
    const before = play({ persist: (entry) => entries.push(entry) });
    const [running, deleted, refunded] = [
      before.queued(),
      before.queued(),
      before.queued({ ...SONG, prompt: 'A song [sandbox:refund]' }),
    ];
    before.untilReady(deleted);
    complete(before, deleted);
    const after = play({ entries: JSON.parse(JSON.stringify(entries)) });
    for (const world of [before, after]) {
      world.nowMs = before.nowMs + DAY_MS / 2;
      expect(retrieve(world, deleted).status).toBe(404);
      expect(retrieve(world, refunded).json.status).toBe('FAILED');
      expect(world.get('/billing/balance').json.balances.usd).toBe(98.62);
    }
    expect(after.service.charges(after.nowMs)).toEqual(before.service.charges(before.nowMs));
    const [a, b] = [before, after].map((world) => bytesOf(retrieve(world, running).raw.body));
    expect(a!.equals(b!)).toBe(true);
  });

  it('writes each effect down before it answers, and does nothing that it cannot write down', () => {
    const world = play({
      persist: () => {
        throw Object.assign(new Error('no space'), { code: 'ENOSPC' });
      },
    });
    expect(() => world.post('/audio/queue', SONG)).toThrow('no space');
    expect(world.service.jobs.size).toBe(0);
    expect(world.get('/billing/balance').json.balances.usd).toBe(100);
  });
});
