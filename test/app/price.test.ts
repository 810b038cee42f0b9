import { describe, expect, it, vi } from 'vitest';
import { type PrepareInput, prepare } from '../../src/app/price-plan.js';
import type { Ports } from '../../src/core/ports.js';
import type { Attempt } from '../../src/lockfile/attempt.js';
import type { CallFailure } from '../../src/venice/client.js';
import { createMemoryDisk } from '../fakes/memory-files.js';
import { attempt } from '../lockfile/build.js';
import { catalogueOf, makeModel, makeTake, NOW_MS } from '../plan/builders.js';

type Refused = Pick<CallFailure, 'kind' | 'status'> & Partial<CallFailure>;

/** Gets the time of the call, too. */
type Retrieving = (model: string, queueId: string, nowMs: number) => Promise<unknown>;

interface Asked {
  readonly tracks?: Readonly<Record<string, string>>;
  readonly attempts?: readonly Attempt[];
  /** What the service says of earlier jobs. */
  readonly retrieve?: Retrieving;
  readonly selection?: Partial<PrepareInput['selection']>;
}

/** A plan for tracks, given with their models, of which the service refuses some prices. */
async function prepared(
  refusals: Readonly<Record<string, Refused>>,
  { tracks, selection, attempts = [], retrieve }: Asked = {},
) {
  const { files } = createMemoryDisk({ '/album/album.yaml': '' });
  let nowMs = NOW_MS;
  const clock = {
    nowMs: () => nowMs,
    sleep: async (ms: number) => {
      nowMs += ms;
    },
  };
  const models = Object.entries(tracks ?? { opening: 'song' });
  return prepare({
    ports: { files, clock } as unknown as Ports,
    client: {
      retrieve: (model: string, queueId: string) => retrieve?.(model, queueId, nowMs),
      models: async () => ({
        ok: true,
        value: catalogueOf(...[...new Set(models.map(([, id]) => id))].map((id) => makeModel({ id }))),
        rate: {},
      }),
      quote: async ({ model }: { model: string }) => {
        const refused = refusals[model];
        if (refused === undefined) return { ok: true, value: 500_000, rate: {} };
        return { ok: false, sent: true, code: 'no', message: 'Refused', rate: {}, ...refused };
      },
    } as unknown as PrepareInput['client'],
    manifest: {
      path: '/album/album.yaml',
      directory: '/album',
      takes: models.map(([track, model]) => makeTake({ track, request: { model } })),
    },
    attempts,
    output: { root: '/album', files },
    selection: { retryFailed: false, force: [], ...selection },
    command: (verb, ...words) => ['venice-batch', verb, ...words, '--sandbox'].join(' '),
  });
}

/** A plan for one take whose price the service refuses. */
async function planned(failure: Refused) {
  const { plan, diagnostics, refusal } = await prepared({ song: failure });
  expect(plan.purchases).toEqual([]);
  return { refusal, service: diagnostics.find(({ code }) => code === 'service') };
}

it.each([
  [400, 3, 'correct the track'],
  [401, 4, 'set VENICE_API_KEY (or VENICE_WALLET_KEY) to a valid key'],
  [403, 4, 'allow the model for this key'],
  [404, 3, '`venice-batch models --sandbox`'],
  [410, 3, '`venice-batch models --sandbox`'],
  [422, 3, 'correct the track'],
  [429, 12, 'again later'],
  [503, 12, 'again later'],
])('a price refused with %i exits with %i and says: %s', async (status, code, hint) => {
  const { refusal, service } = await planned({ kind: 'refused', status });
  expect(refusal).toBe(code);
  expect(service).toMatchObject({
    message: `could not fetch the price of song (HTTP ${status}): Refused`,
    hint: expect.stringMatching(/^nothing was bought; /),
  });
  expect(service?.hint).toContain(hint);
});

it('a page of a proxy in place of a price says nothing about the track', async () => {
  const { refusal, service } = await planned({ kind: 'unusable', status: 404 });
  expect([refusal, service?.hint]).toEqual([12, 'nothing was bought; run the same command again later']);
});

const THREE = { one: 'closed', two: 'song', three: 'closed' } as const;

