import { type AudioCache, openAudioCache } from '../audio/cache.js';
import { cachedPeaks } from '../audio/cached-peaks.js';
import type { Peaks } from '../audio/peaks.js';
import type { Expected } from '../qc/findings.js';
import type { ReviewSound } from '../review/data.js';
import type { Session } from '../session/session.js';
import { createSoundChecker, type Sound, type SoundChecker } from './check-sound.js';

/** A stored file with the requested sound. */
export interface ListenedFile {
  readonly sha256: string;
  /** Relative to the output root. */
  readonly path: string;
  readonly expected: Expected;
}

/** Measures files, each once, in a separate thread. */
export interface Listener {
  /** Results so far, by SHA-256. */
  readonly sounds: ReadonlyMap<string, ReviewSound>;
  /** Runs before all waiting files. `undefined`: it cannot be decoded here. */
  peaks(file: ListenedFile): Promise<Peaks | undefined>;
  /** Measures the files not measured yet. Resolves when all are. */
  measureFiles(files: Iterable<ListenedFile>): Promise<void>;
  close(): Promise<void>;
}

interface Waiting {
  readonly file: ListenedFile;
  readonly onMeasured: (peaks: Peaks | undefined) => void;
}

export async function openListener(session: Session): Promise<Listener> {
  const { ports, settings } = session;
  const cache = await openAudioCache(ports.files, ports.random, settings.lockfilePath.value);
  const checker = createSoundChecker(session);
  const sounds = new Map<string, ReviewSound>();
  const asked = new Map<string, Promise<Peaks | undefined>>();
  const waiting = new Map<string, Waiting>();
  const urgent: string[] = [];
  let busy = false;

  const work = async () => {
    if (busy) return;
    busy = true;
    while (waiting.size > 0) {
      const next = waiting.get(urgent.pop() ?? '') ?? waiting.values().next().value!;
      waiting.delete(next.file.sha256);
      next.onMeasured(await measureOne(checker, cache, next.file, sounds));
    }
    busy = false;
  };
  const ask = (file: ListenedFile): Promise<Peaks | undefined> => {
    const { sha256 } = file;
    const known =
      asked.get(sha256) ??
      new Promise<Peaks | undefined>((onMeasured) => {
        waiting.set(sha256, { file, onMeasured });
      });
    asked.set(sha256, known);
    return known;
  };
  return {
    sounds,
    peaks(file) {
      const peaks = ask(file);
      urgent.push(file.sha256);
      void work();
      return peaks;
    },
    async measureFiles(files) {
      const all = [...files].map(ask);
      void work();
      await Promise.all(all);
    },
    close: () => checker.close(),
  };
}

async function measureOne(
  checker: SoundChecker,
  cache: AudioCache,
  { path, expected, sha256 }: ListenedFile,
  sounds: Map<string, ReviewSound>,
): Promise<Peaks | undefined> {
  const sound = await checker.check(path, expected, sha256).catch(() => undefined);
  sounds.set(sha256, soundOf(sound));
  // The checker caches them too.
  return cachedPeaks(cache, sha256, async () => ({ kind: 'unsupported', format: path }));
}

function soundOf(sound: Sound | undefined): ReviewSound {
  if (sound === undefined) return { warnings: [] };
  const { durationSeconds, loudnessLufs, truePeakDbtp } = sound.measures;
  return {
    durationSeconds,
    ...(loudnessLufs === null ? {} : { loudnessLufs }),
    ...(truePeakDbtp === null ? {} : { truePeakDb: truePeakDbtp }),
    warnings: sound.findings.map(({ message }) => message.charAt(0).toUpperCase() + message.slice(1)),
  };
}

/** Heights from 0 to 255, as drawn by the page. */
export function heightsOf({ min, max }: Peaks): Uint8Array {
  return Uint8Array.from(max, (high, index) => Math.round(255 * Math.max(high, -(min[index] ?? 0))));
}
