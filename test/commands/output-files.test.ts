import { describe, expect, it } from 'vitest';
import { checkOutputFiles } from '../../src/commands/output-files.js';
import { type Flags, resolveSettings } from '../../src/commands/settings.js';
import { createMemoryDisk } from '../fakes/memory-files.js';

const FILES = {
  '/album/album.yaml': 'version: 1',
  '/album/words.txt': 'la la la',
  '/album/out/one.mp3': 'ID3',
  '/album/old.xml': '<?xml version="1.0"?>',
  '/album/old.json': '{\n  "format": "venice-batch-plan" }',
  '/album/old.patch': '--- album.yaml',
  '/album/empty': '',
};

async function check(flags: Flags): Promise<void> {
  const { files } = createMemoryDisk(FILES);
  const settings = await resolveSettings('album.yaml', flags, { cwd: '/album', env: {}, files });
  await checkOutputFiles(settings, files, '/album');
}

describe('a file to be written', () => {
  it.each<[string, Flags]>([
    ['the lockfile, before there is one', { junit: 'album.lock.jsonl' }],
    ['the lockfile under another spelling', { out: './out/../album.lock.jsonl' }],
    ['a lockfile named by a flag', { junit: 'db', lockfile: 'db' }],
    ['the manifest', { suggestions: 'album.yaml' }],
    ['lyrics', { junit: 'words.txt' }],
    ['audio', { out: 'out/one.mp3' }],
    ['the saved plan that is applied', { junit: 'old.json', plan: 'old.json' }],
    ['the file of another flag', { junit: 'new', suggestions: 'new' }],
    ['the report of another flag', { junit: 'old.patch' }],
  ])('is refused where it is %s', async (_, flags) => {
    await expect(check(flags)).rejects.toMatchObject({ code: 'output-file', exitCode: 2 });
  });

  it.each<[string, Flags]>([
    ['new', { junit: 'r.xml', suggestions: 'p.patch', out: 'plan.json' }],
    ['of the same kind', { junit: 'old.xml', suggestions: 'old.patch', out: 'old.json' }],
    ['empty', { junit: 'empty' }],
    ['not asked for', {}],
  ])('is written where it is %s', async (_, flags) => {
    await expect(check(flags)).resolves.toBeUndefined();
  });
});
