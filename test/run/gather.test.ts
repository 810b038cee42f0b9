import { describe, expect, it } from 'vitest';
import { gatherQuotes, type KeyedQuery, paced, paceOf } from '../../src/run/gather.js';
import { createRateLimiter } from '../../src/scheduler/rate-limiter.js';
import type { CallFailure, CallResult, QuoteQuery, VeniceClient } from '../../src/venice/client.js';

const QUERIES: readonly KeyedQuery[] = Array.from({ length: 150 }, (_, index) => ({
  key: `quote-${index}`,
  model: 'elevenlabs-music',
  duration_seconds: index + 1,
}));

const BUSY: CallResult<number> = {
  ok: false,
  kind: 'refused',
  status: 503,
  sent: true,
  code: 'busy',
  message: 'try again',
  rate: {},
};

const PRICE = { ok: true, value: 100_000, rate: {} } as const;

describe('the pause that a 429 asks for', () => {
  const pauseOf = (message: string, rate: CallFailure['rate'] = {}) =>
    paceOf({ ok: false, kind: 'refused', status: 429, sent: true, code: 'http-429', message, rate }).pauseMs;

  it('is that of the block, the wallet or the model if it names one of them', () => {
    const rate = { errorsRemaining: 0, errorsResetUnixSeconds: 1_012, dateUnixSeconds: 1_000 };
    expect(pauseOf('Please wait', rate)).toBe(12_000);
    expect(pauseOf('Too many failed requests')).toBe(30_000);
    expect(pauseOf('Too many concurrent requests for this wallet')).toBe(5_000);
    expect(pauseOf('The model is overloaded', { retryAfterSeconds: 7 })).toBe(7_000);
  });

  it('is left to the request limit otherwise', () => {
    expect(pauseOf('Rate limit exceeded')).toBeUndefined();
    expect(pauseOf('Please wait', { retryAfterSeconds: 7 })).toBeUndefined();
  });
});

describe('calls before the run', () => {
  it('wait for the pause that the one before was asked for', async () => {
    let nowMs = 0;
    const sleep = async (delayMs: number) => {
      nowMs += delayMs;
    };
    const clock = { nowMs: () => nowMs, sleep };
    const limits = createRateLimiter().of('m');
    const sentMs: number[] = [];
    const refused: CallFailure = { ...BUSY, status: 429, code: 'http-429', message: 'Rate limit exceeded' };
    const retrieve = async () => {
      sentMs.push(nowMs);
      return refused;
    };
    await paced(clock, limits, 'retrieve', retrieve, undefined);
    await paced(clock, limits, 'retrieve', retrieve, undefined);
    expect(sentMs[0]).toBe(0);
    expect(sentMs[1]).toBeGreaterThanOrEqual(60_000);
    expect(sentMs[1]).toBeLessThan(70_000);
  });
});

interface Reported {
  readonly queries?: readonly KeyedQuery[];
  answer?(asked: number, stop: () => void): CallResult<number>;
  /** Called when a wait begins. */
  waits?(stop: () => void): void;
}

/** Fetches the prices. Time passes only while waiting, and an aborted wait ends at once. */
async function gather({ queries = QUERIES, answer = () => PRICE, waits = () => {} }: Reported) {
  let nowMs = 0;
  let asked = 0;
  /** Time spent waiting after the stop. */
  let lateMs = 0;
  const controller = new AbortController();
  const stop = () => controller.abort('SIGINT');
  const clock = {
    nowMs: () => nowMs,
    sleep: async (delayMs: number, signal?: AbortSignal) => {
      waits(stop);
      if (signal?.aborted === true) return;
      nowMs += delayMs;
      if (controller.signal.aborted) lateMs += delayMs;
    },
  };
  const client = { quote: async (_query: QuoteQuery) => answer(++asked, stop) } as unknown as VeniceClient;
  const gathered = await gatherQuotes(client, clock, queries, controller.signal);
  return { ...gathered, asked, nowMs, lateMs };
}

