import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import fc from 'fast-check';
import { afterAll, describe, expect, it } from 'vitest';
import { normaliseText } from '../../src/manifest/request.js';
import type { Take } from '../../src/manifest/take.js';
import { createRecorder } from '../../src/report/outcome.js';
import { type Suggestions, suggestPrompts } from '../../src/report/suggestions.js';
import { suggestionLines } from '../../src/report/suggestions-text.js';
import { renderSummary } from '../../src/report/summary.js';
import { load, takesOf } from '../manifest/check.js';
import { HOSTILE, summaryEvent, takeEvent, versionEvent } from './builders.js';

const folder = mkdtempSync(path.join(tmpdir(), 'venice-batch-suggestions-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

type Suggested = Readonly<Record<string, string>>;

async function suggest(text: string, suggested: Suggested, name = 'album.yaml'): Promise<Suggestions> {
  const failures = Object.entries(suggested).map(([key, prompt]) =>
    takeEvent(key, 'rejected', { track: key.split('#')[0]!, status: 422, suggested_prompt: prompt }),
  );
  return suggestPrompts(failures, { takes: await takesOf(text), text, name });
}

/** What `git apply` makes of the manifest. Throws what it says where it refuses. */
function applied(text: string, patch: string, name = 'album.yaml', cwd = folder): string {
  const file = path.join(cwd, name);
  mkdirSync(path.dirname(file), { recursive: true });
  writeFileSync(file, text);
  execFileSync('git', ['-c', 'core.autocrlf=false', 'apply', '-'], { cwd, input: patch, stdio: 'pipe' });
  return readFileSync(file, 'utf8');
}

/** What of a take a patch may not change, and its prompt. */
function essence({ key, title, request, stem }: Take) {
  const { prompt, ...others } = request;
  return { key, title, stem, others, prompt };
}

/** Applies the patch and holds every take against what it was: only the prompts of `patched` are new. */
async function expectTakenOver(text: string, suggested: Suggested): Promise<string> {
  const { patch, patched, unpatched } = await suggest(text, suggested);
  expect([...patched, ...unpatched.map(({ track }) => track)].sort()).toEqual(Object.keys(suggested).sort());
  const after = patch === '' ? text : applied(text, patch);
  const wanted = (await takesOf(text)).map((take) => ({
    ...essence(take),
    prompt: patched.includes(take.track) ? normalised(suggested[take.track]!) : take.request.prompt,
  }));
  expect((await takesOf(after)).map(essence)).toEqual(wanted);
  return after;
}

function normalised(text: string): string {
  return normaliseText(text);
}

function albumOf(...tracks: readonly string[]): string {
  return ['version: 1', 'defaults: { model: m }', 'tracks:', ...tracks, ''].join('\n');
}

/** Ways to write the prompt of a track, each with a comment that has to stay. */
const STYLES: readonly ((id: string) => string)[] = [
  (id) => `  - id: ${id}\n    prompt: plain text # keep ${id}`,
  (id) => `  - id: ${id}\n    prompt: plain text that\n      goes on # keep ${id}\n    title: T`,
  (id) => `  - { id: ${id}, prompt: in flow, title: T } # keep ${id}`,
  (id) => `  - { id: ${id}, prompt: in flow\n      over lines , # keep ${id}\n      title: T }`,
  (id) => `  - id: ${id}\n    prompt: 'it''s # quoted' # keep ${id}`,
  (id) => `  - id: ${id}\n    prompt: "quoted\n      over lines\\\n      and on" # keep ${id}`,
  (id) => `  - id: ${id}\n    prompt: > # keep ${id}\n      folded\n      text\n\n    title: T`,
  (id) => `  - prompt: |+\n      literal\n       text\n\n\n    id: ${id} # keep ${id}`,
  (id) => `  - id: ${id}\n    prompt: >2-\n        text\n    # keep ${id}`,
  (id) => `  - id: ${id}\n    prompt:\n      on the next line # keep ${id}`,
  (id) => `  - id: ${id}\n    "prompt":  !!str &own-${id} tagged # keep ${id}`,
  (id) => `  - id: ${id}\n    # keep ${id}\n    ? prompt\n    : | \n      explicit\n    title: T`,
  (id) => `  - id: ${id}\n    title: &title-${id} shared # keep ${id}\n    prompt: *title-${id}`,
  (id) => `  - id: ${id}\n    prompt: |\n      ends in a hard space\n      \u00a0\n    # keep ${id}`,
];

describe('a suggested prompt', () => {
  it.each(STYLES.map((style, index) => [style(`t${index}`)]))('replaces %j', async (track) => {
    const id = /id: (t\d+)/.exec(track)![1]!;
    const text = albumOf('  - id: before\n    prompt: b', track, '  - id: after\n    prompt: a');
    const after = await expectTakenOver(text, { [id]: 'A "calm" piece: # 100% \\ soft\nand slow' });
    expect((await suggest(text, { [id]: 'x' })).unpatched).toEqual([]);
    expect(after).toContain(`# keep ${id}`);
  });

  const words = fc.oneof(
    fc.string({ unit: 'binary', maxLength: 30 }),
    fc.string({
      unit: fc.constantFrom('a', ' ', '\n', '\r', '\t', '"', "'", '\\', '#', ':', '\u2028', '\u0085', '😀'),
    }),
  );
  const suggestion = words.map((text) => `x${text}`);
  const track = fc.record({ style: fc.nat({ max: STYLES.length - 1 }), suggestion: fc.option(suggestion) });

  it('is the only change of the patch in any context', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(track, { minLength: 1, maxLength: 12 }),
        fc.boolean(),
        fc.boolean(),
        async (tracks, crlf, endless) => {
          const lines = albumOf(...tracks.map(({ style }, index) => STYLES[style]!(`t${index}`)));
          const whole = endless ? lines.trimEnd() : lines;
          const text = crlf ? whole.replaceAll('\n', '\r\n') : whole;
          const suggested = Object.fromEntries(
            tracks.flatMap((one, index) => (one.suggestion === null ? [] : [[`t${index}`, one.suggestion]])),
          );
          const after = await expectTakenOver(text, suggested);
          for (const index of tracks.keys()) expect(after).toContain(`# keep t${index}`);
          expect(after.includes('\r\n')).toBe(text.includes('\r\n'));
        },
      ),
      { numRuns: 60 },
    );
  });

  it('contains no control sequences', async () => {
    const { patch } = await suggest(albumOf('  - { id: a, prompt: p }'), {
      a: 'evil \u202e \u200b \u2028 \u{e0001}',
    });
    expect(patch).toContain('"evil \\u202e \\u200b \\u2028 \\U000e0001"');
  });

  it('of the first take is used for a track with several', async () => {
    const text = albumOf('  - { id: a, prompt: p, takes: 2 }');
    const { patch, patched } = await suggest(text, { a: 'first', 'a#2': 'second' });
    expect(patched).toEqual(['a']);
    expect((await takesOf(applied(text, patch))).map(({ request }) => request.prompt)).toEqual([
      'first',
      'first',
    ]);
  });
});

