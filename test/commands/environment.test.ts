import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import fc from 'fast-check';
import { afterAll, describe, expect, it } from 'vitest';
import { BatchError } from '../../src/core/errors.js';
import { systemFiles } from '../../src/node/files.js';
import { type Flags, resolveSettings } from '../../src/session/settings.js';

const cwd = mkdtempSync(path.join(os.tmpdir(), 'venice-batch-'));
afterAll(() => rmSync(cwd, { recursive: true, force: true }));

const UTF16_MARK = [0xff, 0xfe];
type Env = Readonly<Record<string, string>>;

async function settingsOf(content: string | Uint8Array | undefined, env: Env = {}, flags: Flags = {}) {
  if (content !== undefined) writeFileSync(path.join(cwd, 'limits.env'), content);
  const envFile = content === undefined ? {} : { envFile: 'limits.env' };
  return resolveSettings('album.yaml', { ...flags, ...envFile }, { cwd, env, files: systemFiles });
}

async function refusal(...given: Parameters<typeof settingsOf>): Promise<BatchError> {
  const error = await settingsOf(...given).then(
    (settings) => `accepted with the budget ${settings.budgetMicroUsd?.value}`,
    (thrown: unknown) => thrown,
  );
  expect(error).toBeInstanceOf(BatchError);
  return error as BatchError;
}

