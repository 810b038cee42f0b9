import { createHash, randomBytes } from 'node:crypto';
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Files, Web } from '../../src/core/ports.js';
import { systemFiles } from '../../src/node/files.js';
import { systemRandom } from '../../src/node/random.js';
import { createWeb } from '../../src/node/web.js';
import { type AudioStore, audioKey } from '../../src/shared-log/audio-store.js';
import { createFolderAudio } from '../../src/shared-log/folder-audio.js';
import { openAudioStore } from '../../src/shared-log/open-object-store.js';
import { parseStateAddress } from '../../src/shared-log/state-address.js';
import { NO_REPLY, type Reply, reply, webThat } from '../fakes/web.js';
import { type Place, type PlaceKind, startPlace, whyNot, worldOf } from './places.js';

const KINDS: readonly PlaceKind[] = ['folder', 's3'];
const KEYS = { AWS_ACCESS_KEY_ID: 'test', AWS_SECRET_ACCESS_KEY: 'testtesttest' };
const sha256 = (bytes: Uint8Array) => createHash('sha256').update(bytes).digest('hex');

const folder = mkdtempSync(path.join(tmpdir(), 'audio-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** A file of random bytes. */
function song(name: string, bytes = 3_000_000) {
  const content = randomBytes(bytes);
  const at = path.join(folder, name);
  writeFileSync(at, content);
  return { at, content, hash: sha256(content), bytes };
}

function audioAt(address: string, environment: Readonly<Record<string, string>>, web?: Web): AudioStore {
  const world = worldOf('/', environment);
  const store = openAudioStore(
    parseStateAddress(address),
    web === undefined ? world : { ...world, web: () => web },
  );
  if (store === undefined) throw new Error('no audio store');
  return store;
}

for (const kind of KINDS) {
  const why = whyNot(kind);
  describe.skipIf(why !== undefined)(
    `audio in a real store: ${kind}${why === undefined ? '' : ` (${why})`}`,
    () => {
      let place: Place;
      beforeAll(async () => {
        place = await startPlace(kind);
      }, 120_000);
      afterAll(() => place.stop());

      it('comes back on another machine as it was stored', async () => {
        const address = place.address();
        const store = audioAt(address, place.environment);
        const { at, hash, bytes, content } = song(`${kind}-one.mp3`);
        expect(await store.has(hash)).toBe(false);
        expect(
          await store.download(hash, bytes, { files: systemFiles, path: path.join(folder, 'nothing.mp3') }),
        ).toBe('absent');
        expect(await store.put(at, hash, bytes)).toBe('stored');
        expect(await store.put(at, hash, bytes)).toBe('stored');
        const other = audioAt(address, place.environment);
        expect([await other.has(hash), await other.holds(hash)]).toEqual([true, true]);
        const there = path.join(folder, `${kind}-there`);
        const to = { files: systemFiles, path: path.join(there, 'one.mp3') };
        mkdirSync(there);
        writeFileSync(path.join(there, 'one.mp3.part'), 'mine');
        expect(await other.download(hash, bytes, to)).toBe('downloaded');
        expect(readFileSync(to.path).equals(content)).toBe(true);
        expect(await other.download(hash, bytes, to)).toBe('exists');
        expect(readdirSync(there)).toEqual(['one.mp3', 'one.mp3.part']);
        expect(readFileSync(path.join(there, 'one.mp3.part'), 'utf8')).toBe('mine');
        await store.close();
        await other.close();
      });

      it('is not stored if the file is not the recorded one', async () => {
        const store = audioAt(place.address(), place.environment);
        const { at, hash, bytes, content } = song(`${kind}-two.mp3`);
        writeFileSync(at, Buffer.concat([content.subarray(0, -1), Buffer.of(content.at(-1)! ^ 1)]));
        expect(await store.put(at, hash, bytes)).toBe('changed');
        writeFileSync(at, content.subarray(0, -1));
        expect(await store.put(at, hash, bytes)).toBe('changed');
        expect(await store.has(hash)).toBe(false);
        await store.close();
      });
    },
  );
}

describe('audio in a folder', () => {
  it('that was damaged there is neither counted as stored nor returned', async () => {
    const root = mkdtempSync(path.join(folder, 'share-'));
    const store = audioAt(`file://${root}`, {});
    const { at, hash, bytes } = song('damaged.mp3', 5_000);
    await store.put(at, hash, bytes);
    writeFileSync(path.join(root, audioKey(hash)), 'other bytes');
    await expect(store.put(at, hash, bytes)).rejects.toMatchObject({ kind: 'altered' });
    expect([await store.has(hash), await store.holds(hash)]).toEqual([true, false]);
    const there = mkdtempSync(path.join(folder, 'there-'));
    const to = { files: systemFiles, path: path.join(there, 'copy.mp3') };
    await expect(store.download(hash, bytes, to)).rejects.toMatchObject({ kind: 'altered' });
    expect(readdirSync(there)).toEqual([]);
  });

  it('leaves nothing behind if the disk is full, as the log needs the space', async () => {
    const root = mkdtempSync(path.join(folder, 'share-'));
    const { at, hash, bytes } = song('full.mp3', 5_000);
    const full = Object.assign(new Error('full'), { code: 'ENOSPC' });
    const files: Files = {
      ...systemFiles,
      open: async (...words) => ({
        ...(await systemFiles.open(...words)),
        sync: () => Promise.reject(full),
      }),
    };
    const store = createFolderAudio(files, systemRandom, root);
    await expect(store.put(at, hash, bytes)).rejects.toMatchObject({ name: 'StoreFault' });
    expect(readdirSync(path.join(root, 'audio'))).toEqual([]);
  });

  it('is read no further than its recorded size', async () => {
    const root = mkdtempSync(path.join(folder, 'share-'));
    const { hash } = song('endless.mp3', 5_000);
    let read = 0;
    const files: Files = {
      ...systemFiles,
      facts: async () => ({ kind: 'directory', bytes: 0, modifiedMs: 0, id: '', isPrivate: false }),
      stream: async function* () {
        for (;;) {
          read += 1_000;
          yield new Uint8Array(1_000);
        }
      },
    };
    const store = createFolderAudio(files, systemRandom, root);
    const to = { files: systemFiles, path: path.join(root, 'copy.mp3') };
    await expect(store.download(hash, 5_000, to)).rejects.toMatchObject({ kind: 'altered' });
    expect(read).toBe(6_000);
  });

  it('is not downloaded through a link that takes the place of a folder meanwhile', async () => {
    const root = mkdtempSync(path.join(folder, 'share-'));
    const [out, elsewhere] = [path.join(root, 'out'), path.join(root, 'elsewhere')];
    for (const made of [path.join(out, 'cd1'), elsewhere]) mkdirSync(made, { recursive: true });
    const output = await systemFiles.below(out);
    const { hash, content, bytes } = song('swapped.mp3', 5_000);
    const files: Files = {
      ...systemFiles,
      facts: async () => ({ kind: 'directory', bytes: 0, modifiedMs: 0, id: '', isPrivate: false }),
      stream: async function* () {
        renameSync(path.join(out, 'cd1'), path.join(out, 'cd2'));
        symlinkSync(elsewhere, path.join(out, 'cd1'));
        yield content;
      },
    };
    const store = createFolderAudio(files, systemRandom, root);
    const to = { files: output, path: path.join(out, 'cd1', 'a.mp3') };
    await expect(store.download(hash, bytes, to)).rejects.toMatchObject({ code: 'ELOOP' });
    expect(readdirSync(elsewhere)).toEqual([]);
  });

  it('is downloaded to a disk without hard links', async () => {
    const root = mkdtempSync(path.join(folder, 'share-'));
    const { hash, content, bytes } = song('linkless.mp3', 5_000);
    const stored: Files = {
      ...systemFiles,
      facts: async () => ({ kind: 'directory', bytes: 0, modifiedMs: 0, id: '', isPrivate: false }),
      stream: async function* () {
        yield content;
      },
    };
    const linkless: Files = {
      ...systemFiles,
      link: async () => {
        throw Object.assign(new Error('EPERM'), { code: 'EPERM' });
      },
    };
    const store = createFolderAudio(stored, systemRandom, root);
    const to = { files: linkless, path: path.join(root, 'copy.mp3') };
    expect(await store.download(hash, bytes, to)).toBe('downloaded');
    expect(readdirSync(root)).toEqual(['copy.mp3']);
  });

  it('is refused if the folder does not exist', async () => {
    const store = audioAt(`file://${folder}/not-mounted`, {});
    const { at, hash, bytes } = song('nowhere.mp3', 5_000);
    await expect(store.put(at, hash, bytes)).rejects.toMatchObject({ kind: 'missing' });
    expect(existsSync(`${folder}/not-mounted`)).toBe(false);
  });
});

describe('an upload to S3', () => {
  /** An in-memory server that keeps what it is sent. Each PUT may lose its response. */
  function server(fate: (put: number) => 'answered' | 'lost before' | 'lost after') {
    const objects = new Map<string, Buffer>();
    const sent: { pieces: number[]; headers: Readonly<Record<string, string>> }[] = [];
    const web = webThat(async ({ method, url, headers, body }): Promise<Reply> => {
      const object = objects.get(url);
      if (method === 'HEAD')
        return object === undefined
          ? reply(404)
          : reply(200, '', { 'content-length': String(object.length) });
      if (method === 'GET')
        return object === undefined
          ? reply(404, '<Error><Code>NoSuchKey</Code></Error>')
          : reply(200, object.toString('latin1'));
      const pieces: Buffer[] = [];
      try {
        for await (const piece of body as AsyncIterable<Uint8Array>) pieces.push(Buffer.from(piece));
      } catch {
        return NO_REPLY;
      }
      sent.push({ pieces: pieces.map(({ length }) => length), headers });
      const what = fate(sent.length);
      if (what === 'lost before') return NO_REPLY;
      if (object !== undefined) return reply(412, '<Error><Code>PreconditionFailed</Code></Error>');
      objects.set(url, Buffer.concat(pieces));
      return what === 'lost after' ? NO_REPLY : reply(200);
    });
    return { web, sent, objects };
  }

  it('goes in parts, with its hash signed', async () => {
    const { web, sent } = server(() => 'answered');
    const { at, hash, bytes } = song('pieces.wav', 8_000_000);
    expect(await audioAt('s3://bucket/p', KEYS, web).put(at, hash, bytes)).toBe('stored');
    expect(sent[0]?.headers).toMatchObject({
      'if-none-match': '*',
      'x-amz-content-sha256': hash,
      'content-length': String(bytes),
    });
    expect(Math.max(...(sent[0]?.pieces ?? []))).toBeLessThanOrEqual(1024 * 1024);
  });

  it('is sent again if it was lost, but not if only the response was', async () => {
    for (const [fate, puts] of [
      ['lost before', 2],
      ['lost after', 1],
    ] as const) {
      const { web, sent, objects } = server((put) => (put === 1 ? fate : 'answered'));
      // Latin letters only: the fake answers in text.
      const at = path.join(folder, 'letters.wav');
      writeFileSync(at, 'a'.repeat(10_000));
      const hash = sha256(readFileSync(at));
      expect(await audioAt('s3://bucket/p', KEYS, web).put(at, hash, 10_000), fate).toBe('stored');
      expect([sent.length, objects.size], fate).toEqual([puts, 1]);
    }
  });

  it('says why a request was refused, although the response to HEAD does not', async () => {
    const expired = '<Error><Code>ExpiredToken</Code></Error>';
    const web = webThat(({ method }) => reply(400, method === 'HEAD' ? '' : expired));
    const store = audioAt('s3://bucket/p', KEYS, web);
    await expect(store.has('a'.repeat(64))).rejects.toMatchObject({ kind: 'expired' });
  });

  it('is not taken for absent because a proxy answers 404', async () => {
    const proxy = webThat(({ method }) => reply(404, method === 'HEAD' ? '' : '<html>Not found</html>'));
    const store = audioAt('s3://bucket/p', KEYS, proxy);
    await expect(store.has('a'.repeat(64))).rejects.toThrow('HTTP 404, not from S3');
  });

  it('is read back if somebody else was first, and refused if it is something else', async () => {
    const { web, objects } = server(() => 'answered');
    const { at, hash, bytes } = song('first.wav', 1_000);
    const store = audioAt('s3://bucket/p', KEYS, web);
    await store.put(at, hash, bytes);
    for (const url of objects.keys()) objects.set(url, Buffer.from('y'.repeat(1_000)));
    await expect(store.put(at, hash, bytes)).rejects.toMatchObject({ kind: 'altered' });
  });
});

it('accepts nothing more once aborted', async () => {
  const web = createWeb({}, String);
  await web.close();
  const answer = await web.request({
    method: 'GET',
    url: 'http://127.0.0.1:1/',
    headers: {},
    deadlineMs: 5_000,
  });
  expect(answer.kind).toBe('no_answer');
});
