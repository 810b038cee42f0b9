import { execFileSync } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { systemFiles } from '../../src/node/files.js';
import { checkOutputFiles } from '../../src/session/output-files.js';
import { writeReport } from '../../src/session/reports.js';
import { type Flags, resolveSettings } from '../../src/session/settings.js';
import { createMemoryDisk } from '../fakes/memory-files.js';

const FILES = {
  '/album/album.yaml': 'version: 1',
  '/album/words.txt': 'la la la',
  '/album/out/one.mp3': 'ID3',
  '/album/old.xml': '<?xml version="1.0"?>\n<testsuites name="venice-batch">',
  '/album/pom.xml': '<?xml version="1.0"?>\n<project>',
  '/album/notes.yaml': '--- # notes\na: 1',
  '/album/old.json': '{\n  "format": "venice-batch-plan" }',
  '/album/old.patch': '--- a/album.yaml\n+++ b/album.yaml\n',
  '/album/empty': '',
};

async function check(flags: Flags, env: Record<string, string> = {}): Promise<void> {
  const disk = createMemoryDisk(FILES);
  disk.symlink('/album/dangling', '/home/user/new');
  disk.symlink('/album/link', '/album/old.xml');
  disk.symlink('/album/folder', '/album/out');
  await disk.files.link('/album/old.xml', '/album/twin.xml');
  const { files } = disk;
  const settings = await resolveSettings('album.yaml', flags, { cwd: '/album', env: {}, files });
  await checkOutputFiles(settings, files, { cwd: '/album', env });
}

describe('an output file', () => {
  it.each<[string, Flags]>([
    ['the lockfile, before there is one', { junit: 'album.lock.jsonl' }],
    ['the lockfile under another spelling', { out: './out/../album.lock.jsonl' }],
    ['a lockfile named by a flag', { junit: 'db', lockfile: 'db' }],
    ['the picks file, before there is one', { out: 'album.picks.yaml' }],
    ['the manifest', { suggestions: 'album.yaml' }],
    ['lyrics', { junit: 'words.txt' }],
    ['audio', { out: 'out/one.mp3' }],
    ['the saved plan that is applied', { junit: 'old.json', plan: 'old.json' }],
    ['the file of another flag', { junit: 'new', suggestions: 'new' }],
    ['the report of another flag', { junit: 'old.patch' }],
    ['other XML', { junit: 'pom.xml' }],
    ['YAML that begins like a patch', { suggestions: 'notes.yaml' }],
    ['a link to nothing', { junit: 'dangling' }],
    ['a link to a report', { out: 'link' }],
    ['a folder', { junit: 'out' }],
    ['the lockfile behind a linked folder', { junit: 'folder/db', lockfile: 'out/db' }],
    ['the lockfile by a hard link', { junit: 'twin.xml', lockfile: 'old.xml' }],
    ['a file of the guard', { junit: '.venice-batch/album.lock.jsonl.guard' }],
  ])('is refused if it is %s', async (_, flags) => {
    await expect(check(flags)).rejects.toMatchObject({ code: 'output-file', exitCode: 2 });
  });

  it.each<[string, Flags]>([
    ['new', { junit: 'r.xml', suggestions: 'p.patch', out: 'plan.json' }],
    ['of the same kind', { junit: 'old.xml', suggestions: 'old.patch', out: 'old.json' }],
    ['empty', { junit: 'empty' }],
    ['turned off', {}],
  ])('is written if it is %s', async (_, flags) => {
    await expect(check(flags)).resolves.toBeUndefined();
  });

  it.each(['album.lock.jsonl', 'dangling', 'album.yaml', 'new'])(
    'is refused as a step summary: %s',
    async (file) => {
      await expect(check({ junit: 'new' }, { GITHUB_STEP_SUMMARY: file })).rejects.toMatchObject({
        code: 'output-file',
      });
    },
  );

  it('is refused before anything is bought if its folder does not exist', async () => {
    await expect(check({ junit: 'reports/new.xml' })).rejects.toMatchObject({
      code: 'output-file',
      hint: 'create it: mkdir -p reports',
    });
  });

  it('may be a step summary that already has text', async () => {
    await expect(check({}, { GITHUB_STEP_SUMMARY: 'words.txt' })).resolves.toBeUndefined();
  });
});

describe('a report on a real disk', () => {
  const isPosix = process.platform !== 'win32';

  it.runIf(isPosix)(
    'is not written through a link, into a pipe or over another file created meanwhile',
    async () => {
      const directory = mkdtempSync(path.join(os.tmpdir(), 'venice-report-'));
      try {
        const file = (name: string) => path.join(directory, name);
        symlinkSync(file('outside'), file('dangling'));
        writeFileSync(file('other'), 'precious');
        symlinkSync(file('other'), file('link'));
        execFileSync('mkfifo', [file('fifo')]);
        const reported: string[] = [];
        const about = {
          redact: String,
          stderr: { write: (text: string) => reported.push(text) } as never,
          files: systemFiles,
        };
        for (const name of ['dangling', 'link', 'fifo', 'other'])
          await writeReport(about, file(name), '<?xml', 'junit');
        for (const name of ['dangling', 'link', 'fifo'])
          await writeReport(about, file(name), 'text', 'append');
        expect(reported).toHaveLength(7);
        expect(existsSync(file('outside'))).toBe(false);
        expect(readFileSync(file('other'), 'utf8')).toBe('precious');
        await writeReport(about, file('new'), '<testsuites 1', 'junit');
        await writeReport(about, file('new'), '<testsuites 2', 'junit');
        await writeReport(about, file('new'), '+', 'append');
        expect(readFileSync(file('new'), 'utf8')).toBe('<testsuites 2+');
        expect(reported).toHaveLength(7);
      } finally {
        rmSync(directory, { recursive: true, force: true });
      }
    },
  );
});