describe('a model whose price is refused', () => {
  it.each([
    [403, 'model-refused', 'this key may not use closed (HTTP 403): Refused; one and three cannot be bought'],
    [404, 'unknown-model', 'the service does not offer closed (HTTP 404): Refused; one and three cannot be'],
    [410, 'unknown-model', 'the service does not offer closed (HTTP 410): Refused; one and three cannot be'],
  ] as const)('with %i leaves out only its own takes', async (status, code, message) => {
    for (const refused of [{ status }, { status, plain: true as const }]) {
      const { plan, refusal, diagnostics } = await prepared(
        { closed: { kind: 'refused', ...refused } },
        { tracks: THREE },
      );
      expect(refusal).toBeUndefined();
      expect(plan.purchases.map(({ take }) => take.key)).toEqual(['two']);
      expect(plan.totalMicroUsd).toBe(500_000);
      expect(plan.rows.map(({ decision }) => decision)).toEqual([
        { kind: 'excluded', why: { kind: 'new' }, closed: code },
        { kind: 'buy', why: { kind: 'new' } },
        { kind: 'excluded', why: { kind: 'new' }, closed: code },
      ]);
      expect(diagnostics).toEqual([
        expect.objectContaining({ code, severity: 'warning', message: expect.stringContaining(message) }),
      ]);
      expect(diagnostics[0]?.hint).toContain(': venice-batch run --except one --except three --sandbox');
    }
  });

  it('is left out by the suggested command together with what was left out before', async () => {
    const { diagnostics } = await prepared(
      { closed: { kind: 'refused', status: 403 } },
      { tracks: { ...THREE, four: 'song' }, selection: { except: ['four'], force: ['two', 'three'] } },
    );
    expect(diagnostics[0]?.hint).toContain(
      ': venice-batch run --except four --except one --except three --force two --sandbox',
    );
  });

  it('stops nothing else, but a refused account or a wrong request does', async () => {
    const closed = { kind: 'refused', status: 403 } as const;
    const cases = [
      [{ status: 401 }, 4],
      [{ status: 403, message: 'API access is disabled for this account' }, 4],
      [{ status: 400 }, 3],
      [{ status: 503 }, 12],
    ] as const;
    for (const [refused, exitCode] of cases) {
      const { refusal } = await prepared(
        { closed, song: { kind: 'refused', ...refused } },
        { tracks: THREE },
      );
      expect(refusal).toBe(exitCode);
    }
  });

  it('leaves nothing to buy if there is no other', async () => {
    const refused = { kind: 'refused', status: 403 } as const;
    const { plan, refusal, diagnostics } = await prepared(
      { closed: refused, song: refused },
      { tracks: THREE },
    );
    expect([plan.purchases, refusal]).toEqual([[], 4]);
    expect(diagnostics).toContainEqual(
      expect.objectContaining({
        code: 'model-refused',
        severity: 'error',
        message: 'this key may use none of the models in this batch, closed and song (HTTP 403): Refused',
      }),
    );
  });
});

describe('a take whose job was lost or failed without a clear reason', () => {
  const asking = (state: Attempt['state'], reason: NonNullable<Attempt['reason']>, answer: unknown) => {
    const retrieve = vi.fn(async () => answer) as unknown as Retrieving;
    const { digest } = makeTake({ track: 'opening', request: { model: 'song' } });
    const earlier = attempt({ track: 'opening', model: 'song', digest, state, reason, queue_id: 'q-1' });
    const selection = { retryFailed: true, force: [] };
    return { retrieve, plan: () => prepared({}, { attempts: [earlier], retrieve, selection }) };
  };
  const running = { ok: true, value: { kind: 'running' }, rate: {} };
  const gone = { ok: false, kind: 'refused', sent: true, status: 404, code: 'http-404', rate: {} };
  const unknown = { ...gone, message: 'Media could not be found' };
  const LOST = { code: 'not_found', status: 404 };
  const FAILED = { code: 'http-500', status: 500 };

  it.each([
    ['lost', LOST],
    ['failed', FAILED],
  ] as const)('is not bought again if the service has it after all: %s', async (state, reason) => {
    const { plan } = asking(state, reason, running);
    const { plan: made, diagnostics, refusal } = await plan();
    expect([made.purchases, refusal]).toEqual([[], 3]);
    expect(diagnostics).toMatchObject([
      {
        code: 'job-found',
        message: `the service has the job of opening after all, which was recorded as ${state}: nothing is bought`,
        hint: expect.stringMatching(
          /^collect it at no cost: venice-batch resolve \w{8} --queue-id q-1 --sandbox$/,
        ),
      },
    ]);
  });

  it('is bought again if the service still does not have it', async () => {
    const { plan, retrieve } = asking('lost', LOST, unknown);
    expect((await plan()).plan.purchases).toHaveLength(1);
    expect(retrieve).toHaveBeenCalledTimes(1);
  });

  it('is asked for slowly if there are many, because too many errors block the key', async () => {
    const asked: number[] = [];
    const tracks = Array.from({ length: 20 }, (_, at) => `track-${at}`);
    const attempts = tracks.map((track, at) => {
      const { digest } = makeTake({ track, request: { model: 'song' } });
      const id = at.toString(16).padStart(32, '0');
      return attempt({
        attempt: id,
        track,
        model: 'song',
        digest,
        state: 'lost',
        reason: LOST,
        queue_id: `q-${at}`,
      });
    });
    const retrieve = (async (_model: string, _id: string, nowMs: number) => {
      asked.push(nowMs);
      return unknown;
    }) as unknown as Retrieving;
    await prepared(
      {},
      {
        attempts,
        retrieve,
        tracks: Object.fromEntries(tracks.map((track) => [track, 'song'])),
        selection: { retryFailed: true, force: [] },
      },
    );
    expect(asked).toHaveLength(20);
    for (const since of asked)
      expect(asked.filter((ms) => ms >= since && ms < since + 30_000).length).toBeLessThan(16);
  });

  it.each([
    ['the failure has a clear reason', 'failed', { code: 'http-422', status: 422 }],
    ['the user gave it up', 'lost', { code: 'resolved_charged' }],
  ] as const)('is not asked for if %s', async (_, state, reason) => {
    const { plan, retrieve } = asking(state, reason, running);
    expect((await plan()).plan.purchases).toHaveLength(1);
    expect(retrieve).not.toHaveBeenCalled();
  });
});
