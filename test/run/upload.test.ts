import { createHash } from 'node:crypto';
import path from 'node:path';
import { expect, it } from 'vitest';
import type { Attempt } from '../../src/lockfile/attempt.js';
import { pullFiles, pushFiles } from '../../src/run/upload.js';
import type { AudioStore } from '../../src/shared-log/audio-store.js';
import type { Output } from '../../src/storage/output.js';

const NAMES = ['a', 'b', 'c', 'd', 'e', 'f', 'g', 'h', 'i', 'j'];
/** Each file contains its name. */
const hashOf = (name: string) => createHash('sha256').update(name).digest('hex');
const attempts = NAMES.map((name) => {
  const file = { path: `${name}.flac`, bytes: 1, sha256: hashOf(name) };
  return { attempt: name, state: 'done', file } as Attempt;
});

/** The run is stopped during the first transfer. */
function stage(isHere: boolean) {
  const stop = new AbortController();
  const moved: string[] = [];
  const audio = {
    has: async () => false,
    put: async (file: string) => {
      moved.push(path.basename(file, '.flac'));
      stop.abort();
      return 'stored';
    },
    download: async (sha256: string) => {
      moved.push(NAMES.find((name) => hashOf(name) === sha256)!);
      stop.abort();
      return 'downloaded';
    },
  } as unknown as AudioStore;
  const facts = async (file: string) => (isHere ? { kind: 'file', bytes: 1, id: file } : undefined);
  const stream = async function* (file: string) {
    yield Buffer.from(path.basename(file, '.flac'));
  };
  const output = { root: '/out', files: { facts, stream } } as unknown as Output;
  return { audio, output, stop, moved };
}

it('a stopped run downloads no other file, and knows which ones may be in the audio store', async () => {
  const { audio, output, stop, moved } = stage(false);
  const { files, failed, left } = await pullFiles(audio, output, attempts, stop.signal);
  expect(moved.length).toBeLessThan(NAMES.length);
  expect(files).toHaveLength(moved.length);
  expect(failed).toEqual([]);
  expect([...moved, ...left].sort()).toEqual(NAMES);
});

it('a stopped run uploads no other file', async () => {
  const { audio, output, stop, moved } = stage(true);
  expect(await pushFiles(audio, output, attempts, stop.signal)).toEqual([]);
  expect(moved.length).toBeLessThan(NAMES.length);
});
