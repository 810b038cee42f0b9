import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Git } from '../../src/core/ports.js';
import { systemGit } from '../../src/node/git.js';
import { gitFault } from '../../src/shared-log/git-fault.js';
import { blobsIn, packCommit } from '../../src/shared-log/git-objects.js';
import { createGitStore } from '../../src/shared-log/git-store.js';
import type { ObjectStore } from '../../src/shared-log/object-store.js';
import { proveStore } from '../../src/shared-log/prove.js';
import { command, random } from '../lockfile/build.js';
import { createClone, type GitServer, git, startGitServer } from '../tools/git-server.js';
import { createTestClock } from './machine.js';
import { storeAt } from './places.js';

const encode = (text: string) => new TextEncoder().encode(text);

describe('a log in git', () => {
  let server: GitServer;
  const clones: string[] = [];
  beforeAll(async () => {
    server = await startGitServer();
  });
  afterAll(async () => {
    await server.stop();
    for (const clone of clones) rmSync(clone, { recursive: true, force: true });
  });

  function clone(): string {
    const folder = createClone(server.url);
    clones.push(folder);
    return folder;
  }

  const open = (ref: string, folder = clone()): ObjectStore => storeAt(`git:origin?ref=${ref}`, folder, {});

  it('is one commit per entry, on a ref that ordinary clones do not fetch', async () => {
    const store = open('plain');
    for (const key of ['log/a', 'log/b'])
      expect(await store.putIfAbsent(key, encode(key))).toEqual({ kind: 'created' });
    const of = (...words: string[]) => git(['-C', server.folder, ...words]);
    expect(of('log', '--format=%s', 'refs/venice-batch/plain').split('\n')).toEqual(['log/b', 'log/a']);
    expect(of('ls-tree', '--name-only', 'refs/venice-batch/plain')).toBe('object');
    expect(of('for-each-ref', '--format=%(refname)', 'refs/heads', 'refs/tags')).toBe('');
  });

  it('is not disturbed by a commit that something else pushed to the ref', async () => {
    const store = open('foreign');
    await store.putIfAbsent('log/a', encode('a'));
    const of = (...words: string[]) => git(['-C', server.folder, ...words]);
    const ref = 'refs/venice-batch/foreign';
    const tree = of('hash-object', '-w', '-t', 'tree', '/dev/null');
    const who = ['-c', 'user.name=a', '-c', 'user.email=a@example.com'];
    of('update-ref', ref, of(...who, 'commit-tree', tree, '-p', of('rev-parse', ref), '-m', 'Add a file'));
    expect(await store.putIfAbsent('log/b', encode('b'))).toEqual({ kind: 'created' });
    const other = open('foreign');
    expect(await other.list('log/')).toEqual(['log/a', 'log/b']);
    expect(Buffer.from((await other.get('log/a'))!).toString()).toBe('a');
  });

  it('stops if the ref was deleted, and does not recreate it', async () => {
    const folder = clone();
    const store = open('deleted', folder);
    await store.putIfAbsent('log/a', encode('a'));
    await store.close();
    git(['-C', server.folder, 'update-ref', '-d', 'refs/venice-batch/deleted']);
    await expect(store.putIfAbsent('log/b', encode('b'))).rejects.toMatchObject({ kind: 'altered' });
    await expect(store.get('log/b')).rejects.toMatchObject({ kind: 'altered' });
    // In the next run of this machine too.
    await expect(open('deleted', folder).list('log/')).rejects.toMatchObject({ kind: 'altered' });
    const { status } = spawnSync('git', [
      '-C',
      server.folder,
      'rev-parse',
      '--verify',
      '--quiet',
      'refs/venice-batch/deleted',
    ]);
    expect(status).not.toBe(0);
  });

  it('stops if the history was rewritten or reset', async () => {
    const store = open('rewritten');
    for (const key of ['log/a', 'log/b']) await store.putIfAbsent(key, encode(key));
    const other = open('other');
    await other.putIfAbsent('log/x', encode('x'));
    const of = (name: string) => git(['-C', server.folder, 'rev-parse', name]);
    const tip = of('refs/venice-batch/rewritten');
    for (const value of [of('refs/venice-batch/rewritten~1'), of('refs/venice-batch/other')]) {
      git(['-C', server.folder, 'update-ref', 'refs/venice-batch/rewritten', value]);
      await expect(store.list('log/')).rejects.toMatchObject({ kind: 'altered' });
      await expect(store.putIfAbsent('log/c', encode('c'))).rejects.toMatchObject({ kind: 'altered' });
    }
    git(['-C', server.folder, 'update-ref', 'refs/venice-batch/rewritten', tip]);
    expect(await store.list('log/')).toEqual(['log/a', 'log/b']);
  });

  it('is read while another process of the same repository fetches, or has left its lock', async () => {
    const folder = clone();
    const [store, others] = [open('locked', folder), open('locked')];
    await others.putIfAbsent('log/a', encode('a'));
    expect(await store.list('log/')).toEqual(['log/a']);
    const lock = `${folder}/.git/refs/venice-batch-fetched/locked.lock`;
    writeFileSync(lock, '');
    await others.putIfAbsent('log/b', encode('b'));
    expect(await store.list('log/')).toEqual(['log/a', 'log/b']);
    expect(await store.putIfAbsent('log/c', encode('c'))).toEqual({ kind: 'created' });
    expect(existsSync(lock)).toBe(true);
    git(['-C', server.folder, 'update-ref', '-d', 'refs/venice-batch/locked']);
    await expect(store.list('log/')).rejects.toMatchObject({ kind: 'altered' });
  });

  it('says what the remote says if that has kept the lock of a push that died', async () => {
    const folder = clone();
    let pushes = 0;
    const counting: Git = (words, options) => {
      if (words[0] === 'push') pushes += 1;
      return systemGit(words, options);
    };
    const place = { folder, remote: 'origin', ref: 'refs/venice-batch/kept' };
    const store = createGitStore(counting, createTestClock(), place);
    await store.putIfAbsent('log/a', encode('a'));
    const lock = `${server.folder}/${place.ref}.lock`;
    writeFileSync(lock, '');
    pushes = 0;
    expect(await store.putIfAbsent('log/b', encode('b'))).toMatchObject({
      kind: 'unknown',
      why: { kind: 'unreachable', message: expect.stringMatching(/cannot lock ref .*File exists/) },
    });
    expect(pushes).toBe(4);
    rmSync(lock);
    expect(await store.putIfAbsent('log/b', encode('b'))).toEqual({ kind: 'created' });
  });

  it('ends a push that is abandoned, and still keeps the state seen last for the next run', async () => {
    const folder = clone();
    let begun = () => {};
    const pushes = new Promise<void>((resolve) => {
      begun = resolve;
    });
    let isSilent = false;
    const silent: Git = (words, options) => {
      if (!isSilent || words[0] !== 'push') return systemGit(words, options);
      begun();
      const ended = { code: undefined, stdout: new Uint8Array(), stderr: '' };
      return new Promise((resolve) => options.signal?.addEventListener('abort', () => resolve(ended)));
    };
    const place = { folder, remote: 'origin', ref: 'refs/venice-batch/abandoned' };
    const store = createGitStore(silent, createTestClock(), place);
    await store.putIfAbsent('log/a', encode('a'));
    isSilent = true;
    const put = store.putIfAbsent('log/b', encode('b'));
    await pushes;
    store.abandon?.();
    expect(await put).toMatchObject({ kind: 'unknown', why: { message: 'git timed out' } });
    await store.close();
    expect(git(['-C', folder, 'log', '--format=%s', place.ref])).toBe('log/a');
  });

  it('works in a shallow clone', async () => {
    const full = clone();
    const commit = () =>
      git([
        '-C',
        full,
        '-c',
        'user.name=a',
        '-c',
        'user.email=a@b',
        'commit',
        '-q',
        '--allow-empty',
        '-m',
        'x',
      ]);
    commit();
    commit();
    // Not over HTTP: the server would be in this process, which blocks here.
    git(['-C', full, 'push', '-q', server.folder, 'HEAD:refs/heads/main']);
    await open('shallow', full).putIfAbsent('log/a', encode('a'));
    const shallow = `${full}-shallow`;
    clones.push(shallow);
    git(['clone', '-q', '--depth', '1', '--branch', 'main', `file://${server.folder}`, shallow]);
    git(['-C', shallow, 'remote', 'set-url', 'origin', server.url]);
    const store = open('shallow', shallow);
    expect(await store.list('log/')).toEqual(['log/a']);
    expect(await store.putIfAbsent('log/b', encode('b'))).toEqual({ kind: 'created' });
  });

  it('says if the remote does not exist, cannot be reached or refuses the push', async () => {
    const of = (address: string) => storeAt(`git:${address}`, clone(), {});
    await expect(of('nothing').list('log/')).rejects.toMatchObject({ kind: 'missing' });
    await expect(of('http://127.0.0.1:1/a.git').list('log/')).rejects.toMatchObject({ kind: 'unreachable' });
    const store = open('refused');
    await store.putIfAbsent('log/a', encode('a'));
    server.refusePushes();
    await expect(store.putIfAbsent('log/b', encode('b'))).rejects.toMatchObject({ kind: 'denied' });
    expect(await store.list('log/')).toEqual(['log/a']);
  });

  it('says if the remote protects the ref', async () => {
    const remote = mkdtempSync(path.join(tmpdir(), 'git-protected-'));
    clones.push(remote);
    git(['init', '--quiet', '--bare', remote]);
    git(['-C', remote, 'config', 'receive.hideRefs', 'refs/venice-batch']);
    const put = storeAt('git:origin', createClone(remote), {}).putIfAbsent('log/a', encode('a'));
    await expect(put).rejects.toMatchObject({
      kind: 'denied',
      message: expect.stringContaining('hidden ref'),
    });
  });
});

