import { randomBytes } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { Ajv } from 'ajv';
import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import type { Files } from '../../src/core/ports.js';
import { editPicks } from '../../src/picks/edit-picks.js';
import { parsePicks } from '../../src/picks/parse-picks.js';
import type { Pick } from '../../src/picks/pick-types.js';
import { readPicks, writePicks } from '../../src/picks/picks-file.js';
import { createMemoryDisk } from '../fakes/memory-files.js';

const A = 'a'.repeat(64);
const B = 'b1'.repeat(32);
const random = { bytes: (count: number) => new Uint8Array(count).fill(7) };

const FILE = `# chosen on Tuesday
version: 1
picks:
  # the short one
  opening:
    sha256: ${A} # the third
    note: better ending
  closing: { sha256: ${B} }
`;

const change = (track: string, pick: Pick | undefined) => new Map([[track, pick]]);

describe('a picks file', () => {
  it('has the pick and the note of each track', () => {
    const { picks, diagnostics } = parsePicks('p.yaml', FILE);
    expect(diagnostics).toEqual([]);
    expect([...picks]).toEqual([
      ['opening', { sha256: A, note: 'better ending' }],
      ['closing', { sha256: B }],
    ]);
  });

  it.each([
    ['nothing', ''],
    ['comments', '# nothing yet\n'],
    ['no picks', 'version: 1\npicks:\n'],
    ['an empty map', 'version: 1\npicks: {}\n'],
  ])('has no picks if there is %s', (_what, text) => {
    expect(parsePicks('p.yaml', text)).toMatchObject({ diagnostics: [], picks: new Map() });
  });

  it.each([
    ['no YAML', 'version: 1\npicks:\n  a: {\n', 'picks-syntax', 4, 1],
    ['a list', '- a\n', 'picks-invalid', 1, 1],
    ['no version', 'picks: {}\n', 'picks-invalid', 1, 1],
    ['another version', 'version: 2\npicks: {}\n', 'picks-invalid', 1, 10],
    ['an unknown field', 'version: 1\npick: {}\n', 'picks-invalid', 2, 1],
    ['a list of picks', 'version: 1\npicks: [a]\n', 'picks-invalid', 2, 8],
    ['a pick without a hash', 'version: 1\npicks:\n  opening: 2\n', 'picks-invalid', 3, 3],
    ['a name that is not an id', `version: 1\npicks:\n  Op ening: { sha256: ${A} }\n`, 'picks-invalid', 3, 3],
    ['a short hash', 'version: 1\npicks:\n  a: { sha256: abc }\n', 'picks-invalid', 3, 16],
    [
      'a note that is a number',
      `version: 1\npicks:\n  a: { sha256: ${A}, note: 4 }\n`,
      'picks-invalid',
      3,
      88,
    ],
    [
      'a track twice',
      `version: 1\npicks:\n  a: { sha256: ${A} }\n  a: { sha256: ${A} }\n`,
      'picks-syntax',
      4,
      3,
    ],
    ['a field twice', `version: 1\npicks:\n  a: { sha256: ${A}, sha256: ${B} }\n`, 'picks-syntax', 3, 82],
    ['far too many values', `version: 1\npicks: [${'a,'.repeat(600_000)}]\n`, 'picks-syntax', 1, 1],
    ['a version twice', 'version: 1\nversion: 1\n', 'picks-syntax', 2, 1],
    ['a list that is nested very deep', `version: 1\npicks: ${'['.repeat(20_000)}\n`, 'picks-syntax', 2, 72],
  ])('reports the place of %s', (_what, text, code, line, column) => {
    const [first] = parsePicks('p.yaml', text).diagnostics;
    expect(first).toMatchObject({ code, severity: 'error', span: { file: 'p.yaml', line, column } });
    expect(first?.hint).toBeTruthy();
  });

  it('has errors that suggest the field that was meant', () => {
    const [first] = parsePicks('p.yaml', `version: 1\npicks:\n  a: { sha265: ${A} }\n`).diagnostics;
    expect(first?.message).toContain('has no `sha256`');
    const [second] = parsePicks(
      'p.yaml',
      `version: 1\npicks:\n  a: { sha256: ${A}, notes: b }\n`,
    ).diagnostics;
    expect(second?.hint).toBe('did you mean `note`?');
  });
});

