import { describe, expect, it } from 'vitest';
import type { Transport } from '../../src/core/ports.js';
import { createRedactor, redactIn } from '../../src/core/redact.js';
import { parseLock } from '../../src/lockfile/lock-text.js';
import { createClient } from '../../src/venice/create-client.js';
import { classifySubmit } from '../../src/venice/submit-outcome.js';

const KEY = 'sk-secret-0123456789abcdef';
const DEPTH = 20_000;
/** JSON that any parser accepts, and that no recursive function survives. */
const nested = (core = '') => `${'['.repeat(DEPTH)}${core}${']'.repeat(DEPTH)}`;

function clientFor(status: number, body: string) {
  const transport: Transport = async () => ({
    kind: 'answer',
    status,
    headers: { 'content-type': 'application/json' },
    body: (async function* () {
      yield new TextEncoder().encode(body);
    })(),
    framed: true,
    discard: () => {},
  });
  return createClient(transport, createRedactor([KEY]));
}

const submit = (status: number, body: string) => clientFor(status, body).queue({ model: 'm', prompt: 'p' });

describe('a response that is nested very deep', () => {
  it('still names the job that was paid', async () => {
    const result = await submit(200, `{"model":"m","queue_id":"q-1","extra":${nested()}}`);
    expect(result).toMatchObject({ ok: true, value: { queueId: 'q-1' } });
  });

  it('still says that nothing was charged', async () => {
    const result = await submit(400, `{"error":${nested()}}`);
    expect(classifySubmit(result)).toMatchObject({ kind: 'refused' });
  });

  it('leaves the job in doubt if a queue id is hidden in it', async () => {
    const result = await submit(400, `{"error":${nested('{"queue_id":"q-1"}')}}`);
    expect(classifySubmit(result)).toMatchObject({ kind: 'in_doubt' });
  });

  it.each([200, 400, 402, 500])(
    'is read by every route without a throw, with the status %i',
    async (status) => {
      const bodies = [nested(), `{"error":${nested()}}`, `{"data":${nested()},"details":${nested()}}`];
      for (const body of bodies) {
        const client = clientFor(status, body);
        const calls = [
          client.quote({ model: 'm' }),
          client.queue({ model: 'm', prompt: 'p' }),
          client.retrieve('m', 'q'),
          client.complete('m', 'q'),
          client.balance(),
          client.accountBalance(),
        ];
        expect((await Promise.all(calls)).filter(({ ok }) => ok)).toEqual([]);
        await expect(client.usageHistory(0, 1, 10)).resolves.toBeDefined();
        await expect(client.models()).resolves.toBeDefined();
        await expect(client.rateLimits()).resolves.toBeDefined();
      }
    },
  );
});

describe('redacting', () => {
  it('reaches the deepest text', () => {
    let value: unknown = redactIn(JSON.parse(nested(`{"${KEY}":"${KEY}"}`)), createRedactor([KEY]));
    while (Array.isArray(value)) [value] = value;
    expect(value).toEqual({ '[redacted]': '[redacted]' });
  });

  it('changes maps, and values that occur twice', () => {
    const shared = { note: KEY };
    const value = { both: [shared, shared], map: new Map([[KEY, shared]]) };
    const clean = { note: '[redacted]' };
    expect(redactIn(value, createRedactor([KEY]))).toEqual({
      both: [clean, clean],
      map: new Map([['[redacted]', clean]]),
    });
  });
});

describe('a line of a lockfile that is nested very deep', () => {
  const deep = `${'['.repeat(20_000)}${']'.repeat(20_000)}`;

  it.each([
    `{"extra":${deep}}`,
    `{"extra":${deep},"sum":"00000000"}`,
    `{"format":"venice-batch-lock","extra":${deep},"sum":"00000000"}`,
    `{"end":${deep},"sum":"00000000"}`,
  ])('is a problem of the file, not a crash', (line) => {
    expect(parseLock(`${line}\n`).problems).not.toEqual([]);
  });
});