it('a remote that hides the ref from readers is refused before anything is bought', async () => {
  const remote = mkdtempSync(path.join(tmpdir(), 'git-hidden-'));
  const folder = createClone(remote);
  try {
    git(['init', '--quiet', '--bare', remote]);
    const access = () => ({
      store: storeAt('git:origin', folder, {}),
      clock: createTestClock(),
      random,
    });
    const about = { address: 'git:origin', command };
    await proveStore(access(), about);
    git(['-C', remote, 'config', 'uploadpack.hideRefs', 'refs/venice-batch']);
    git(['-C', remote, 'update-ref', '-d', 'refs/venice-batch/album']);
    git(['-C', folder, 'update-ref', '-d', 'refs/venice-batch/album']);
    await expect(proveStore(access(), about)).rejects.toMatchObject({ code: 'state-unsafe' });
  } finally {
    for (const one of [remote, folder]) rmSync(one, { recursive: true, force: true });
  }
});

describe('a repository that came with the manifest', () => {
  const made: string[] = [];
  afterAll(() => {
    for (const folder of made) rmSync(folder, { recursive: true, force: true });
  });

  /** A checkout with a bare repository among its files, whose hooks and settings run a program. */
  function checkout() {
    const folder = createClone('https://host/album.git');
    made.push(folder);
    const bare = `${folder}/bare`;
    const ran = `${folder}/ran`;
    git(['init', '--quiet', '--bare', bare]);
    writeFileSync(`${bare}/hooks/pre-receive`, `#!/bin/sh\ntouch ${ran}\n`, { mode: 0o755 });
    git(['-C', bare, 'config', 'remote.origin.url', '.']);
    git(['-C', bare, 'config', 'remote.origin.uploadpack', `touch ${ran}; git-upload-pack`]);
    return { folder, bare, ran };
  }

  it('is not pushed to, which would run its hooks', async () => {
    const { folder, ran } = checkout();
    const store = storeAt('git:bare', folder, {});
    await expect(store.putIfAbsent('log/a', encode('a'))).rejects.toMatchObject({ kind: 'missing' });
    expect(existsSync(ran)).toBe(false);
  });

  it('is not the repository of a manifest inside it, as its settings may name programs to run', async () => {
    const { bare, ran } = checkout();
    await expect(storeAt('git:origin', bare, {}).list('log/')).rejects.toMatchObject({ kind: 'missing' });
    expect(existsSync(ran)).toBe(false);
  });
});

