import { describe, expect, it } from 'vitest';
import type { LimitOptions } from '../../src/sandbox/limits.js';
import { type Answered, LYRICAL, type Play, play, SONG, START_MS } from './play.js';

const LIMIT = 'x-ratelimit-limit-requests';
const REMAINING = 'x-ratelimit-remaining-requests';
const RESET = 'x-ratelimit-reset-requests';

function limited(limits: LimitOptions = {}): Play {
  return play({ limits, keys: ['sandbox', 'other'] });
}

function quote(world: Play, model = 'lyria-3-pro', key = 'sandbox'): Answered {
  return world.post('/audio/quote', { model }, key);
}

describe('the window limit', () => {
  it('lets 60 requests a minute through, and reports what is left', () => {
    const world = limited();
    for (let left = 59; left >= 0; left--) {
      expect(quote(world)).toMatchObject({
        status: 200,
        headers: { [LIMIT]: '60', [REMAINING]: String(left), [RESET]: String((START_MS + 60_000) / 1_000) },
      });
    }
    const over = quote(world);
    expect(over).toMatchObject({ status: 429, headers: { [LIMIT]: '60', [REMAINING]: '0' } });
    expect(over.headers['retry-after']).toBeUndefined();
  });

  it('resets a minute after its first request, and not before', () => {
    const world = limited({ perMinute: 2 });
    quote(world);
    world.nowMs += 59_999;
    quote(world);
    expect(quote(world).status).toBe(429);
    world.nowMs += 1;
    expect(quote(world)).toMatchObject({ status: 200, headers: { [REMAINING]: '1' } });
  });

  it('never reports a reset too early', () => {
    const world = limited({ perMinute: 1 });
    world.nowMs += 1;
    quote(world);
    world.nowMs = Number(quote(world).headers[RESET]) * 1_000;
    expect(quote(world).status).toBe(200);
  });

  it('counts per model and key, over all four audio routes', () => {
    const world = limited({ perMinute: 4 });
    const job = { model: LYRICAL.model, queue_id: world.queued(LYRICAL) };
    quote(world, LYRICAL.model);
    world.post('/audio/retrieve', job);
    world.post('/audio/complete', job);
    expect(world.post('/audio/queue', LYRICAL).status).toBe(429);
    expect(world.service.jobs.size).toBe(1);
    expect(world.post('/audio/queue', SONG).status).toBe(200);
    expect(world.post('/audio/queue', LYRICAL, 'other').status).toBe(200);
  });

  it('counts refused requests too, and has one budget for all unknown models', () => {
    const world = limited({ perMinute: 2 });
    expect(world.post('/audio/queue', { ...SONG, loop: true }).status).toBe(400);
    expect(world.post('/audio/queue', { ...SONG, loop: true }).status).toBe(400);
    expect(world.post('/audio/queue', SONG).status).toBe(429);
    expect(['a', 'b', 'c'].map((model) => world.post('/audio/queue', { ...SONG, model }).status)).toEqual([
      404, 404, 429,
    ]);
  });

  it('does not apply to other routes', () => {
    const world = limited({ perMinute: 1 });
    quote(world);
    for (let i = 0; i < 5; i++) {
      const answer = world.get('/billing/balance');
      expect(answer.status).toBe(200);
      expect(answer.headers[LIMIT]).toBeUndefined();
    }
  });

  it('can omit its headers', () => {
    const world = limited({ perMinute: 1, headers: false });
    expect(quote(world).headers[LIMIT]).toBeUndefined();
    expect(quote(world)).toMatchObject({ status: 429 });
    expect(quote(world).headers[RESET]).toBeUndefined();
  });
});

describe('the bucket limit', () => {
  it('fills one by one, and reports when it is full', () => {
    const world = limited({ perMinute: 60, kind: 'bucket' });
    for (let i = 1; i <= 60; i++) {
      expect(quote(world).headers[RESET]).toBe(String(START_MS / 1_000 + i));
    }
    expect(quote(world).status).toBe(429);
    world.nowMs += 999;
    expect(quote(world).status).toBe(429);
    world.nowMs += 1;
    expect(quote(world)).toMatchObject({ status: 200, headers: { [REMAINING]: '0' } });
    expect(quote(world).status).toBe(429);
  });

  it('never holds more than its limit', () => {
    const world = limited({ perMinute: 3, kind: 'bucket' });
    quote(world);
    world.nowMs += 3_600_000;
    expect([1, 2, 3, 4].map(() => quote(world).status)).toEqual([200, 200, 200, 429]);
  });
});

describe('the block for failures', () => {
  const fail = (world: Play, times: number) => {
    for (let i = 0; i < times; i++) world.post('/audio/retrieve', { model: SONG.model, queue_id: 'gone' });
  };

  it('comes with the 21st failure within 30 s, lasts 30 s, and covers all routes of that key', () => {
    const world = limited({ perMinute: 1_000 });
    fail(world, 20);
    expect(world.get('/billing/balance').status).toBe(200);
    fail(world, 1);
    expect(world.service.counts.blocks).toBe(1);
    expect(world.get('/billing/balance').status).toBe(429);
    expect(world.post('/audio/queue', SONG).status).toBe(429);
    expect(world.get('/billing/balance', 'other').status).toBe(200);
    world.nowMs += 29_999;
    expect(world.get('/billing/balance').status).toBe(429);
    world.nowMs += 1;
    expect(world.get('/billing/balance').status).toBe(200);
  });

  it('does not come if the failures are spread out', () => {
    const world = limited({ perMinute: 1_000 });
    for (let i = 0; i < 100; i++) {
      fail(world, 1);
      world.nowMs += 1_500;
    }
    expect(world.service.counts.blocks).toBe(0);
    fail(world, 1);
    expect(world.get('/billing/balance').status).toBe(200);
  });

  it('counts 429 too: clients that keep asking are blocked', () => {
    const world = limited({ perMinute: 1 });
    for (let i = 0; i < 30; i++) quote(world);
    expect(world.service.counts).toMatchObject({ blocks: 1, tooMany: 29 });
    expect(world.get('/billing/balance').status).toBe(429);
  });
});

describe('an accelerated service', () => {
  it('allows proportionally more requests, and says so', () => {
    const world = play({ limits: { perMinute: 2 }, speed: 20 });
    const statuses = Array.from({ length: 41 }, () => quote(world).status);
    expect(statuses.filter((status) => status === 429)).toHaveLength(1);
    const { rateLimits } = world.get('/api_keys/rate_limits').json.data;
    expect(rateLimits[0].rateLimits).toEqual([{ amount: 40, type: 'RPM' }]);
  });
});

describe('the list of limits', () => {
  it('has each model with the limit that applies', () => {
    const { rateLimits, balances } = limited({ perMinute: 120 }).get('/api_keys/rate_limits').json.data;
    expect(rateLimits).toHaveLength(14);
    expect(rateLimits).toContainEqual({ apiModelId: SONG.model, rateLimits: [{ amount: 120, type: 'RPM' }] });
    expect(balances.USD).toBe(100);
  });
});
