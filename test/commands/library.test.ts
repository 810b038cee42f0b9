import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import ts from 'typescript';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { apply, plan, run, status } from '../../src/index.js';
import { callFor, inOptions } from '../../src/library/wording.js';

describe('the library', () => {
  let cwd = '';
  beforeAll(() => {
    cwd = mkdtempSync(path.join(os.tmpdir(), 'venice-batch-'));
    const track = (id: string) =>
      `  - { id: ${id}, model: elevenlabs-sound-effects-v2, prompt: A door falls shut }\n`;
    writeFileSync(path.join(cwd, 'album.yaml'), `version: 1\ntracks:\n${track('one')}${track('two')}`);
  });
  afterAll(() => rmSync(cwd, { recursive: true, force: true }));

  it.each([
    ['everything without a selection', {}, ['one', 'two']],
    ['the selected tracks', { only: ['two'] }, ['two']],
    ['nothing for an empty selection', { only: [] }, []],
    ['everything if nothing is excluded', { except: [], force: [] }, ['one', 'two']],
  ])('plans to buy %s', async (_, selection, keys) => {
    const { prepared } = await plan({
      manifest: path.join(cwd, 'album.yaml'),
      sandbox: true,
      ...selection,
    });
    expect(prepared?.plan.purchases.map(({ take }) => take.key)).toEqual(keys);
  });

  const album = (): string => path.join(cwd, 'album.yaml');

  it('leaves no listener on the streams of its host, which hears about a closed pipe', async () => {
    const count = () => [process.stdout, process.stderr].map((stream) => stream.listenerCount('error'));
    const before = count();
    await plan({ manifest: album(), sandbox: true });
    await status({ manifest: album(), sandbox: true });
    expect(count()).toEqual(before);
  });

  it('accepts undefined for every option', async () => {
    const options = {
      manifest: album(),
      sandbox: true,
      signal: undefined,
      only: undefined,
      budgetUsd: undefined,
    };
    const report = await run({ ...options, approve: undefined, onEvent: undefined, outDir: undefined });
    expect(report.takes.map(({ key, state }) => [key, state])).toEqual([
      ['one', 'not_bought'],
      ['two', 'not_bought'],
    ]);
  });

  it.each([
    [{ concurrency: 0.5 }, '`concurrency` is not a whole number from 1 to 64: 0.5'],
    [{ budgetUsd: -1 }, '`budgetUsd` is not an amount above 0: -1'],
    [{ baseUrl: 'https://x.test' }, '`sandbox` and `baseUrl` cannot be combined'],
    [{ budgetUSD: 1 }, '`budgetUSD` is not an option'],
    [{ only: 'one' as unknown as string[] }, '`only` must be an array of strings'],
    [{ state: 7 as unknown as string }, '`state` must be a string'],
  ])('refuses %j with a message about its options', async (options, message) => {
    await expect(plan({ manifest: album(), sandbox: true, ...options })).rejects.toMatchObject({
      code: 'usage',
      message,
    });
  });

  it('leaves paths as they are', async () => {
    const manifest = path.join(cwd, 'my--only.yaml');
    await expect(run({ manifest, sandbox: true })).rejects.toMatchObject({
      message: expect.stringContaining('my--only.yaml'),
    });
  });

  it('suggests options, not flags', async () => {
    const { prepared } = await plan({ manifest: album(), sandbox: true, only: ['thre'] });
    const reported = JSON.stringify(prepared?.diagnostics);
    expect(reported).toContain('only');
    expect(reported).not.toMatch(/--[a-z]/);
    const { saved } = await plan({ manifest: album(), sandbox: true, only: ['one'] });
    const stale = await apply({
      manifest: album(),
      sandbox: true,
      plan: { ...saved!, manifest_sha256: '0'.repeat(64) },
    });
    expect(stale.exitCode).toBeGreaterThan(0);
    expect(stale.diagnostics).toMatchObject([{ code: 'plan-stale' }]);
    expect(JSON.stringify(stale.diagnostics)).not.toMatch(/--[a-z]/);
  });

  it.each([
    ['file:///does/not/exist', 'state-missing'],
    ['', 'usage'],
  ])('uses the shared log that VENICE_BATCH_STATE names: "%s"', async (address, code) => {
    vi.stubEnv('VENICE_BATCH_STATE', address);
    try {
      const options = { manifest: album(), baseUrl: 'http://127.0.0.1:9', apiKey: 'x', budgetUsd: 1 };
      await expect(run({ ...options, approve: () => true })).rejects.toMatchObject({ code });
      const { takes } = await run({ manifest: album(), sandbox: true });
      expect(takes).toHaveLength(2);
    } finally {
      vi.unstubAllEnvs();
    }
  });

  it('uses the shared log that `state` names, in other folders too', async () => {
    const log = mkdtempSync(path.join(os.tmpdir(), 'venice-batch-log-'));
    const options = { manifest: album(), sandbox: true, state: pathToFileURL(log).href, keep: true };
    const place = (name: string) => ({ lockfile: path.join(log, name, 'a.lock.jsonl'), outDir: log });
    const first = await run({ ...options, ...place('first'), approve: () => true });
    expect(first.summary.made).toBe(2);
    const { prepared } = await plan({ ...options, ...place('second') });
    expect(prepared?.plan.purchases).toEqual([]);
    const gone = run({ ...options, state: 'file:///does/not/exist' });
    await expect(gone).rejects.toMatchObject({ code: 'state-missing' });
    rmSync(log, { recursive: true });
  });

  it('names the first fault of a picks file that cannot be read, and prints nothing', async () => {
    const folder = path.join(cwd, 'album.sandbox');
    mkdirSync(folder, { recursive: true });
    const picks = path.join(folder, 'album.picks.yaml');
    writeFileSync(picks, 'one: [\n');
    try {
      await expect(plan({ manifest: album(), sandbox: true, onlyUnpicked: true })).rejects.toMatchObject({
        message: expect.stringMatching(/album\.picks\.yaml:\d+:\d+: /),
        exitCode: 3,
      });
    } finally {
      rmSync(picks);
    }
  });
});