describe('many machines on one ref', () => {
  const REF = 'refs/venice-batch/album';

  /** A remote on which others win this many races first. Each command takes a tenth of a second. */
  function crowded(racesLost: number) {
    let [nowMs, lost] = [0, 0];
    const pauses: number[] = [];
    const clock = {
      nowMs: () => nowMs,
      sleep: async (ms: number) => {
        pauses.push(ms);
        nowMs += ms;
      },
    };
    const say = (stdout: string, code = 0) => ({ code, stdout: encode(stdout), stderr: '' });
    const answer: Git = async ([word = '', ...words]) => {
      nowMs += 100;
      switch (word) {
        case 'push':
          if (lost === racesLost) return say('');
          lost += 1;
          return { ...say('', 1), stderr: '! [rejected] (stale info)' };
        case 'fetch':
          return say('');
        case 'log': {
          const [, tip = ''] = /^(.*)\^@$/.exec(words.at(-1)!) ?? [];
          return say(`${tip && `${tip}  own\n`}tip-${lost} ${tip} other/${lost}`);
        }
        case 'rev-parse':
          return say('', 1);
        default:
          return say('');
      }
    };
    return { store: createGitStore(answer, clock, { folder: '/', remote: 'origin', ref: REF }), pauses };
  }

  it('goes on as long as others win the race, as the remote is not at fault', async () => {
    const { store } = crowded(40);
    expect(await store.putIfAbsent('log/a', encode('a'))).toEqual({ kind: 'created' });
  });

  it('waits for as many pushes as others made since its last one, and not while nobody else pushes', async () => {
    const alone = crowded(0);
    for (const key of ['log/a', 'log/b']) await alone.store.putIfAbsent(key, encode(key));
    expect(alone.pauses).toEqual([]);
    const { store, pauses } = crowded(3);
    await store.putIfAbsent('log/a', encode('a'));
    expect(pauses).toEqual([]);
    await store.putIfAbsent('log/b', encode('b'));
    // Three of others, each with four commands.
    expect(pauses).toEqual([1_200]);
    await store.putIfAbsent('log/c', encode('c'));
    expect(pauses).toEqual([1_200]);
  });
});

