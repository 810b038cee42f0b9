import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import type { Transport } from '../../src/core/ports.js';
import { createRedactor } from '../../src/core/redact.js';
import type { VeniceClient } from '../../src/venice/client.js';
import { classifyComplete } from '../../src/venice/complete-outcome.js';
import { createClient } from '../../src/venice/create-client.js';
import { classifyRetrieve, refundBasis } from '../../src/venice/retrieve-outcome.js';
import { classifySubmit } from '../../src/venice/submit-outcome.js';

/*
 * Compares the tables of ARCHITECTURE.md with the code: every status with every kind of body has to mean what its row
 * says.
 */

const ARCHITECTURE = readFileSync(new URL('../../ARCHITECTURE.md', import.meta.url), 'utf8');

interface Answer {
  readonly status: number;
  readonly type?: string;
  readonly body: string;
}

/**
 * The first two cells of a row after the response: what becomes of the attempt, job or copy, and of the money if there is
 * such a column.
 */
type Meaning = readonly string[];

const JSON_TYPE = 'application/json';
const error = (more: object = {}): string => JSON.stringify({ error: 'Something went wrong', ...more });

/** In a shape of the API, with a text that adds nothing to the status. */
const OF_THE_API: Readonly<Record<string, Omit<Answer, 'status'>>> = {
  'JSON without a code': { body: error() },
  'JSON with a code': { body: error({ code: 'SOME_CODE' }) },
  'an error object': {
    body: JSON.stringify({ error: { message: 'Something', type: 'some_error', code: null } }),
  },
  'JSON by the name of text': { type: 'text/plain', body: error() },
  'JSON without a type': { type: '', body: error() },
  'an empty text': { body: JSON.stringify({ error: '' }) },
};
/** From the service, or from a gateway in front of it. */
const PLAIN: Readonly<Record<string, Omit<Answer, 'status'>>> = {
  text: { type: 'text/plain', body: 'Something went wrong' },
  'text by the name of JSON': { body: 'Something went wrong' },
  'text in quotes': { body: '"Something went wrong"' },
  nothing: { type: '', body: '' },
  'nothing by the name of JSON': { body: '' },
  'JSON that is no error': { body: '{"message":"Something went wrong"}' },
  'JSON without a text': { body: '{}' },
  'a list': { body: '[]' },
};
const OF_ANOTHER: Readonly<Record<string, Omit<Answer, 'status'>>> = {
  'a page': { type: 'text/html', body: '<html><title>Oh no</title></html>' },
  'a page by the name of text': { type: 'text/plain', body: '<html><title>Oh no</title></html>' },
  'JSON that breaks off': { body: '{"error":"Someth' },
  'text about a job': { type: 'text/plain', body: 'queued as queue_id q-1' },
  'JSON about a job': { body: '{"message":"Queued","job":{"queue_id":"q-1"}}' },
};
const ERRORS = [
  400, 401, 402, 403, 404, 405, 408, 409, 410, 411, 413, 415, 418, 422, 425, 429, 431, 451, 500, 501, 502,
  503, 504, 520, 529, 599,
];
const NO_ERRORS = [200, 201, 202, 204, 301, 302, 304, 307];

function clientThatGets({ status, type = JSON_TYPE, body }: Answer): VeniceClient {
  const transport: Transport = async () => ({
    kind: 'answer',
    status,
    headers: type === '' ? {} : { 'content-type': type },
    body: (async function* () {
      yield new TextEncoder().encode(body);
    })(),
    framed: true,
    discard: () => {},
  });
  return createClient(transport, createRedactor(['key']));
}

async function submitted(answer: Answer): Promise<Meaning> {
  const outcome = classifySubmit(await clientThatGets(answer).queue({ model: 'm', prompt: 'p' }));
  if (outcome.kind === 'accepted') return ['queued', 'charged'];
  if (outcome.kind === 'in_doubt') return ['in doubt', 'unknown'];
  if (outcome.kind === 'not_sent') return ['rejected, for now', 'not charged'];
  return [outcome.next === 'wait' ? 'rejected, for now' : 'rejected', 'not charged'];
}