describe('the wording of the library', () => {
  it.each([
    ['or buy less with --only', 'or buy less with `only`'],
    ['raise --budget (VENICE_BATCH_BUDGET) to $5.00', 'raise `budgetUsd` (VENICE_BATCH_BUDGET) to $5.00'],
    ['use --sandbox to try it without a key', 'use `sandbox: true` to try it without a key'],
    ['a higher number, such as --more 4', 'a higher number, such as `more: 4`'],
    ["with this manifest: --lockfile 'a b.jsonl';", "with this manifest: `lockfile: 'a b.jsonl'`;"],
    ['--lockfile /a/b.jsonl --out-dir /a, or', "`lockfile: '/a/b.jsonl'` `outDir: '/a'`, or"],
    ['If it was made with `--out-dir`, pass', 'If it was made with `outDir`, pass'],
    ['save a new plan with `plan --out`, and', 'save a new plan with `plan()`, and'],
    ['in --state, VENICE_BATCH_STATE or the manifest', 'in `state`, VENICE_BATCH_STATE or the manifest'],
    ['venice-batch unlock a.yaml --force', 'venice-batch unlock a.yaml --force'],
    ['my--only.yaml is not there', 'my--only.yaml is not there'],
  ])('%s', (text, worded) => {
    expect(inOptions(text)).toBe(worded);
  });

  const call = callFor('a.yaml', { sandbox: true });

  it.each([
    [['collect'], "collect({ manifest: 'a.yaml', sandbox: true })"],
    [
      ['run', '--yes', '--budget', '2.07', '--accept-price', '--retry-failed'],
      "run({ manifest: 'a.yaml', sandbox: true, approve: () => true, budgetUsd: 2.07, acceptPrice: true, retryFailed: true })",
    ],
    [
      ['run', '--force', 'a#2', '--force', 'b'],
      "run({ manifest: 'a.yaml', sandbox: true, force: ['a#2', 'b'] })",
    ],
    [
      ['resolve', '1a2b', '--queue-id', 'q'],
      "resolve({ manifest: 'a.yaml', sandbox: true, attempt: '1a2b', outcome: { kind: 'queue_id', queueId: 'q' } })",
    ],
    [
      ['resolve', '1a2b', '--not-charged'],
      "resolve({ manifest: 'a.yaml', sandbox: true, attempt: '1a2b', outcome: { kind: 'not_charged' } })",
    ],
    [['lock repair'], 'venice-batch lock repair a.yaml --sandbox'],
    [
      ['status', '--state', 'git:origin'],
      "status({ manifest: 'a.yaml', sandbox: true, state: 'git:origin' })",
    ],
    [['run', '--sandbox', '--yes'], "run({ manifest: 'a.yaml', sandbox: true, approve: () => true })"],
    [['status', '--events', 'ndjson'], 'venice-batch status a.yaml --events ndjson --sandbox'],
  ])('turns %j into a call if there is one', ([verb = '', ...words], expected) => {
    expect(call(verb, ...words)).toBe(expected);
  });

  it('has an option for every flag that a message of the library can name', () => {
    const unknown = messagesWithFlags().flatMap(([file, text]) =>
      /(?<![\w-])--[a-z]/.test(inOptions(text).replace(/venice-batch [^;,]*/g, '')) ? `${file}: ${text}` : [],
    );
    expect(unknown).toEqual([]);
  });
});

