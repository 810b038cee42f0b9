import { describe, expect, it } from 'vitest';
import { complaints, LYRICAL, type Play, play, SONG, START_MS } from './play.js';

describe('the balance', () => {
  it('is reserved by the submit', () => {
    const world = play({ balanceUsd: 1 });
    expect(world.get('/billing/balance').json).toEqual({
      canConsume: true,
      consumptionCurrency: 'USD',
      balances: { diem: null, usd: 1, bundledCredits: null, earnedCredits: null },
      diemEpochAllocation: 0,
    });
    const id = world.queued();
    expect(world.get('/billing/balance').json.balances.usd).toBe(0.31);
    world.untilReady(id);
    expect(world.get('/billing/balance').json.balances.usd).toBe(0.31);
  });

  it('refuses jobs it does not cover, to the micro-dollar, and pays for others', () => {
    const world = play({ balanceUsd: 1.38 });
    world.queued();
    world.queued();
    const refused = world.post('/audio/queue', LYRICAL);
    expect(refused).toMatchObject({ status: 402, json: { code: 'INSUFFICIENT_BALANCE' } });
    expect(world.service.jobs.size).toBe(2);
    expect(world.get('/billing/balance').json).toMatchObject({
      canConsume: false,
      consumptionCurrency: null,
      balances: { usd: null },
    });
    expect(play({ balanceUsd: 0.689999 }).post('/audio/queue', SONG).status).toBe(402);
  });

  it('gets refunds back at the end of the job', () => {
    const world = play({ balanceUsd: 0.7 });
    const id = world.queued({ ...SONG, prompt: 'A song [sandbox:refund]' });
    world.untilReady(id);
    world.nowMs -= 1;
    expect(world.post('/audio/queue', SONG).status).toBe(402);
    world.nowMs += 1;
    expect(world.post('/audio/queue', SONG).status).toBe(200);
  });

  it('is separate for each key', () => {
    const world = play({ keys: ['sandbox', 'other'], balanceUsd: 1 });
    world.queued();
    expect(world.get('/billing/balance', 'other').json.balances.usd).toBe(1);
    world.queued(SONG, 'other');
    expect(world.post('/audio/queue', SONG, 'other').status).toBe(402);
  });
});

function history(world: Play, query = '', key?: string) {
  return world.get(`/billing/usage-history${query === '' ? '' : `?${query}`}`, key);
}

/** `count` jobs, one per second, all finished. */
function busy(count: number): Play {
  const world = play({ keys: ['sandbox', 'other'] });
  let last = '';
  for (let i = 0; i < count; i++) {
    last = world.queued(LYRICAL);
    world.nowMs += 1_000;
  }
  world.untilReady(last);
  world.nowMs += 1_000_000;
  return world;
}

describe('the usage history', () => {
  it('lists each charge after its job has ended, without the queue id', () => {
    const world = play();
    const id = world.queued();
    expect(history(world).json).toEqual({ data: [], nextCursor: null });
    world.untilReady(id);
    const endMs = world.nowMs;
    world.nowMs += 1;
    const { data } = history(world).json;
    expect(data).toEqual([
      {
        amount: -0.69,
        currency: 'USD',
        inferenceDetails: {
          completionTokens: null,
          inferenceExecutionTime: null,
          promptTokens: null,
          requestId: expect.any(String),
        },
        notes: 'API Inference',
        pricePerUnitUsd: 0.69,
        sku: 'elevenlabs-music-audio-unit',
        timestamp: new Date(endMs).toISOString(),
        units: 1,
      },
    ]);
    expect(JSON.stringify(data)).not.toContain(id);
  });

  it('lists a refund beside its charge', () => {
    const world = play();
    world.untilReady(world.queued({ ...SONG, prompt: 'A song [sandbox:refund]' }));
    world.nowMs += 1;
    const { data } = history(world).json;
    expect(data.map((entry: { amount: number }) => entry.amount)).toEqual([-0.69, 0.69]);
  });

  it('is read page by page in order of time, with the cursor alone', () => {
    const world = busy(25);
    const pages = [history(world, 'pageSize=10').json];
    while (pages.at(-1).nextCursor !== null) {
      expect(pages.at(-1).nextCursor).toMatch(/^[A-Za-z0-9_-]{1,512}$/);
      pages.push(history(world, `cursor=${pages.at(-1).nextCursor}`).json);
    }
    expect(pages.map((page) => page.data.length)).toEqual([10, 10, 5]);
    const walked = pages.flatMap((page) => page.data);
    expect(walked).toEqual(history(world).json.data);
    const times = walked.map((entry) => entry.timestamp);
    expect(times).toEqual([...times].sort());
  });

  it('does not shift while entries are added', () => {
    const world = busy(12);
    const first = history(world, 'pageSize=10').json;
    world.untilReady(world.queued(LYRICAL));
    world.nowMs += 1;
    const second = history(world, `cursor=${first.nextCursor}`).json;
    expect([...first.data, ...second.data]).toEqual(history(world).json.data);
    expect(second.data).toHaveLength(3);
  });

  it('is limited to the requested window', () => {
    const world = busy(12);
    const all = history(world).json.data;
    const [from, to] = [all[3].timestamp, all[7].timestamp];
    expect(history(world, `startTimestamp=${from}&endTimestamp=${to}`).json.data).toEqual(all.slice(3, 7));
    expect(history(world, `startTimestamp=${to}`).json.data).toEqual(all.slice(7));
    expect(history(world, 'currency=DIEM').json.data).toEqual([]);
    expect(history(world, 'currency=USD').json.data).toEqual(all);
  });

  it('shows an account its own entries only', () => {
    expect(history(busy(2), '', 'other').json.data).toEqual([]);
  });

  it.each([
    ['pageSize=9', 'pageSize'],
    ['pageSize=1001', 'pageSize'],
    ['pageSize=ten', 'pageSize'],
    ['currency=EUR', 'currency'],
    ['startTimestamp=2027-01-15', 'startTimestamp'],
    ['startTimestamp=2027-01-15T12:00:00%2B01:00', 'startTimestamp'],
    ['endTimestamp=2027-13-45T12:00:00Z', 'endTimestamp'],
    ['startTimestamp=2027-01-15T12:00:00Z&endTimestamp=2027-01-15T12:00:00Z', 'endTimestamp'],
    ['cursor=AZq3fK9tXhIVDm2j4vN8cQwYt1sB6uEoLxRgPzKaJdHfM5nC7yW0K3w', 'cursor'],
    ['cursor=', 'cursor'],
  ])('refuses %s', (query, field) => {
    const answer = history(play(), query);
    expect(answer.status).toBe(400);
    expect(complaints(answer, field)).toHaveLength(1);
  });

  it('refuses a cursor with other parameters, of another account, changed, or expired', () => {
    const world = busy(12);
    const { nextCursor } = history(world, 'pageSize=10').json;
    for (const beside of ['pageSize=10', 'currency=USD', 'startTimestamp=2027-01-15T12:00:00Z']) {
      expect(history(world, `cursor=${nextCursor}&${beside}`).status).toBe(400);
    }
    expect(history(world, `cursor=${nextCursor}`, 'other').status).toBe(400);
    const changed = nextCursor.slice(0, -1) + (nextCursor.endsWith('A') ? 'B' : 'A');
    expect(history(world, `cursor=${changed}`).status).toBe(400);
    world.nowMs += 3_600_000;
    expect(history(world, `cursor=${nextCursor}`).status).toBe(400);
    expect(world.nowMs).toBeGreaterThan(START_MS);
  });
});