describe('a budget in the file of --env-file', () => {
  it.each([
    'VENICE_BATCH_BUDGET=1.00',
    '\ufeffVENICE_BATCH_BUDGET=1.00\n',
    'export VENICE_BATCH_BUDGET="1.00" # at most',
    '# VENICE_BATCH_BUGDET=9\r\n  VENICE_BATCH_BUDGET = 1.00\r\n',
    'VENICE_API_KEY=key\rVENICE_BATCH_BUDGET=1.00\r',
    'NOTE="over\ntwo lines"\nVENICE_BATCH_BUDGET=1',
    'NOTE=see VENICE_BATCH_BUDGET\nexport OTHER = "venice batch budget"\nVENICE_BATCH_BUDGET=1',
    '# VENICE_BATCH_BUDGET -> 9\nINPUT_VENICE_BATCH_BUDGET=9\nVENICE_BATCH_BUDGET=1',
    `A=1${' '.repeat(200_000)}b\nX=${'x'.repeat(200_000)}!\n# # ${' #'.repeat(50_000)}\u2028\nVENICE_BATCH_BUDGET=1`,
    'ENGINE_API_KEY=x\nVENICE_API_KEY_2=y\nVENICE_MODEL=z\nBUDGET=9\nVENICE_BATCH_BUDGET=1',
  ])('is read from %j', async (text) => {
    const { budgetMicroUsd } = await settingsOf(text);
    expect(budgetMicroUsd).toEqual({ value: 1_000_000, origin: 'env-file' });
  });

  it.each([
    ['venice_batch_budget=1.25', 'write: VENICE_BATCH_BUDGET=1.25'],
    ['VENICE_BATCH_BUGDET=1.25', 'write: VENICE_BATCH_BUDGET=1.25'],
    ['VENIC_BATCH_BUDGET=1.25', 'write: VENICE_BATCH_BUDGET=1.25'],
    ['VENICE-BATCH-BUDGET=1.25', 'write: VENICE_BATCH_BUDGET=1.25'],
    ['VENICE_BUDGET=1.25', 'write: VENICE_BATCH_BUDGET=1.25'],
    ['VENICE_BATCH_LIMIT=1.25', 'write: VENICE_BATCH_BUDGET=1.25'],
    ['VENICE_BATCH_CONCURENCY=2', 'write: VENICE_BATCH_CONCURRENCY=2'],
    ['VENICE_BASE_URI=http://localhost:1/?key=1', 'write it as: VENICE_BASE_URL=…'],
    ['VENICE_BATCH_BUDGET: 1.25', 'write: VENICE_BATCH_BUDGET=1.25'],
    ['VENICE_BATCH_BUDGET 1.25', 'write: VENICE_BATCH_BUDGET=1.25'],
    ['VENICE_BATCH_BUDGET', 'write it as: VENICE_BATCH_BUDGET=…'],
    ['$env:VENICE_BATCH_BUDGET="1.25"', 'write: VENICE_BATCH_BUDGET=1.25'],
    ['set VENICE_BATCH_BUDGET=1.25', 'write: VENICE_BATCH_BUDGET=1.25'],
    ['\u00a0VENICE_BATCH_BUDGET=1.25', 'write: VENICE_BATCH_BUDGET=1.25'],
    ['VENICE_BATCH_BUDGET+=1.25', 'write: VENICE_BATCH_BUDGET=1.25'],
    ['VENICE_BATCH_BUDGET ?= 1.25', 'write: VENICE_BATCH_BUDGET=1.25'],
    ['VENICE_BATCH_BUDGET\uff1d1.25', 'write: VENICE_BATCH_BUDGET=1.25'],
    ['VENICE_\u200bBATCH_BUDGET=1.25', 'write: VENICE_BATCH_BUDGET=1.25'],
    ['\uff36\uff25\uff2e\uff29\uff23\uff25_BATCH_BUDGET=1.25', 'write: VENICE_BATCH_BUDGET=1.25'],
    ['VENICE_BATCH_BUDGET -> 1.25', 'write: VENICE_BATCH_BUDGET=1.25'],
    ['VENICE BATCH BUDGET=1.25', 'write: VENICE_BATCH_BUDGET=1.25'],
    ['Venice batch budget: $1.25', 'write: VENICE_BATCH_BUDGET=1.25'],
    ['VENICE\u2013BATCH\u2013BUDGET=1.25', 'write: VENICE_BATCH_BUDGET=1.25'],
    ['the VENICE_BATCH_BUDGET is 1.25', 'write it as: VENICE_BATCH_BUDGET=…'],
    ['- VENICE_BATCH_CONCURRENCY -> 4', 'write: VENICE_BATCH_CONCURRENCY=4'],
    ['VENICE_API_KEY -> key', 'write it as: VENICE_API_KEY=…'],
    ['A="\nVENICE_BATCH_BUDGET=1.25\nB="', 'write: VENICE_BATCH_BUDGET=1.25'],
    ['VENICE_API_KEY=a VENICE_BATCH_BUDGET=1.25', 'write: VENICE_BATCH_BUDGET=1.25'],
    ['VENICE_BATCH_BUDGET=1.25\nVENICE_BATCH_BUDGET=', 'keep one of the two lines'],
    ['VENICE_BATCH_BUDGET=', 'give an amount in US dollars, or remove VENICE_BATCH_BUDGET'],
    ['VENICE_BATCH_BUDGET=$1.25', 'write it as VENICE_BATCH_BUDGET=1.25'],
    ['VENICE_BATCH_BUDGET=1,25 USD', 'write it as VENICE_BATCH_BUDGET=1.25'],
    ['{"VENICE_BATCH_BUDGET": 1.25}', 'write: VENICE_BATCH_BUDGET=1.25'],
    [Buffer.from('VENICE_BATCH_BUDGET=1.25', 'utf16le'), 'save it with the encoding UTF-8'],
    [
      Buffer.from([...UTF16_MARK, ...Buffer.from('VENICE_BATCH_BUDGET=1.25', 'utf16le')]),
      'save it with the encoding UTF-8',
    ],
  ])('that cannot be read from %j is an error', async (content, hint) => {
    const error = await refusal(content);
    expect(error).toMatchObject({ code: 'usage', exitCode: 2 });
    expect(error.hint).toMatch(hint);
  });

  it.each([
    ['VENICE\\_BATCH\\_BUDGET=1.25', 'a backslash in column 7'],
    ['  VENICE\\_BATCH\\_BUDGET -> 1.25', 'a backslash in column 9'],
    ['export VENICE\u00ad_BA\u00adTCH_BUDGET=1.25', 'the character U+00AD in column 14'],
    ['VENICE_BA\u2060TCH_BUDGET=1.25', 'the character U+2060 in column 10'],
    ['VENICE_BATCH\uff3fBUDGET=1.25', 'the character U+FF3F in column 13'],
    ['NOTE=\u00fc\u00a8\u00a8 VENICE_BATCH_BU\u0308DGET=1.25 # \\', 'the character U+0308 in column 25'],
    ['VENICE_BATCH_BUDGET=9\nVENICE\\_BATCH\\_BUDGET=1.25', 'a backslash in column 7'],
  ])('that looks set in %j but is not is an error', async (content, where) => {
    const error = await refusal(content);
    expect(error).toMatchObject({ code: 'usage', exitCode: 2, hint: 'write: VENICE_BATCH_BUDGET=1.25' });
    expect(error.message).toContain(`VENICE_BATCH_BUDGET is written with ${where}`);
  });

  it('is read beside odd characters that are not in a name', async () => {
    const text = `A=C:\\b\\c\nB="\u00e4\u00ad"\nNOTE=see VENICE\\_BATCH\\_BUDGET\n# VENICE\\_BATCH\\_BUDGET=9\nX=${'\u00a8\\'.repeat(100_000)}\nVENICE_BATCH_BUDGET=1`;
    const { budgetMicroUsd } = await settingsOf(text);
    expect(budgetMicroUsd).toEqual({ value: 1_000_000, origin: 'env-file' });
  });

  it.each([
    'export VENICE_BATCH_BUDGET',
    ' export VENICE_BATCH_BUDGET HOME',
    'export VENICE_BATCH_BUDGET # for shells',
  ])('that %j passes on to a shell is set', async (line) => {
    const { budgetMicroUsd } = await settingsOf(`HOME=/home/a\nVENICE_BATCH_BUDGET=1\n${line}\n`);
    expect(budgetMicroUsd).toEqual({ value: 1_000_000, origin: 'env-file' });
    expect(await refusal(`export VENICE_BATCH_BUDGET\n`)).toMatchObject({ code: 'usage', exitCode: 2 });
  });

  it('is the lowest one set, even if the environment sets a higher one', async () => {
    const { budgetMicroUsd } = await settingsOf('VENICE_BATCH_BUDGET=1', { VENICE_BATCH_BUDGET: '5' });
    expect(budgetMicroUsd).toEqual({ value: 1_000_000, origin: 'env-file' });
  });

  it('is found whatever precedes it', async () => {
    const line = fc.string({
      unit: fc.constantFrom('A', '=', '"', "'", '`', '#', ' ', '\n', '\r', '\\', '\t', ';'),
    });
    await fc.assert(
      fc.asyncProperty(line, line, async (before, after) => {
        // In a comment it is meant to be off.
        fc.pre(!/#[^\r\n]*$/.test(before));
        // With a prefix it is another variable.
        fc.pre(!/A{3,}$/.test(before));
        const outcome = await settingsOf(`${before}VENICE_BATCH_BUDGET=1\n${after}`).catch((error) => error);
        if (outcome instanceof BatchError) expect(outcome.exitCode).toBe(2);
        else expect(outcome.budgetMicroUsd).toEqual({ value: 1_000_000, origin: 'env-file' });
      }),
    );
  });

  it('names the line, and never the value of a key', async () => {
    const error = await refusal('# first\nVENICE_API_KEY: secret-value\n');
    expect(error.message).toContain('line 2 of limits.env');
    expect(error.message + error.hint).not.toContain('secret-value');
  });
});

describe('a budget in the environment', () => {
  it.each<[Env, RegExp]>([
    [{ VENICE_BATCH_BUDGET: '' }, /remove VENICE_BATCH_BUDGET/],
    [{ VENICE_BATCH_BUDGET: '5 USD' }, /VENICE_BATCH_BUDGET=5$/],
    [{ VENICE_BATCH_BUGDET: '1' }, /VENICE_BATCH_BUDGET/],
    [{ venice_batch_budget: '1' }, /VENICE_BATCH_BUDGET/],
    [{ 'VENICE\\_BATCH\\_BUDGET': '1' }, /VENICE_BATCH_BUDGET/],
    [{ 'V\u00adE\u00adN\u00adICE_BATCH_BUDGET': '1' }, /VENICE_BATCH_BUDGET/],
    [{ '\uff36\uff25\uff2e\uff29\uff23\uff25_BATCH_BUDGET': '1' }, /VENICE_BATCH_BUDGET/],
  ])('%j is an error', async (env, hint) => {
    const error = await refusal(undefined, env);
    expect(error).toMatchObject({ code: 'usage', exitCode: 2 });
    expect(error.hint).toMatch(hint);
  });

  it.each<Env>([
    { VENICE_API_KEY_2: 'x' },
    { ENGINE_API_KEY: 'x' },
    { VENICE_MODEL: 'x' },
    { BUDGET: '1' },
    { INPUT_VENICE_BATCH_BUDGET: '1' },
  ])('is not read from %j', async (env) => {
    expect((await settingsOf(undefined, env)).budgetMicroUsd).toBeUndefined();
  });
});

describe('a flag with an invalid number', () => {
  it.each<[Flags, string]>([
    [{ budget: '20 USD' }, 'write it as --budget 20'],
    [{ budget: '$1,234.50' }, 'write it as --budget 1234.50'],
    [{ budget: 'five' }, 'give US dollars in digits, with a point before the cents'],
    [{ budget: '2000000' }, 'write it as --budget 1000000'],
    [{ budget: '0.0000000000001' }, 'give US dollars in digits, with a point before the cents'],
    [{ budget: '-5' }, 'give US dollars in digits, with a point before the cents'],
    [{ concurrency: '2.5' }, 'write it as --concurrency 3'],
    [{ concurrency: '100' }, 'write it as --concurrency 64'],
    [{ concurrency: '0.4' }, 'write it as --concurrency 1'],
    [{ timeout: '10min' }, 'write it as --timeout 10'],
    [{ timeout: 'soon' }, 'give a number from 0.001 to 10080'],
  ])('%j: %s', async (flags, hint) => {
    expect((await refusal(undefined, {}, flags)).hint).toBe(hint);
  });
});
