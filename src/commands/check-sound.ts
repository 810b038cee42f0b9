import { createHash } from 'node:crypto';
import path from 'node:path';
import { openAudioCache } from '../audio/cache.js';
import { isSystemFault } from '../core/errors.js';
import type { FiledAttempt } from '../lockfile/attempt.js';
import type { FileState } from '../plan/history.js';
import { knownMeasures, measuresOf, wasUndecodable } from '../qc/analysis.js';
import { type Expected, findingsOf, type QcFinding } from '../qc/findings.js';
import type { Measures } from '../qc/measure.js';
import { stateOf } from '../run/recover.js';
import type { Session } from '../session/session.js';
import { hashedOnce } from '../storage/link-into-place.js';
import { openOutput } from '../storage/output.js';
import { createQcThread } from './qc-thread.js';

/** The sound of one stored file. */
export interface Sound {
  readonly sha256: string;
  readonly measures: Measures;
  readonly findings: readonly QcFinding[];
}

export interface SoundChecker {
  /**
   * Measures a stored file, or returns earlier measurements of the same bytes.
   *
   * @param file relative to the output root
   * @param sha256 as recorded; if absent, it is computed
   * @returns `undefined` if the file is gone, or cannot be decoded here
   */
  check(file: string, expected: Expected, sha256?: string): Promise<Sound | undefined>;
  /** Earlier measurements of bytes with this hash. */
  known(expected: Expected, sha256: string): Promise<Sound | undefined>;
  /** Whether the take's file is there. Another file in its place has its own sound, which is not that of the take. */
  state(attempt: FiledAttempt, how: 'size' | 'hash'): Promise<FileState>;
  /** Whether a file with this hash could not be decoded here before. */
  wasUndecodable(sha256: string): Promise<boolean>;
  close(): Promise<void>;
}

/** Larger files are not analysed: decoded, they would not fit in memory. */
const FILE_BYTES_MAX = 1024 * 1024 * 1024;

/** Measures the sound of files in a separate thread, one after another. */
export function createSoundChecker({ settings, ports }: Session): SoundChecker {
  const thread = createQcThread();
  const root = settings.outputRoot.value;
  const lockPath = settings.lockfilePath.value;
  const opened = Promise.all([
    openOutput(ports.files, root),
    openAudioCache(ports.files, ports.random, lockPath),
  ]);
  opened.catch(() => {});
  const look = opened.then(([output]) => hashedOnce(output.files));
  look.catch(() => {});
  let before: Promise<unknown> = Promise.resolve();

  async function known(expected: Expected, sha256: string): Promise<Sound | undefined> {
    const [, cache] = await opened;
    const measures = await knownMeasures(cache, sha256);
    return measures && { sha256, measures, findings: findingsOf(measures, expected) };
  }

  async function checkNow(file: string, expected: Expected, recorded?: string): Promise<Sound | undefined> {
    try {
      const before = recorded === undefined ? undefined : await known(expected, recorded);
      if (before !== undefined) return before;
      const [output, cache] = await opened;
      const full = path.join(root, file);
      const bytes = await output.files.read(full, FILE_BYTES_MAX);
      const sha256 = createHash('sha256').update(bytes).digest('hex');
      // A copy, because its memory is transferred to the thread.
      const measures = await measuresOf(cache, sha256, () =>
        thread.analyse({ bytes: Uint8Array.from(bytes), file: full }),
      );
      return measures && { sha256, measures, findings: findingsOf(measures, expected) };
    } catch (error) {
      if (isSystemFault(error)) return undefined;
      throw error;
    }
  }

  async function state(attempt: FiledAttempt, how: 'size' | 'hash'): Promise<FileState> {
    const [output] = await opened;
    return stateOf({ output }, attempt, how, attempt.file.path, await look).catch((error: unknown) => {
      if (isSystemFault(error)) return 'missing';
      throw error;
    });
  }

  return {
    // One at a time, so that not all files are in memory at once.
    check(file, expected, sha256) {
      const found = before.then(() => checkNow(file, expected, sha256));
      before = found.catch(() => {});
      return found;
    },
    known,
    state,
    wasUndecodable: async (sha256) => wasUndecodable((await opened)[1], sha256),
    close: () => thread.close(),
  };
}