describe('a commit that is packed here', () => {
  it.each(['sha1', 'sha256'] as const)('is what git reads back (%s)', (hash) => {
    const folder = mkdtempSync(path.join(tmpdir(), 'git-pack-'));
    git(['init', '--quiet', '--bare', `--object-format=${hash}`, folder]);
    let parent: string | undefined;
    for (const length of [0, 15, 16, 2_047, 2_048, 300_000]) {
      const file = { name: 'object', bytes: Buffer.alloc(length, 'log\n') };
      const { id, pack } = packCommit(hash, { key: `log/${length}`, file, parent, atMs: 1_800_000_000_999 });
      spawnSync('git', ['-C', folder, 'unpack-objects', '-q'], { input: pack });
      const of = (...words: string[]) => git(['-C', folder, ...words]);
      expect(of('log', '-1', '--format=%P|%s|%an|%ct', id)).toBe(
        `${parent ?? ''}|log/${length}|venice-batch|1800000000`,
      );
      const { stdout } = spawnSync('git', ['-C', folder, 'cat-file', '--batch'], {
        input: `${id}:object\n${id}:object\n`,
      });
      expect(blobsIn(stdout)?.map((blob) => Buffer.compare(blob, file.bytes))).toEqual([0, 0]);
      parent = id;
    }
    expect(git(['-C', folder, 'fsck', '--strict', '--no-dangling'])).toBe('');
    rmSync(folder, { recursive: true });
  });

  it('is not read if it is missing', () => {
    expect(blobsIn(Buffer.from(`${'0'.repeat(40)}:object missing\n`))).toBeUndefined();
  });
});

describe('the output of git', () => {
  it.each([
    [
      'remote: Permission to me/album.git denied to bot.\nfatal: unable to access: The requested URL returned error: 403',
      'denied',
    ],
    [
      'git@github.com: Permission denied (publickey).\nfatal: Could not read from remote repository.',
      'denied',
    ],
    ["fatal: could not read Username for 'https://github.com': terminal prompts disabled", 'denied'],
    ['remote: Write access to repository not granted.\nfatal: unable to access', 'denied'],
    [' ! [remote rejected] a -> b (pre-receive hook declined)', 'denied'],
    ["remote: Repository not found.\nfatal: repository 'https://github.com/x/' not found", 'missing'],
    ["fatal: 'backup' does not appear to be a git repository", 'missing'],
    ['fatal: unable to access: Could not resolve host: github.com', 'unreachable'],
    ['error: RPC failed; HTTP 502 curl 22', 'unreachable'],
    ['', 'unreachable'],
  ])('%j', (stderr, kind) => {
    expect(gitFault({ code: 128, stdout: new Uint8Array(), stderr })).toMatchObject({ kind });
  });

  it('is shown without credentials', () => {
    const stderr = "fatal: unable to access 'https://me:hunter2@host/a.git/': Could not resolve host: host";
    expect(gitFault({ code: 128, stdout: new Uint8Array(), stderr }).message).not.toContain('hunter2');
  });
});