/** Files that read flags, or call git. */
const OF_THE_COMMAND_LINE =
  /^session\/(settings|output-files|environment|command-line)\.ts$|^shared-log\/git-/;
/** Only a flag sets a timeout; and a flag of another program. */
const ELSEWHERE = /^the --timeout was reached|aws configure export-credentials --format/;

/** Every text with a flag in the files that the library loads. */
function messagesWithFlags(): readonly (readonly [file: string, text: string])[] {
  const src = fileURLToPath(new URL('../../src/', import.meta.url));
  const loaded = new Set<string>();
  const found: [string, string][] = [];
  const load = (file: string): void => {
    if (loaded.has(file) || !existsSync(path.join(src, file))) return;
    loaded.add(file);
    const source = ts.createSourceFile(
      file,
      readFileSync(path.join(src, file), 'utf8'),
      ts.ScriptTarget.Latest,
    );
    const visit = (node: ts.Node): void => {
      if (ts.isImportDeclaration(node) && node.importClause?.isTypeOnly !== true)
        follow(node.moduleSpecifier);
      if (ts.isExportDeclaration(node) && !node.isTypeOnly && node.moduleSpecifier)
        follow(node.moduleSpecifier);
      if (ts.isCallExpression(node) && node.expression.kind === ts.SyntaxKind.ImportKeyword)
        follow(node.arguments[0]!);
      // A flag alone is a word of a command, which `callFor` turns into a call or leaves as it is.
      const text = textOf(node);
      if (text !== undefined && / /.test(text) && /--[a-z]/.test(text)) found.push([file, text]);
      ts.forEachChild(node, visit);
    };
    const follow = (specifier: ts.Node): void => {
      if (!ts.isStringLiteral(specifier) || !specifier.text.startsWith('.')) return;
      load(path.join(path.dirname(file), specifier.text.replace(/\.js$/, '.ts')));
    };
    visit(source);
  };
  load('index.ts');
  return found.filter(([file, text]) => !OF_THE_COMMAND_LINE.test(file) && !ELSEWHERE.test(text));
}

/** The text of a string or template, with a number in place of each expression. */
function textOf(node: ts.Node): string | undefined {
  if (ts.isStringLiteralLike(node)) return node.text;
  if (!ts.isTemplateExpression(node)) return undefined;
  return node.head.text + node.templateSpans.map(({ literal }) => `1${literal.text}`).join('');
}