describe('a prompt in defaults', () => {
  const text =
    'version: 1\ndefaults: { model: m, prompt: p }\ntracks:\n  - id: a\n  - id: b\n  - { id: c, prompt: own }\n';

  it('is not changed while another track uses it', async () => {
    const { patch, unpatched } = await suggest(text, { a: 'new' });
    expect(patch).toBe('');
    expect(unpatched).toMatchObject([
      { track: 'a', prompt: 'new', why: expect.stringContaining('other tracks') },
    ]);
  });

  it('is not changed if its tracks got different suggestions', async () => {
    expect((await suggest(text, { a: 'new', b: 'newer' })).unpatched.map(({ track }) => track)).toEqual([
      'a',
      'b',
    ]);
  });

  it('is replaced if all its tracks got the same suggestion', async () => {
    await expectTakenOver(text, { a: 'new', b: 'new' });
    expect((await suggest(text, { a: 'new', b: 'new' })).patched).toEqual(['a', 'b']);
  });
});

describe('a prompt that is not replaced', () => {
  it('may have an anchor that is used elsewhere, where it is replaced', async () => {
    const text = albumOf('  - id: a\n    prompt: &p # why\n      words', '  - { id: b, prompt: *p }');
    await expectTakenOver(text, { a: 'new', b: 'newer' });
    const { patched, unpatched } = await suggest(text, { a: 'new', b: 'newer' });
    expect(patched).toEqual(['b']);
    expect(unpatched.map(({ track }) => track)).toEqual(['a']);
  });

  it('may have a suggestion that no manifest may contain', async () => {
    const text = albumOf('  - { id: a, prompt: p }', '  - { id: b, prompt: p }');
    const { patch, unpatched } = await suggest(text, { a: 'bell \x07', b: 'x'.repeat(100_001) });
    expect(patch).toBe('');
    expect(unpatched.map(({ track }) => track)).toEqual(['a', 'b']);
    for (const { prompt } of unpatched)
      expect(
        (await load(albumOf(`  - { id: a, prompt: ${JSON.stringify(prompt)} }`))).manifest,
      ).toBeUndefined();
  });

  it('may have an empty suggestion, or none', async () => {
    const text = albumOf('  - { id: a, prompt: p }');
    for (const suggested of [{}, { a: ' \n' }, { gone: 'new' }] as Suggested[])
      expect(await suggest(text, suggested)).toEqual({ patch: '', patched: [], unpatched: [] });
  });
});

