import { expect, it } from 'vitest';
import { type PrepareInput, prepare } from '../../src/app/price-plan.js';
import type { Ports } from '../../src/core/ports.js';
import type { CallFailure } from '../../src/venice/client.js';
import { createMemoryDisk } from '../fakes/memory-files.js';
import { catalogueOf, makeModel, makeTake, NOW_MS } from '../plan/builders.js';

/** A plan for one take whose price the service refuses. */
async function planned(failure: Pick<CallFailure, 'kind' | 'status'>) {
  const { files } = createMemoryDisk({ '/album/album.yaml': '' });
  let nowMs = NOW_MS;
  const clock = {
    nowMs: () => nowMs,
    sleep: async (ms: number) => {
      nowMs += ms;
    },
  };
  const quote = { ok: false, sent: true, code: 'no', message: 'Refused', rate: {}, ...failure };
  const { plan, diagnostics, refusal } = await prepare({
    ports: { files, clock } as unknown as Ports,
    client: {
      models: async () => ({ ok: true, value: catalogueOf(makeModel()), rate: {} }),
      quote: async () => quote,
    } as unknown as PrepareInput['client'],
    manifest: { path: '/album/album.yaml', directory: '/album', takes: [makeTake()] },
    attempts: [],
    output: { root: '/album', files },
    selection: { retryFailed: false, force: [] },
    command: (verb) => `venice-batch ${verb} --sandbox`,
  });
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
