import { posix, win32 } from 'node:path';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { bytesOf, fileSafe, foldName } from '../../src/core/file-name.js';
import { parseTemplate, renderStem } from '../../src/manifest/template.js';
import { found, load, oneTrack, takesOf } from './check.js';

const output = (template: string) => oneTrack(`output: ${JSON.stringify(template)}`);

async function stemsOf(text: string): Promise<readonly string[]> {
  return (await takesOf(text)).map(({ stem }) => stem);
}

describe('the output path', () => {
  it.each([
    ['{id}.{ext}', ['a', 'a-2']],
    ['out/{index}-{id}.{ext}', ['out/01-a', 'out/01-a-2']],
    ['{id}/take {take}.{ext}', ['a/take 1', 'a/take 2']],
    ['{model}/{title}.{ext}', ['m/Für Elise - live', 'm/Für Elise - live-2']],
    ['./out//{id}.{ext}', ['out/a', 'out/a-2']],
    ['a b.c/{id}.{ext}', ['a b.c/a', 'a b.c/a-2']],
    ['folder. /{id}.{ext}', ['folder/a', 'folder/a-2']],
    ['Con/{id}.{ext}', ['Con_/a', 'Con_/a-2']],
    ['aux.{id}.{ext}', ['aux_.a', 'aux_.a-2']],
    ['{take}{take}.{ext}', ['11', '22']],
  ])('%s', async (template, expected) => {
    const text = oneTrack(`output: ${JSON.stringify(template)}`, 'title: "Für Elise / live"', 'takes: 2');
    expect(await stemsOf(text)).toEqual(expected);
  });

  it('is out/{index}-{id} by default', async () => {
    expect(await stemsOf(oneTrack())).toEqual(['out/01-a']);
  });

  it.each([
    [9, '01'],
    [99, '01'],
    [100, '001'],
    [1000, '0001'],
  ])('numbers %i tracks from %s', async (count, first) => {
    const tracks = Array.from({ length: count }, (_, n) => `  - id: t${n}\n`).join('');
    const stems = await stemsOf(
      `version: 1\ndefaults: { model: m, prompt: p }\noutput: "{index}.{ext}"\ntracks:\n${tracks}`,
    );
    expect(stems[0]).toBe(first);
    expect(new Set(stems.map((stem) => stem.length))).toEqual(new Set([first.length]));
  });

  it('uses the id if the title cannot be a file name', async () => {
    const [stem] = await stemsOf(oneTrack('output: "{title}.{ext}"', 'title: "..."'));
    expect(stem).toBe('a');
  });
});

describe('an error in an output template has a code and a place', () => {
  it.each([
    ['{id}.mp3', ['output-ext@5:18']],
    ['{id}', ['output-ext@5:14']],
    ['{id}{ext}', ['output-ext@5:18']],
    ['{ext}', ['output-ext@5:14']],
    ['{ext}/{id}.{ext}', ['output-ext@5:14']],
    ['{indx}-{id}.{ext}', ['output-token@5:14']],
    ['{}-{id}.{ext}', ['output-token@5:14']],
    ['{id.{ext}', ['output-brace@5:14']],
    ['id}.{ext}', ['output-brace@5:16']],
    ['/tmp/{id}.{ext}', ['output-leaves-folder@5:14']],
    ['~/{id}.{ext}', ['output-leaves-folder@5:14']],
    ['C:/{id}.{ext}', ['output-leaves-folder@5:14']],
    ['../{id}.{ext}', ['output-leaves-folder@5:14']],
    ['out/../../{id}.{ext}', ['output-leaves-folder@5:18']],
    ['out/.. /{id}.{ext}', ['output-leaves-folder@5:18']],
    ['a:b/{id}.{ext}', ['output-leaves-folder@5:14']],
    ['out:b/{id}.{ext}', ['output-name@5:17']],
    ['out/{id}?.{ext}', ['output-name@5:22']],
    ['out/.{ext}', ['output-name@5:14']],
    ['.{ext}', ['output-name@5:13']],
    ['a.mp3/{id}.{ext}', ['output-name@5:13']],
    [`${'x'.repeat(201)}{id}.{ext}`, ['output-name@5:13']],
    ['{indx}/{titel}.wav', ['output-token@5:14', 'output-token@5:21', 'output-ext@5:28']],
  ])('%s', async (template, expected) => {
    expect(await found(output(template))).toEqual(expected);
  });

  it.each(['out\\{id}.{ext}', '\\\\host\\{id}.{ext}', 'a\0{id}.{ext}', 'a\u202e{id}.{ext}', 'a\n{id}.{ext}'])(
    '%j',
    async (template) => {
      expect(await found(output(template))).toHaveLength(1);
    },
  );

  it('suggests the token that was meant', async () => {
    const { diagnostics } = await load(output('{indx}-{id}.{ext}'));
    expect(diagnostics[0]?.hint).toContain('{index}');
  });

  it('is reported once if it applies to all tracks', async () => {
    const text =
      'version: 1\noutput: "{id}.mp3"\ndefaults: { model: m, prompt: p }\ntracks: [{ id: a }, { id: b }]\n';
    expect(await found(text)).toEqual(['output-ext@2:14']);
  });
});

