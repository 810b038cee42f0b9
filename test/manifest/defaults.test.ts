import { describe, expect, it } from 'vitest';
import { loadManifestText } from '../../src/manifest/load.js';
import { createMemoryDisk } from '../fakes/memory-files.js';

const load = (text: string) =>
  loadManifestText(createMemoryDisk({}).files, text, '/home/album.yaml', 'album.yaml');

const HEAD = 'version: 1\ndefaults: { model: m, voice: Bob, prompt: p }\ntracks:\n';

describe('a default', () => {
  it.each(['null', '~', 'Null'])('is removed by a track that sets it to %s', async (nothing) => {
    const { manifest, diagnostics } = await load(`${HEAD}  - { id: a, voice: ${nothing} }\n  - id: b\n`);
    expect(diagnostics).toEqual([]);
    expect(manifest?.takes.map(({ request }) => request.voice)).toEqual([undefined, 'Bob']);
  });

  it('that is required cannot be removed, and a blank field is an error', async () => {
    const codes = async (text: string) => (await load(text)).diagnostics.map(({ code }) => code);
    expect(await codes(`${HEAD}  - { id: a, model: null }\n`)).toEqual(['missing-field']);
    expect(await codes(`${HEAD}  - id: a\n    voice:\n`)).toEqual(['wrong-type']);
  });
});

describe('spaces at the ends of lines', () => {
  it('do not change the request or its digest', async () => {
    const takeOf = async (prompt: string) =>
      (await load(`${HEAD}  - { id: a, prompt: ${JSON.stringify(prompt)} }\n`)).manifest!.takes[0]!;
    const [plain, blank] = [await takeOf('one\ntwo'), await takeOf('one  \ntwo\t')];
    expect(blank.digest).toBe(plain.digest);
    expect(plain.formerDigest).toBeUndefined();
    expect(blank.formerDigest).toMatch(/^v1:/);
    expect(blank.formerDigest).not.toBe(blank.digest);
  });
});