async function retrieved(answer: Answer): Promise<Meaning> {
  const outcome = classifyRetrieve(await clientThatGets(answer).retrieve('m', 'q'));
  switch (outcome.kind) {
    case 'running':
      return ['running', 'charged'];
    case 'audio':
      return ['done', 'charged'];
    case 'failed':
      return [
        'failed',
        refundBasis(outcome.failure, 0, { nowMs: 0, serviceMs: 0 }) === undefined ? 'charged' : 'refunded',
      ];
    case 'maybe_failed':
      return ['maybe failed', 'charged'];
    case 'unknown_id':
      return ['unknown id', 'charged'];
    default:
      return ['unknown', 'charged'];
  }
}

async function completed(answer: Answer): Promise<Meaning> {
  const outcome = classifyComplete(await clientThatGets(answer).complete('m', 'q'));
  const words = { deleted: 'deleted', not_deleted: 'still there', unknown_id: 'gone' } as const;
  return [outcome.kind in words ? words[outcome.kind as keyof typeof words] : 'unknown'];
}

interface Row {
  /** Each alternative in its first cell. */
  readonly answers: readonly string[];
  readonly meaning: Meaning;
}

function tableOf(heading: string, columns: 1 | 2): readonly Row[] {
  const section = ARCHITECTURE.split(`### ${heading}: `)[1]!.split('\n#')[0]!;
  return section
    .split('\n')
    .filter((line) => line.startsWith('| ') && !line.startsWith('| response'))
    .map((line) => {
      const cells = line.split('|').map((cell) => cell.trim());
      return { answers: cells[1]!.split('; '), meaning: cells.slice(2, 2 + columns) };
    });
}

const STATUSES = /^\d{3}(, \d{3})*/;

/**
 * The row for a status in the API's format: the one that names it unconditionally, otherwise the one for any other
 * status.
 */
function rowFor(rows: readonly Row[], status: number): Row {
  const names = (answer: string) =>
    STATUSES.exec(answer)?.[0].includes(String(status)) === true &&
    /^(, any other.*| other than the ones below)?$/.test(answer.replace(STATUSES, ''));
  return (
    rows.find(({ answers }) => answers.some(names)) ??
    rows.find(({ answers }) => answers.some((answer) => answer.includes('any other')))!
  );
}

/** The row for a status in plain words: its own, or that of the status. */
function rowForPlain(rows: readonly Row[], status: number): Row {
  return rows.find(({ answers }) => answers.includes(`${status} in plain words`)) ?? rowFor(rows, status);
}

/** The row for what is not from the API. */
function rowForAnother(rows: readonly Row[], status: number): Row {
  return (
    rows.find(({ answers }) => answers.includes(`${status} that is not an API response`)) ??
    rows.find(({ answers }) => answers.some((answer) => /(^|, )not an API response/.test(answer)))!
  );
}

const TABLES = [
  ['Submit', tableOf('Submit', 2), submitted],
  ['Retrieve', tableOf('Retrieve', 2), retrieved],
  ['Clean-up', tableOf('Clean-up', 1), completed],
] as const;

describe.each(TABLES)('%s', (_, rows, meaningOf) => {
  it.each(ERRORS)("%i in the API's format means what its row says", async (status) => {
    for (const [name, body] of Object.entries(OF_THE_API))
      expect([name, ...(await meaningOf({ status, ...body }))]).toEqual([
        name,
        ...rowFor(rows, status).meaning,
      ]);
  });

  it.each(ERRORS)('%i in plain words means what its row says', async (status) => {
    for (const [name, body] of Object.entries(PLAIN))
      expect([name, ...(await meaningOf({ status, ...body }))]).toEqual([
        name,
        ...rowForPlain(rows, status).meaning,
      ]);
  });

  it.each([...ERRORS, ...NO_ERRORS])('%i in any other format is not an API response', async (status) => {
    for (const [name, body] of Object.entries({ ...(status < 400 && PLAIN), ...OF_ANOTHER }))
      expect([name, ...(await meaningOf({ status, ...body }))]).toEqual([
        name,
        ...rowForAnother(rows, status).meaning,
      ]);
  });
});