describe('an error about two takes with the same file', () => {
  const pair = (first: string, second: string) =>
    `version: 1\ndefaults: { model: m, prompt: p }\ntracks:\n  - { id: a, ${first} }\n  - { id: b, ${second} }\n`;

  it.each([
    ['equal names', 'output: "x.{ext}"', 'output: "x.{ext}"'],
    ['letter case', 'output: "x/Y.{ext}"', 'output: "X/y.{ext}"'],
    [
      'letter case beyond ASCII',
      'output: "{title}.{ext}", title: STRASSE',
      'output: "{title}.{ext}", title: straße',
    ],
    [
      'composed accents',
      'output: "{title}.{ext}", title: "\\u00fc"',
      'output: "{title}.{ext}", title: "u\\u0308"',
    ],
    ['trailing dots in a folder', 'output: "x/y.{ext}"', 'output: "x. /y.{ext}"'],
    [
      'titles that differ only in forbidden characters',
      'output: "{title}.{ext}", title: "x?"',
      'output: "{title}.{ext}", title: "x*"',
    ],
    ['a take and a track', 'output: "{id}.{ext}", takes: 2', 'output: "a-2.{ext}"'],
  ])('%s', async (_name, first, second) => {
    const { diagnostics } = await load(pair(first, second));
    expect(diagnostics.map(({ code, span }) => [code, span?.line])).toEqual([['output-collision', 5]]);
    expect(diagnostics[0]?.related?.map(({ span }) => span.line)).toEqual([4]);
    expect(diagnostics[0]?.message).toMatch(/`a(#2)?` and `b`/);
  });
});

describe('any titles and templates', () => {
  const nasty = fc.constantFrom(
    ...[
      '..',
      '.',
      '/',
      '\\',
      '//',
      'C:',
      '~',
      'con',
      'NUL.txt',
      'aux',
      '\0',
      '\n',
      '\u202e',
      ' ',
      '...',
      'a',
      'ü',
      '𝄞',
      '-',
      '\ud800',
      'lpt1',
    ],
    ...['{id}', '{title}', '{model}', '{index}', '{take}', '{', '}', '{ext}'],
  );
  const text = fc
    .array(fc.oneof(nasty, fc.string({ unit: 'binary', maxLength: 3 })), { maxLength: 8 })
    .map((parts) => parts.join(''));

  it('never lead outside of the folder or to a name that some system cannot store', () => {
    fc.assert(
      fc.property(
        text,
        text,
        text,
        fc.constantFrom('a', 'con', 'a..', '0.'),
        fc.integer({ min: 1, max: 99 }),
        (body, title, model, id, take) => {
          const { template } = parseTemplate(`${body}.{ext}`);
          fc.pre(template !== undefined);
          const values = {
            index: '01',
            id,
            title: fileSafe(title, id),
            model: fileSafe(model, 'model'),
            take,
          };
          const { stem } = renderStem(template!, values);
          fc.pre(stem !== undefined);
          expect(posix.resolve('/album', `${stem}.mp3`)).toBe(`/album/${stem}.mp3`);
          expect(win32.resolve('C:\\album', `${stem}.mp3`)).toBe(
            `C:\\album\\${stem!.replaceAll('/', '\\')}.mp3`,
          );
          for (const segment of stem!.split('/')) {
            expect(segment).not.toMatch(/^(con|prn|aux|nul|com\d|lpt\d)(\.|$)/i);
            expect(segment).not.toMatch(/[\\:*?"<>|\p{Cc}\p{Cf}\p{Cs}]|[. ]$/u);
            expect(bytesOf(segment)).toBeLessThanOrEqual(200);
          }
        },
      ),
      { numRuns: 2_000 },
    );
  });

  it('give safe names that do not change when they are made safe again', () => {
    fc.assert(
      fc.property(text, (title) => {
        const safe = fileSafe(title, 'fallback');
        expect(fileSafe(safe, 'fallback')).toBe(safe);
        expect(safe).not.toMatch(/[\\/:*?"<>|\p{Cc}\p{Cf}\p{Cs}]|^[. ]|[. ]$/u);
        expect(bytesOf(safe)).toBeLessThanOrEqual(120);
        expect(foldName(foldName(safe))).toBe(foldName(safe));
      }),
    );
  });
});