describe('an edit of picks', () => {
  it('creates a file that says what it is for', () => {
    const text = editPicks(undefined, change('opening', { sha256: A, note: 'yes: this one' }));
    expect(text).toBe(
      `# The chosen take of each track, by the SHA-256 of its file. Written by \`venice-batch pick\` and \`review\`.\nversion: 1\npicks:\n  opening:\n    sha256: ${A}\n    note: "yes: this one"\n`,
    );
  });

  it('keeps comments, order and every other entry', () => {
    const text = editPicks(FILE, change('opening', { sha256: B, note: 'better ending' }));
    expect(text).toBe(FILE.replace(`sha256: ${A} #`, `sha256: ${B} #`));
  });

  it('adds, changes and removes entries', () => {
    const added = editPicks(FILE, change('middle', { sha256: A }));
    expect(added).toBe(`${FILE}  middle:\n    sha256: ${A}\n`);
    const removed = editPicks(FILE, change('closing', undefined));
    expect(removed).toBe(FILE.replace(`  closing: { sha256: ${B} }\n`, ''));
    const noteless = editPicks(FILE, change('opening', { sha256: A }));
    expect(parsePicks('p', noteless).picks.get('opening')).toEqual({ sha256: A });
  });

  it('keeps the comments around what it removes', () => {
    const file = `version: 1
picks:
  # drums
  opening:
    sha256: ${A} # the third
    # from Tuesday
    note: better # than before
  # strings
  closing:
    sha256: ${B}
  # the end
`;
    const other = editPicks(file, change('opening', { sha256: B }));
    for (const comment of ['drums', 'the third', 'from Tuesday', 'than before', 'strings', 'the end'])
      expect(other).toContain(`# ${comment}\n`);
    expect(parsePicks('p', other).picks.get('opening')).toEqual({ sha256: B });
    const cleared = editPicks(editPicks(file, change('opening', undefined)), change('closing', undefined));
    for (const comment of ['drums', 'strings', 'the end']) expect(cleared).toContain(`# ${comment}\n`);
    expect(parsePicks('p', cleared)).toMatchObject({ diagnostics: [], picks: new Map() });
    expect(parsePicks('p', editPicks(cleared, change('closing', { sha256: A }))).picks.size).toBe(1);
    const only = `version: 1\npicks:\n  opening:\n    sha256: ${A}\n  # the end\n`;
    expect(editPicks(only, change('opening', undefined))).toContain('# the end\n');
  });

  it('can remove the last one and go on', () => {
    const one = editPicks(undefined, change('a', { sha256: A }));
    const none = editPicks(one, change('a', undefined));
    expect(parsePicks('p', none)).toMatchObject({ diagnostics: [], picks: new Map() });
    expect(editPicks(none, change('a', { sha256: A }))).toBe(one);
  });

  it('reads back hashes that look like numbers, and notes of any kind', () => {
    const notes = ['1', 'true', '- x', '#', 'a: b', ' x ', 'two\nlines', '"', "'", 'null', '日本', '\u2028'];
    for (const note of notes) {
      const sha256 = '1e'.padEnd(64, '0');
      const text = editPicks(FILE, change('opening', { sha256, note }));
      expect(parsePicks('p', text).picks.get('opening')).toEqual({ sha256, note });
    }
  });

  it('keeps CRLF line ends', () => {
    const crlf = FILE.replaceAll('\n', '\r\n');
    expect(editPicks(crlf, change('opening', { sha256: B, note: 'better ending' }))).toBe(
      FILE.replace(`sha256: ${A} #`, `sha256: ${B} #`).replaceAll('\n', '\r\n'),
    );
  });
});

