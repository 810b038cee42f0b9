import { execFile, execFileSync } from 'node:child_process';
import {
  appendFileSync,
  chmodSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  realpathSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { promisify } from 'node:util';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { systemFiles as files } from '../../src/node/files.js';

let root = '';
beforeEach(() => {
  root = realpathSync(mkdtempSync(path.join(tmpdir(), 'venice-files-')));
});
afterEach(() => {
  rmSync(root, { recursive: true, force: true });
});

const at = (...parts: string[]) => path.join(root, ...parts);
const bytesOf = (text: string) => new TextEncoder().encode(text);
const code = (value: string) => expect.objectContaining({ code: value });

describe('reading', () => {
  it('returns the whole file up to the limit, and refuses one byte more', async () => {
    writeFileSync(at('a'), 'x'.repeat(1_000));
    expect(Buffer.from(await files.read(at('a'), 1_000)).toString()).toBe('x'.repeat(1_000));
    await expect(files.read(at('a'), 999)).rejects.toEqual(code('EFBIG'));
  });

  it('returns nothing for an empty file', async () => {
    writeFileSync(at('a'), '');
    expect(await files.read(at('a'), 0)).toHaveLength(0);
  });

  it('includes what is added to a file while it is read', async () => {
    writeFileSync(at('a'), 'before');
    const read: string[] = [];
    for await (const piece of files.stream(at('a'))) {
      if (read.length === 0) appendFileSync(at('a'), ' and after');
      read.push(Buffer.from(piece).toString());
    }
    expect(read).toEqual(['before', ' and after']);
  });

  // Windows has no such files.
  describe.runIf(process.platform !== 'win32')('something that is not a regular file', () => {
    beforeEach(() => {
      execFileSync('mkfifo', [at('pipe')]);
    });

    it('refuses a device and a pipe without a writer instead of reading forever', async () => {
      for (const path of ['/dev/zero', at('pipe')]) {
        await expect(files.read(path, 10_000)).rejects.toEqual(code('EFTYPE'));
        await expect(files.stream(path)[Symbol.asyncIterator]().next()).rejects.toEqual(code('EFTYPE'));
      }
      await expect(files.open('/dev/null', 'append')).rejects.toEqual(code('EFTYPE'));
    });

    it('reads a pipe on request, and stops at the limit of an endless device', async () => {
      const reading = files.read(at('pipe'), 100, 'pipes');
      const writing = promisify(execFile)('sh', ['-c', 'printf hello > "$1"', 'sh', at('pipe')]);
      await writing;
      expect(Buffer.from(await reading).toString()).toBe('hello');
      await expect(files.read('/dev/zero', 10_000, 'pipes')).rejects.toEqual(code('EFBIG'));
    });
  });

  it('fails with the system code', async () => {
    await expect(files.read(at('none'), 10)).rejects.toEqual(code('ENOENT'));
    await expect(files.read(root, 10)).rejects.toEqual(code('EISDIR'));
  });

  it('streams in pieces of at most 1 MiB that stay as they are', async () => {
    const whole = Buffer.alloc(3_000_000, 'abcdefg');
    writeFileSync(at('a'), whole);
    const pieces: Uint8Array[] = [];
    for await (const piece of files.stream(at('a'))) pieces.push(piece);
    expect(Math.max(...pieces.map((piece) => piece.byteLength))).toBeLessThanOrEqual(1024 * 1024);
    expect(Buffer.concat(pieces).equals(whole)).toBe(true);
  });
});

describe('file information', () => {
  it('tells apart a file, a folder, the target of a link, and nothing', async () => {
    writeFileSync(at('a'), 'abc');
    symlinkSync('a', at('link'));
    symlinkSync('nowhere', at('dangling'));
    expect(await files.facts(at('a'))).toMatchObject({ kind: 'file', bytes: 3 });
    expect(await files.facts(at('link'))).toMatchObject({ kind: 'file', bytes: 3 });
    expect(await files.facts(root)).toMatchObject({ kind: 'directory' });
    expect(await files.facts(at('none'))).toBeUndefined();
    expect(await files.facts(at('a', 'below'))).toBeUndefined();
    expect(await files.facts(at('dangling'))).toBeUndefined();
  });
});

describe.runIf(process.platform !== 'win32')('a private file or folder', () => {
  it('is closed to other users from its creation', async () => {
    await files.makeDirectory(at('mine'), 'private');
    await (await files.open(at('mine', 'key'), 'exclusive', 'private')).close();
    for (const place of [at('mine'), at('mine', 'key')])
      expect(await files.facts(place)).toMatchObject({ isPrivate: true });
    chmodSync(at('mine', 'key'), 0o640);
    expect(await files.facts(at('mine', 'key'))).toMatchObject({ isPrivate: false });
  });
});

it('two names of one file share an id, two files do not', async () => {
  for (const name of ['a', 'b']) writeFileSync(at(name), name);
  await files.link(at('a'), at('c'));
  const [a, b, c] = await Promise.all(['a', 'b', 'c'].map((name) => files.facts(at(name))));
  expect(c?.id).toBe(a?.id);
  expect(b?.id).not.toBe(a?.id);
});

describe('the real path', () => {
  it('resolves links, also above parts that do not exist yet', async () => {
    mkdirSync(at('folder'));
    symlinkSync('folder', at('link'));
    expect(await files.real(at('link'))).toBe(at('folder'));
    expect(await files.real(at('link', 'new', 'x.mp3'))).toBe(at('folder', 'new', 'x.mp3'));
    expect(await files.real(at('new', '..', 'link', 'x'))).toBe(at('folder', 'x'));
  });

  it('follows a link to a missing target, even outside of the folder', async () => {
    mkdirSync(at('inside'));
    symlinkSync(at('outside', 'target.mp3'), at('inside', 'a.mp3'));
    symlinkSync('../outside/deep', at('inside', 'b'));
    expect(await files.real(at('inside', 'a.mp3'))).toBe(at('outside', 'target.mp3'));
    expect(await files.real(at('inside', 'b', 'c.mp3'))).toBe(at('outside', 'deep', 'c.mp3'));
  });

  it('ends on circular links', async () => {
    symlinkSync('two', at('one'));
    symlinkSync('one', at('two'));
    await expect(files.real(at('one'))).rejects.toEqual(code('ELOOP'));
  });
});

describe('writing', () => {
  it('never touches an existing file if exclusive, and truncates or appends on request', async () => {
    const write = async (mode: 'exclusive' | 'truncate' | 'append', text: string) => {
      const handle = await files.open(at('a'), mode);
      await handle.write(bytesOf(text));
      await handle.sync();
      await handle.close();
    };
    await write('exclusive', 'one');
    await expect(write('exclusive', 'two')).rejects.toEqual(code('EEXIST'));
    expect(readFileSync(at('a'), 'utf8')).toBe('one');
    await write('append', ' two');
    expect(readFileSync(at('a'), 'utf8')).toBe('one two');
    await write('truncate', 'x');
    expect(readFileSync(at('a'), 'utf8')).toBe('x');
  });

  it('does not follow links', async () => {
    symlinkSync('nowhere', at('link'));
    for (const mode of ['truncate', 'append'] as const)
      await expect(files.open(at('link'), mode)).rejects.toEqual(code('ELOOP'));
    await expect(files.open(at('link'), 'exclusive')).rejects.toEqual(code('EEXIST'));
    expect(await files.list(root)).toEqual(['link']);
  });

  it('renames over existing files, never links over them, and ignores missing files on removal', async () => {
    writeFileSync(at('a'), 'a');
    writeFileSync(at('b'), 'b');
    await expect(files.link(at('a'), at('b'))).rejects.toEqual(code('EEXIST'));
    await files.link(at('a'), at('c'));
    await files.rename(at('a'), at('b'));
    expect(readFileSync(at('b'), 'utf8')).toBe('a');
    expect(readFileSync(at('c'), 'utf8')).toBe('a');
    await files.remove(at('b'));
    await files.remove(at('b'));
    expect(await files.list(root)).toEqual(['c']);
  });

  it('creates folders with their parents, repeatedly and concurrently', async () => {
    const deep = at('x', 'y', 'z');
    await Promise.all([
      files.makeDirectory(deep),
      files.makeDirectory(deep),
      files.makeDirectory(at('x', 'w')),
    ]);
    await files.makeDirectory(deep);
    expect(await files.facts(deep)).toMatchObject({ kind: 'directory' });
    expect(await files.list(at('x'))).toEqual(['w', 'y']);
    await files.syncDirectory(deep);
  });

  it('reports a file in the place of a folder', async () => {
    writeFileSync(at('a'), '');
    await expect(files.makeDirectory(at('a'))).rejects.toEqual(code('EEXIST'));
    await expect(files.makeDirectory(at('a', 'b'))).rejects.toEqual(code('ENOTDIR'));
    await expect(files.syncDirectory(at('none'))).rejects.toEqual(code('ENOENT'));
  });
});
