import { execFileSync } from 'node:child_process';
import {
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  realpathSync,
  renameSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { FolderFiles } from '../../src/core/ports.js';
import { systemFiles } from '../../src/node/files.js';
import { filesBelow } from '../../src/node/files-below.js';

let top = '';
const at = (...parts: string[]) => path.join(top, ...parts);
const code = (value: string) => expect.objectContaining({ code: value });

beforeEach(() => {
  top = realpathSync(mkdtempSync(path.join(tmpdir(), 'venice-below-')));
  for (const side of ['root', 'outside']) {
    mkdirSync(at(side, 'a', 'b'), { recursive: true });
    writeFileSync(at(side, 'a', 'b', 'file'), side);
    writeFileSync(at(side, 'a', 'b', 'other'), side);
  }
});
afterEach(() => {
  rmSync(top, { recursive: true, force: true });
});

/** Everything below a folder, with its contents. */
function snapshot(folder: string): unknown {
  return readdirSync(folder, { withFileTypes: true, recursive: true })
    .map((entry) => {
      const full = path.join(entry.parentPath, entry.name);
      if (entry.isSymbolicLink()) return `${full} -> ${readlinkSync(full)}`;
      return entry.isFile() ? `${full}: ${readFileSync(full, 'utf8')}` : full;
    })
    .sort();
}

async function text(files: FolderFiles, file: string): Promise<string> {
  let whole = '';
  for await (const piece of files.stream(file)) whole += Buffer.from(piece).toString();
  return whole;
}

async function write(files: FolderFiles, file: string, mode: 'exclusive' | 'truncate' | 'append') {
  const handle = await files.open(file, mode);
  await handle.write(new TextEncoder().encode('new'));
  await handle.close();
}

/** Each method, on or beside a path; those that change something come last. */
const CALLS: Readonly<Record<string, (files: FolderFiles, file: string) => Promise<unknown>>> = {
  read: (files, file) => files.read(file, 100),
  stream: text,
  facts: (files, file) => files.facts(file),
  list: (files, file) => files.list(path.dirname(file)),
  syncDirectory: (files, file) => files.syncDirectory(path.dirname(file)),
  append: (files, file) => write(files, file, 'append'),
  truncate: (files, file) => write(files, file, 'truncate'),
  exclusive: (files, file) => write(files, `${file}-new`, 'exclusive'),
  makeDirectory: (files, file) => files.makeDirectory(path.join(path.dirname(file), 'new')),
  'link from': (files, file) => files.link(file, at('root', 'linked')),
  'link to': (files, file) => files.link(at('root', 'here'), `${file}-linked`),
  'rename from': (files, file) => files.rename(file, at('root', 'moved')),
  'rename to': (files, file) => files.rename(at('root', 'here'), file),
  remove: (files, file) => files.remove(file),
};

describe.each([
  ['by descriptors', process.platform === 'linux'],
  ['by names', false],
])('files below a folder, accessed %s', (_, byDescriptor) => {
  const open = (root = at('root')) => filesBelow(systemFiles, root, byDescriptor);

  it('supports all operations', async () => {
    const files = await open();
    const file = at('root', 'a', 'b', 'file');
    expect(Buffer.from(await files.read(file, 10)).toString()).toBe('root');
    expect(await text(files, file)).toBe('root');
    expect(await files.facts(file)).toMatchObject({ kind: 'file', bytes: 4 });
    expect(await files.facts(at('root'))).toMatchObject({ kind: 'directory' });
    expect(await files.facts(at('root', 'a', 'none', 'x'))).toBeUndefined();
    expect(await files.list(at('root', 'a', 'b'))).toEqual(['file', 'other']);
    await files.makeDirectory(at('root', 'x', 'y'));
    await files.makeDirectory(at('root', 'x', 'y'));
    await write(files, at('root', 'x', 'y', 'z'), 'exclusive');
    await write(files, at('root', 'x', 'y', 'z'), 'append');
    await files.link(at('root', 'x', 'y', 'z'), at('root', 'a', 'z'));
    await files.rename(at('root', 'a', 'z'), at('root', 'a', 'b', 'file'));
    await files.remove(at('root', 'x', 'y', 'z'));
    await files.remove(at('root', 'x', 'y', 'z'));
    await files.syncDirectory(at('root', 'a'));
    expect(readFileSync(file, 'utf8')).toBe('newnew');
    await expect(files.read(file, 5)).rejects.toEqual(code('EFBIG'));
    await expect(files.open(file, 'exclusive')).rejects.toEqual(code('EEXIST'));
    await expect(files.link(file, at('root', 'a', 'b', 'other'))).rejects.toEqual(code('EEXIST'));
    await expect(files.makeDirectory(path.join(file, 'x'))).rejects.toEqual(code('ENOTDIR'));
  });

  describe.each(['a', path.join('a', 'b')])(
    'with a link at %s that was created after opening',
    (component) => {
      it.each(Object.keys(CALLS))('%s refuses, and nothing outside changes', async (name) => {
        const files = await open();
        writeFileSync(at('root', 'here'), 'here');
        renameSync(at('root', component), at('away'));
        symlinkSync(at('outside', component), at('root', component));
        const before = snapshot(top);
        await expect(CALLS[name]!(files, at('root', 'a', 'b', 'file'))).rejects.toEqual(code('ELOOP'));
        expect(snapshot(top)).toEqual(before);
      });
    },
  );

  it('does not create a root again that was moved: nobody would look for its files there', async () => {
    const files = await open();
    renameSync(at('root'), at('moved'));
    await expect(files.makeDirectory(at('root', 'a', 'new'))).rejects.toEqual(code('ESTALE'));
    expect(readdirSync(top).sort()).toEqual(['moved', 'outside']);
  });

  describe('with the root replaced by another folder', () => {
    it.each(Object.keys(CALLS))('%s refuses, and nothing in it changes', async (name) => {
      const files = await open();
      writeFileSync(at('outside', 'here'), 'here');
      renameSync(at('root'), at('away'));
      renameSync(at('outside'), at('root'));
      const before = snapshot(top);
      await expect(CALLS[name]!(files, at('root', 'a', 'b', 'file'))).rejects.toEqual(code('ESTALE'));
      expect(snapshot(top)).toEqual(before);
    });

    it('refuses a link in place of the root or of a folder above it', async () => {
      const files = await open();
      renameSync(at('root'), at('away'));
      symlinkSync(at('outside'), at('root'));
      await expect(files.read(at('root', 'a', 'b', 'file'), 10)).rejects.toEqual(code('ELOOP'));

      const deep = await open(at('outside', 'a'));
      renameSync(at('outside'), at('gone'));
      mkdirSync(at('evil', 'a', 'b'), { recursive: true });
      symlinkSync(at('evil'), at('outside'));
      await expect(deep.facts(at('outside', 'a', 'b'))).rejects.toEqual(code('ESTALE'));
    });
  });

  it('accepts a root that is a link, until it leads elsewhere', async () => {
    symlinkSync(at('root'), at('mine'));
    const files = await open(at('mine'));
    expect(await text(files, at('mine', 'a', 'b', 'file'))).toBe('root');
    rmSync(at('mine'));
    await expect(files.facts(at('mine', 'a', 'b', 'file'))).rejects.toEqual(code('ESTALE'));
    symlinkSync(at('outside'), at('mine'));
    await expect(text(files, at('mine', 'a', 'b', 'file'))).rejects.toEqual(code('ESTALE'));
  });

  it('accepts a root that is created later, and keeps it', async () => {
    const files = await open(at('later', 'root'));
    expect(await files.facts(at('later', 'root'))).toBeUndefined();
    await files.makeDirectory(at('later', 'root', 'x'));
    expect(await files.list(at('later', 'root'))).toEqual(['x']);
    renameSync(at('later', 'root'), at('away'));
    mkdirSync(at('later', 'root'));
    await expect(files.list(at('later', 'root'))).rejects.toEqual(code('ESTALE'));
  });

  it('never follows a link at the end of a path, and never hangs on a pipe', async () => {
    const files = await open();
    symlinkSync(at('outside', 'a', 'b', 'file'), at('root', 'link'));
    symlinkSync(at('outside', 'new'), at('root', 'dangling'));
    execFileSync('mkfifo', [at('root', 'pipe')]);
    for (const name of ['link', 'dangling', 'pipe'])
      expect(await files.facts(at('root', name))).toMatchObject({ kind: 'other' });
    await expect(files.read(at('root', 'link'), 100)).rejects.toEqual(code('ELOOP'));
    await expect(write(files, at('root', 'link'), 'append')).rejects.toEqual(code('ELOOP'));
    await expect(write(files, at('root', 'dangling'), 'truncate')).rejects.toEqual(code('ELOOP'));
    await expect(write(files, at('root', 'dangling'), 'exclusive')).rejects.toEqual(code('EEXIST'));
    await expect(files.link(at('root', 'link'), at('root', 'x'))).rejects.toEqual(code('EFTYPE'));
    await expect(text(files, at('root', 'pipe'))).rejects.toEqual(code('EFTYPE'));
    await files.remove(at('root', 'link'));
    expect(readFileSync(at('outside', 'a', 'b', 'file'), 'utf8')).toBe('outside');
    expect(readdirSync(at('outside'))).toEqual(['a']);
  });

  it('refuses paths outside of the root', async () => {
    const files = await open();
    for (const file of [at('outside', 'a'), at('root', '..', 'outside'), top, at('rootless')])
      await expect(files.facts(file)).rejects.toEqual(code('EXDEV'));
  });

  it('closes all descriptors', async () => {
    const files = await open();
    const count = () => readdirSync('/proc/self/fd').length;
    if (process.platform !== 'linux') return expect(files).toBeDefined();
    const before = count();
    for (const call of Object.values(CALLS)) await call(files, at('root', 'a', 'b', 'none')).catch(() => {});
    for (const call of Object.values(CALLS)) await call(files, at('root', 'none', 'x')).catch(() => {});
    expect(count()).toBe(before);
  });
});