describe('the patch', () => {
  const text = albumOf('  - { id: a, prompt: p }');

  it.each(['my album.yaml', 'ä "b" \\ c.yaml', 'tab\t.yaml', 'deep/down/album.yaml'])(
    'applies to %j',
    async (name) => {
      const { patch } = await suggest(text, { a: 'new' }, name);
      expect((await takesOf(applied(text, patch, name)))[0]?.request.prompt).toBe('new');
    },
  );

  it('is applied in its folder, even within a repository', async () => {
    const repository = path.join(folder, 'repository');
    mkdirSync(path.join(repository, 'albums'), { recursive: true });
    execFileSync('git', ['init', '-q'], { cwd: repository });
    const { patch } = await suggest(text, { a: 'new' });
    expect(applied(text, patch, 'album.yaml', path.join(repository, 'albums'))).toContain('"new"');
  });

  it('is refused by git after the line was edited', async () => {
    const { patch } = await suggest(text, { a: 'new' });
    expect(() => applied(text.replace('prompt: p', 'prompt: q'), patch)).toThrow(/does not apply/);
  });

  it('has one hunk for prompts that are close together, and several for distant ones', async () => {
    const far = Array.from({ length: 30 }, (_, index) => `  - id: t${index}\n    prompt: p${index}`);
    const { patch } = await suggest(albumOf(...far), { t1: 'x', t3: 'x', t20: 'x' });
    expect(patch.match(/^@@ /gm)).toHaveLength(2);
    await expectTakenOver(albumOf(...far), { t1: 'x', t3: 'x', t20: 'x' });
  });
});

describe('the section of suggestions on the last screen', () => {
  const screen = { apply: 'git apply', color: false, width: 80 };

  it('can be pasted into a shell', async () => {
    const text = albumOf("  - id: a\n    prompt: it's $HOME `x` \\ here # \ttab", '  - { id: b, prompt: p }');
    const lines = suggestionLines(await suggest(text, { a: 'A $(calm) `piano`\nPATCH\n' }), screen);
    const command = lines.slice(lines.findIndex((line) => line.startsWith('git apply'))).join('\n');
    writeFileSync(path.join(folder, 'album.yaml'), text);
    execFileSync('sh', ['-c', command], { cwd: folder });
    const after = await takesOf(readFileSync(path.join(folder, 'album.yaml'), 'utf8'));
    expect(after.map(({ request }) => request.prompt)).toEqual(['A $(calm) `piano`\nPATCH', 'p']);
  });

  it('names the file if one was written', async () => {
    const suggestions = await suggest(albumOf('  - { id: a, prompt: p }'), { a: 'new' });
    const lines = suggestionLines(suggestions, { ...screen, file: 's.patch' });
    expect(lines).toContain('  git apply s.patch');
    expect(lines.join('\n')).not.toContain('PATCH');
  });

  it('shows what could not be patched, without control characters', async () => {
    const text = 'version: 1\ndefaults: { model: m, prompt: p }\ntracks: [{ id: a }, { id: b }]\n';
    const lines = suggestionLines(await suggest(text, { a: HOSTILE }), screen);
    expect(lines.join(' ')).toContain('other tracks use it');
    expect(lines.join('')).toContain('overtype');
    expect(lines.join('')).not.toMatch(/[\p{Cc}\p{Cf}]/u);
  });

  it('is absent if nothing was suggested', () => {
    expect(suggestionLines({ patch: '', patched: [], unpatched: [] }, screen)).toEqual([]);
  });

  it('precedes the next command', () => {
    const recorder = createRecorder();
    for (const event of [versionEvent(), summaryEvent({ next_command: 'venice-batch run album.yaml' })])
      recorder.event(event);
    const shown = renderSummary(recorder.outcome(), {
      color: false,
      width: 80,
      command: (verb) => `venice-batch ${verb} album.yaml`,
      suggestions: ['Suggested'],
    });
    expect(shown).toMatch(/\n\nSuggested\n\nNext\n {2}venice-batch run album\.yaml\n$/);
  });
});