describe('a picks file on disk', () => {
  it('has no picks if it does not exist', async () => {
    const { files } = createMemoryDisk();
    expect(await readPicks(files, '/a/album.picks.yaml', 'album.picks.yaml')).toEqual({
      ok: true,
      picks: new Map(),
    });
  });

  it('is complete after a crash, as before or as after the edit', async () => {
    for (let seed = 0; seed < 40; seed += 1) {
      const disk = createMemoryDisk({ '/a/album.picks.yaml': FILE });
      disk.intercept(({ index }) => (index === seed ? 'halt' : undefined));
      const pick = change('opening', { sha256: B });
      await Promise.race([writePicks(disk.files, random, '/a/album.picks.yaml', FILE, pick), disk.halted]);
      const text = disk.crash(seed).texts()['/a/album.picks.yaml'];
      expect([FILE, editPicks(FILE, pick)]).toContain(text);
    }
  });

  it('keeps what another program saves while it is written', async () => {
    const { files, texts } = createMemoryDisk();
    const randomly = { bytes: (count: number) => randomBytes(count) };
    const save = (on: Files, id: string) =>
      writePicks(on, randomly, '/a/album.picks.yaml', undefined, change(id, { sha256: A }));
    let others = ['two', 'three'];
    const disturbed: Files = {
      ...files,
      async facts(place) {
        const [next, ...rest] = place.endsWith('.tmp') ? others : [];
        if (next !== undefined) {
          others = rest;
          await save(files, next);
        }
        return files.facts(place);
      },
    };
    await save(files, 'zero');
    await save(disturbed, 'one');
    const { picks } = parsePicks('p', texts()['/a/album.picks.yaml']!);
    expect([...picks.keys()]).toEqual(['zero', 'two', 'three', 'one']);
  });

  it('is given up with an error that says what to do if another program never stops changing it', async () => {
    const { files, texts } = createMemoryDisk();
    const place = '/a/album.picks.yaml';
    const randomly = { bytes: (count: number) => randomBytes(count) };
    let saved = 0;
    const disturbed: Files = {
      ...files,
      async facts(file) {
        if (file.endsWith('.tmp')) {
          saved += 1;
          const text = texts()[place];
          await writePicks(
            files,
            randomly,
            place,
            text,
            change('other', { sha256: A, note: `save ${saved}` }),
          );
        }
        return files.facts(file);
      },
    };
    const error = await writePicks(
      disturbed,
      randomly,
      place,
      undefined,
      change('mine', { sha256: A }),
    ).catch((thrown: unknown) => thrown);
    expect(error).toMatchObject({
      code: 'storage',
      exitCode: 12,
      hint: expect.stringContaining('pick again'),
    });
    expect(texts()[place]).not.toContain('mine');
  });

  it('is not created through a link, at a place that someone else chose', async () => {
    const disk = createMemoryDisk();
    disk.symlink('/a/album.picks.yaml', '/home/.profile');
    const written = writePicks(
      disk.files,
      random,
      '/a/album.picks.yaml',
      undefined,
      change('a', { sha256: A }),
    );
    await expect(written).rejects.toMatchObject({ code: 'ELOOP', path: '/a/album.picks.yaml' });
    expect(disk.texts()).toEqual({});
  });

  it('has errors with their place', async () => {
    const { files } = createMemoryDisk({ '/a/p.yaml': 'version: 1\npicks: 3\n' });
    const read = await readPicks(files, '/a/p.yaml', 'p.yaml');
    expect(read).toMatchObject({ ok: false, diagnostics: [{ code: 'picks-invalid' }] });
  });
});

describe('the schema of the picks file', () => {
  const schema = JSON.parse(
    readFileSync(new URL('../../schemas/picks.schema.json', import.meta.url), 'utf8'),
  );
  const validate = new Ajv().compile(schema);

  it.each([
    ['what is written', editPicks(undefined, change('opening', { sha256: A, note: 'x' })), true],
    ['an example', FILE, true],
    ['an empty one', 'version: 1\npicks:\n', true],
    ['no version', 'picks: {}\n', false],
    ['a short hash', 'version: 1\npicks:\n  a: { sha256: abc }\n', false],
    ['an unknown field', 'version: 1\npick: {}\n', false],
    ['a bad id', `version: 1\npicks:\n  A!: { sha256: ${A} }\n`, false],
  ])('agrees with the program about %s', (_what, text, sound) => {
    expect(validate(parse(text))).toBe(sound);
    expect(parsePicks('p', text).diagnostics.length === 0).toBe(sound);
  });
});