/** Responses that the tables do not distinguish by status alone. */
const SPECIAL: Readonly<Record<string, readonly Answer[]>> = {
  'Submit: 200 with a usable `queue_id`': [
    { status: 200, body: '{"model":"m","queue_id":"q","status":"QUEUED"}' },
  ],
  'Submit: 429, 503 with a `queue_id`': [429, 503].map((status) => ({
    status,
    body: error({ queue_id: 'q' }),
  })),
  'Submit: 503 in plain words that say that the model is offline or at capacity': [
    { status: 503, type: 'text/plain', body: 'The model is at capacity. Please try again later.' },
    { status: 503, body: '{"message":"The model is currently offline"}' },
  ],
  'Submit: 503 that names a gateway or a connection': [
    { status: 503, body: error({ error: 'upstream connect error or disconnect/reset before headers' }) },
  ],
  'Submit: 403 about the account': [
    { status: 403, body: error({ error: 'API access is disabled for this account' }) },
    { status: 403, type: 'text/plain', body: 'Not available in your region' },
  ],
  'Submit: 401 whose text is about the model': [
    { status: 401, body: error({ error: 'This model is for Pro users' }) },
  ],
  'Retrieve: 200 `PROCESSING` or `QUEUED`, with or without times': [
    { status: 200, body: '{"status":"PROCESSING","average_execution_time":20000,"execution_duration":300}' },
    { status: 200, body: '{"status":"QUEUED"}' },
  ],
  'Retrieve: 200 with audio': [{ status: 200, type: 'audio/mpeg', body: 'ID3' }],
  'Retrieve: 200 with bytes that are neither JSON nor text, under any type': [
    { status: 200, type: 'video/mp2t', body: 'G\0' },
    { status: 200, type: 'text/plain', body: 'G\0' },
  ],
  'Retrieve: `COMPLETED` with base64 or a URL': [
    { status: 200, body: '{"status":"COMPLETED","audio":"SUQz","content_type":"audio/mpeg"}' },
  ],
  'Retrieve: 400 `Request ID is invalid.`': [
    { status: 400, body: error({ error: 'Request ID is invalid.' }) },
  ],
  'Retrieve: 400 that lists errors in the request (`issues`, `details`)': [
    { status: 400, body: error({ issues: [{ path: ['model'], message: 'Required' }] }) },
    { status: 400, body: error({ details: { model: { _errors: ['Required'] } } }) },
  ],
  'Retrieve: 400 or 404 that says the model is not, or no longer, offered': [400, 404].map((status) => ({
    status,
    body: error({ error: 'Specified model is not available' }),
  })),
  'Retrieve: 400 in plain words that say that the job failed': [
    { status: 400, type: 'text/plain', body: 'The provider rejected this request' },
    { status: 400, body: '{"message":"Generation failed"}' },
  ],
  'Retrieve: 403 about the account': [
    { status: 403, body: error({ error: 'API access is disabled for this account' }) },
  ],
  'Retrieve: 401 whose text is about the model': [
    { status: 401, body: error({ error: 'No such model for you' }) },
  ],
  'Retrieve: any error with `credits_refunded: true`': ERRORS.map((status) => ({
    status,
    body: error({ credits_refunded: true }),
  })),
  'Clean-up: 200 `success: true`': [{ status: 200, body: '{"success":true}' }],
  'Clean-up: 200 `success: false`': [{ status: 200, body: '{"success":false}' }],
  'Clean-up: 400 `Request ID is invalid.`': [
    { status: 400, body: error({ error: 'Request ID is invalid.' }) },
  ],
};

it.each(Object.entries(SPECIAL))('%s', async (name, answers) => {
  const [heading, ...words] = name.split(': ');
  const [, rows, meaningOf] = TABLES.find(([title]) => title === heading)!;
  const row = rows.find((one) => one.answers.includes(words.join(': ')));
  expect(row, name).toBeDefined();
  for (const answer of answers)
    expect([answer.status, ...(await meaningOf(answer))]).toEqual([answer.status, ...row!.meaning]);
});

it('the cases above are all that the tables name', () => {
  const named = TABLES.flatMap(([title, rows]) =>
    rows.flatMap(({ answers }) => answers.map((answer) => `${title}: ${answer}`)),
  );
  const byStatus =
    /: \d{3}(, \d{3})*(, any other.*| other than the ones below| in plain words| that is not an API response)?$/;
  const byKind =
    /: (no connection: nothing was sent|not an API response, or a 200 without a usable id|any other, not an API response|200 `FAILED`)$/;
  expect(named.filter((name) => !(name in SPECIAL) && !byStatus.test(name) && !byKind.test(name))).toEqual(
    [],
  );
});
