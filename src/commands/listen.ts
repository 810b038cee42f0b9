import path from 'node:path';
import { type AudioCache, openAudioCache } from '../audio/cache.js';
import { cachedPeaks } from '../audio/cached-peaks.js';
import type { Peaks } from '../audio/peaks.js';
import type { ReviewFile, ReviewSound } from '../review/data.js';
import type { Output } from '../storage/output.js';
import type { Session } from './session.js';

/** Finds out what files sound like, one after the other, each once. */
export interface Listener {
  /** By SHA-256: what is known so far. */
  readonly sounds: ReadonlyMap<string, ReviewSound>;
  /** `undefined`: it cannot be decoded here. */
  peaks(file: ReviewFile): Promise<Peaks | undefined>;
  /** Those that were not heard yet, after those that are being heard. Resolves when all have been. */
  hear(files: Iterable<ReviewFile>): Promise<void>;
}

/** More than that is no take of a track. */
const AUDIO_BYTES_MAX = 1024 * 1024 * 1024;

export async function openListener({ ports, settings }: Session, output: Output): Promise<Listener> {
  const cache = await openAudioCache(ports.files, ports.random, settings.lockfilePath.value);
  const sounds = new Map<string, ReviewSound>();
  const asked = new Map<string, Promise<Peaks | undefined>>();
  let hearing = Promise.resolve();
  const peaks = (file: ReviewFile) => {
    const known = asked.get(file.sha256) ?? hearOne(cache, output, file, sounds);
    asked.set(file.sha256, known);
    return known;
  };
  return {
    sounds,
    peaks,
    hear(files) {
      hearing = hearing.then(async () => {
        for (const file of files) if (!sounds.has(file.sha256)) await peaks(file);
      });
      return hearing;
    },
  };
}

async function hearOne(
  cache: AudioCache,
  output: Output,
  file: ReviewFile,
  sounds: Map<string, ReviewSound>,
): Promise<Peaks | undefined> {
  const full = path.join(output.root, file.path);
  const peaks = await cachedPeaks(cache, file.sha256, async () => {
    const { decodeAudio } = await import('../audio/decode.js');
    const { decodeWithFfmpeg } = await import('../node/ffmpeg-decode.js');
    return decodeAudio(await output.files.read(full, AUDIO_BYTES_MAX), () => decodeWithFfmpeg(full));
  }).catch(() => undefined);
  sounds.set(file.sha256, {
    ...(peaks === undefined ? {} : { durationSeconds: peaks.durationSeconds }),
    warnings: [],
  });
  return peaks;
}

/** As heights from 0 to 255: what the page draws. */
export function heightsOf({ min, max }: Peaks): Uint8Array {
  return Uint8Array.from(max, (high, index) => Math.round(255 * Math.max(high, -(min[index] ?? 0))));
}