describe('fetching many quotes', () => {
  it('requests each once, as fast as the request limit allows', async () => {
    const reported = { ...PRICE, rate: { limit: 60 } };
    const { quotes, failures, asked, nowMs } = await gather({ answer: () => reported });
    expect([quotes.size, failures.length, asked]).toEqual([150, 0, 150]);
    expect(nowMs).toBeGreaterThan(60_000);
  });

  it('waits for the next window by the clock of the service, not by its own', async () => {
    const limited: CallResult<number> = {
      ok: false,
      kind: 'refused',
      status: 429,
      sent: true,
      code: 'http-429',
      message: 'Rate limit exceeded',
      rate: { resetUnixSeconds: 100_030, dateUnixSeconds: 100_000 },
    };
    const { quotes, nowMs } = await gather({ answer: (asked) => (asked === 1 ? limited : PRICE) });
    expect(quotes.size).toBe(QUERIES.length);
    expect(nowMs).toBeLessThan(65_000);
  });

  it('does not wait if no limit is known', async () => {
    const { quotes, nowMs } = await gather({});
    expect(quotes.size).toBe(150);
    expect(nowMs).toBeLessThan(10_000);
  });

  it.each([3_600, 1e9])('gives up if the service asks for a pause of %d s', async (retryAfterSeconds) => {
    const refused = { ...BUSY, status: 429, code: 'http-429', rate: { retryAfterSeconds } } as const;
    const { quotes, failures, leftOut, asked, nowMs } = await gather({ answer: () => refused });
    expect(asked).toBeLessThan(9);
    expect([quotes.size, failures.length + leftOut]).toEqual([0, 150]);
    expect(failures.at(-1)?.failure.message).toMatch(
      /^not requested yet: the service asked for a pause of \d+ s$/,
    );
    expect(nowMs).toBeLessThan(65_000);
  });

  const OF_MANY_MODELS = QUERIES.map((query) => ({ ...query, model: query.key }));

  const refusal = (status: number): CallResult<number> => ({ ...BUSY, status, code: `http-${status}` });

  it.each([400, 401, 403, 404, 410, 503])('ends after ten failures with %i in a row', async (status) => {
    const { quotes, failures, leftOut, asked } = await gather({
      queries: OF_MANY_MODELS,
      answer: () => refusal(status),
    });
    expect(failures.length).toBeGreaterThanOrEqual(10);
    // Some were in flight when the tenth failed.
    expect(failures.length).toBeLessThan(14);
    expect(asked).toBe(failures.length * (status === 503 ? 4 : 1));
    expect([quotes.size, failures.length + leftOut]).toEqual([0, 150]);
  });

  it.each([403, 404, 410])(
    'ends for a model that is refused with %i, and goes on for others',
    async (status) => {
      const queries = QUERIES.map((query, index) => ({ ...query, model: index < 100 ? 'closed' : 'open' }));
      const { quotes, failures, leftOut, asked } = await gather({
        queries,
        answer: (count) => (count <= 4 ? refusal(status) : PRICE),
      });
      expect([quotes.size, failures.length, leftOut]).toEqual([50, 100, 0]);
      expect(new Set(failures.map(({ query }) => query.model))).toEqual(new Set(['closed']));
      // Four are sent at once.
      expect(asked).toBe(54);
    },
  );

  it('goes on while some succeed or the reasons differ', async () => {
    const some = await gather({
      queries: OF_MANY_MODELS,
      answer: (asked) => (asked % 10 === 0 ? PRICE : refusal(404)),
    });
    expect([some.quotes.size, some.failures.length, some.leftOut]).toEqual([15, 135, 0]);
    const different = await gather({
      queries: OF_MANY_MODELS,
      answer: (asked) => refusal(asked % 9 === 0 ? 404 : 400),
    });
    expect([different.failures.length, different.leftOut]).toEqual([150, 0]);
  });

  it('sends nothing more after a stop', async () => {
    const { quotes, failures, asked, lateMs } = await gather({
      answer: (count, stop) => {
        if (count === 5) stop();
        return PRICE;
      },
    });
    // A few were already in flight.
    expect(asked).toBeLessThan(9);
    expect([quotes.size, failures.length, lateMs]).toEqual([asked, 0, 0]);
  });

  it('does not wait for the request limit after a stop', async () => {
    const { quotes, failures, asked, lateMs } = await gather({ waits: (stop) => stop() });
    expect(asked).toBeGreaterThan(0);
    expect(asked).toBeLessThan(150);
    expect([quotes.size, failures.length, lateMs]).toEqual([asked, 0, 0]);
  });

  it('does not retry after a stop', async () => {
    const { asked, failures, lateMs } = await gather({
      answer: (count, stop) => {
        if (count === 2) stop();
        return BUSY;
      },
    });
    expect(asked).toBeLessThan(6);
    expect([failures.length, lateMs]).toEqual([asked, 0]);
  });

  it('does not retry if it is stopped while waiting', async () => {
    const { asked, failures } = await gather({ answer: () => BUSY, waits: (stop) => stop() });
    expect(asked).toBeLessThan(5);
    expect(failures).toHaveLength(asked);
  });
});
