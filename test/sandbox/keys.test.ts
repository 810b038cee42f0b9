import { describe, expect, it } from 'vitest';
import type { SandboxKey } from '../../src/sandbox/keyring.js';
import { LYRICAL, play, SONG } from './play.js';

function holder(rest: Omit<SandboxKey, 'key'>) {
  return play({ keys: [{ key: 'sandbox', ...rest }] });
}

const LYRIA = { model: 'lyria-3-pro', prompt: 'A song about the sea' };

describe('a key', () => {
  it('without a subscription gets 401 wherever a key is needed', () => {
    const world = holder({ without: ['subscription'] });
    expect(world.post('/audio/queue', SONG).status).toBe(401);
    expect(world.get('/billing/balance').status).toBe(401);
    expect(world.post('/audio/quote', { model: SONG.model }).status).toBe(200);
    expect(world.service.jobs.size).toBe(0);
  });

  it('without access gets 403', () => {
    const world = holder({ without: ['access'] });
    for (const path of ['/audio/queue', '/audio/retrieve', '/audio/complete']) {
      expect(world.post(path, SONG).status).toBe(403);
    }
    expect(world.service.jobs.size).toBe(0);
  });

  it('without Pro gets 401 for the models that need it, and only those', () => {
    const world = holder({ without: ['pro'] });
    expect(world.post('/audio/queue', LYRIA).status).toBe(401);
    expect(world.post('/audio/queue', SONG).status).toBe(200);
    expect(play().post('/audio/queue', LYRIA).status).toBe(200);
  });

  it('without the billing role may not read the history, but may do everything else', () => {
    const world = holder({ without: ['history'] });
    expect(world.get('/billing/usage-history').status).toBe(403);
    expect(world.get('/billing/balance').status).toBe(200);
    expect(world.post('/audio/queue', SONG).status).toBe(200);
  });

  it.each(['USD', 'DIEM'] as const)('with a spend limit in %s gets 402 beyond it', (currency) => {
    const world = holder({ spendLimit: { usd: 0.72, currency } });
    const first = world.queued();
    expect(world.post('/audio/queue', LYRICAL).status).toBe(200);
    expect(world.post('/audio/queue', LYRICAL)).toMatchObject({
      status: 402,
      json: { code: `API_KEY_${currency}_SPEND_LIMIT_EXCEEDED` },
    });
    world.untilReady(first);
    expect(world.post('/audio/retrieve', { model: SONG.model, queue_id: first }).status).toBe(200);
  });
});

describe('a price', () => {
  it('may be lower than in the catalogue, in quotes and charges', () => {
    const world = play();
    const body = { model: 'sonilo-v1-1-sound-effects', duration_seconds: 10 };
    expect(world.post('/audio/quote', body).json).toEqual({ quote: 0.01863 });
    world.untilReady(world.queued({ ...body, prompt: 'A door falls shut' }));
    expect(world.service.charges(world.nowMs + 1)).toMatchObject([{ microUsd: 18_630 }]);
  });

  it('may rise at some moment, in quotes and submits alike', () => {
    const world = play({ priceFactor: (nowMs) => (nowMs >= riseMs ? 1.5 : 1) });
    const riseMs = world.nowMs + 1_000;
    const quote = () => world.post('/audio/quote', { model: SONG.model, duration_seconds: 3 }).json.quote;
    expect(quote()).toBe(0.69);
    world.queued();
    world.nowMs = riseMs;
    expect(quote()).toBe(1.035);
    world.queued();
    expect(world.get('/billing/balance').json.balances.usd).toBeCloseTo(100 - 0.69 - 1.035, 9);
  });
});
