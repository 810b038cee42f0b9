import path from 'node:path';
import pLimit from 'p-limit';
import { emitNotice } from '../core/emit-notice.js';
import { faultCode, isSystemFault } from '../core/errors.js';
import type { Attempt, StoredFile } from '../lockfile/attempt.js';
import type { AudioStore } from '../shared-log/audio-store.js';
import type { StoreFault } from '../shared-log/object-store.js';
import { hashedOnce } from '../storage/link-into-place.js';
import type { Output } from '../storage/output.js';
import type { RunContext } from './context.js';
import { stopBuying } from './context.js';
import { stateOf } from './recover.js';

export type Uploaded =
  | 'banked'
  | 'changed'
  /** `refused`: a retry would fail the same way. */
  | { readonly failed: string; readonly refused: Refusal | undefined };

/** What is wrong: the credentials, or the store itself, such as a folder that is no longer mounted. */
export type Refusal = 'credentials' | 'store';

/**
 * Uploads a stored file so that every machine can fetch it, and checks that it arrived. Does nothing without an audio
 * store.
 */
export async function uploadFile(
  { audio, output }: RunContext,
  { path: place, sha256, bytes }: StoredFile,
): Promise<Uploaded> {
  if (audio === undefined) return 'banked';
  try {
    const answer = await audio.put(path.join(output.root, place), sha256, bytes);
    return answer === 'stored' ? 'banked' : 'changed';
  } catch (error) {
    return { failed: messageOf(error), refused: refusalOf(error) };
  }
}

/** Why the store will refuse however often it is asked; `undefined` if it may not. */
export function refusalOf(error: unknown): Refusal | undefined {
  if (!isStoreFault(error) || error.kind === 'unreachable') return undefined;
  return error.kind === 'denied' || error.kind === 'expired' ? 'credentials' : 'store';
}

/**
 * Files stay on this machine, and the service's copies are kept: the next run that can write there uploads them.
 * Reported once; nothing more is bought.
 */
export function reportRefused(context: RunContext, why: string, refused: Refusal): void {
  const reason = refused === 'credentials' ? 'log_refused' : 'log_unavailable';
  const first = !context.stopReasons.has(reason);
  stopBuying(context, reason);
  if (first)
    emitNotice(
      context,
      'error',
      'not-pushed',
      `cannot write to the audio store (${why}): files stay on this machine, their remote copies are kept, and nothing more is submitted`,
      `${NEEDED[refused]}: ${context.settings.command('run')}`,
    );
}

const NEEDED: Readonly<Record<Refusal, string>> = {
  credentials: 'with credentials that may write there',
  store: 'when the store can be used again',
};

/**
 * Whether the audio store has the file, byte for byte, so that any machine can fetch it. What this run uploaded or
 * checked before only has to be there. Rejects with a `StoreFault`.
 */
export async function isUploaded(
  { audio, made, inStore }: RunContext,
  { attempt, file }: Attempt,
): Promise<boolean> {
  if (audio === undefined || file === undefined) return false;
  const { sha256 } = file;
  if (made.has(attempt) || inStore.has(sha256)) return audio.has(sha256);
  const isThere = await audio.holds(sha256);
  if (isThere) inStore.add(sha256);
  return isThere;
}

export interface Pulled {
  /** Paths of downloaded files, relative to the output root. */
  readonly files: readonly string[];
  /** Files that should be here but are not in the audio store (`absent`), or could not be fetched, and why. */
  readonly failed: readonly NotPulled[];
  /** Files that are not the ones that were stored: they stay. */
  readonly changed: readonly Pick<NotPulled, 'attempt' | 'path'>[];
  /** Attempts whose files are not here, and were not begun because the run was stopped. */
  readonly left: readonly string[];
}

export interface NotPulled {
  readonly attempt: string;
  readonly path: string;
  readonly why: string;
  readonly absent: boolean;
}

const DOWNLOADS_AT_ONCE = 4;
const IN_THE_WAY = 'something else is in its place; move that away';

/** Downloads files that other machines stored, by hash. Replaces nothing. Once stopped, it begins no other file. */
export async function pullFiles(
  audio: AudioStore,
  output: Output,
  attempts: Iterable<Attempt>,
  stop?: AbortSignal,
): Promise<Pulled> {
  const limit = pLimit(DOWNLOADS_AT_ONCE);
  const left: string[] = [];
  const files: string[] = [];
  const failed: NotPulled[] = [];
  const changed: Pulled['changed'][number][] = [];
  const pull = async (attempt: Attempt, file: StoredFile) => {
    const target = path.join(output.root, file.path);
    const fail = (absent: boolean, why: string) =>
      failed.push({ attempt: attempt.attempt, path: file.path, absent, why });
    try {
      const before = await stateOf({ output }, attempt, 'size');
      if (before === 'changed') changed.push({ attempt: attempt.attempt, path: file.path });
      if (before !== 'missing') return;
      if (stop?.aborted === true) {
        left.push(attempt.attempt);
        return;
      }
      const answer = await audio.download(file.sha256, file.bytes, { files: output.files, path: target });
      if (answer === 'downloaded') files.push(file.path);
      else if (answer === 'absent') fail(true, 'it is not in the audio store');
      // Another download may have been faster.
      else if ((await stateOf({ output }, attempt, 'size')) !== 'present') fail(false, IN_THE_WAY);
    } catch (error) {
      fail(false, messageOf(error));
    }
  };
  await Promise.all(
    [...attempts].flatMap((attempt) => {
      const { file, state } = attempt;
      return file === undefined || (state !== 'done' && state !== 'stored')
        ? []
        : [limit(() => pull(attempt, file))];
    }),
  );
  return { files, failed, changed, left };
}

/**
 * Uploads files that were stored before there was an audio store; once stopped, it begins no other one. Returns the
 * paths of those that failed.
 */
export async function pushFiles(
  audio: AudioStore,
  output: Output,
  attempts: Iterable<Attempt>,
  stop?: AbortSignal,
): Promise<readonly Pick<NotPulled, 'path' | 'why'>[]> {
  const limit = pLimit(DOWNLOADS_AT_ONCE);
  const failed: { path: string; why: string }[] = [];
  const look = hashedOnce(output.files);
  const push = async (attempt: Attempt, { path: place, sha256, bytes }: StoredFile) => {
    if (stop?.aborted === true) return;
    try {
      if ((await stateOf({ output }, attempt, 'size')) !== 'present' || (await audio.has(sha256))) return;
      // The store reads the whole file to see whether it is this one.
      if ((await stateOf({ output }, attempt, 'hash', place, look)) !== 'present') return;
      await audio.put(path.join(output.root, place), sha256, bytes);
    } catch (error) {
      failed.push({ path: place, why: messageOf(error) });
    }
  };
  await Promise.all(
    [...attempts].flatMap((attempt) => {
      const { file, state } = attempt;
      return file === undefined || state !== 'done' ? [] : [limit(() => push(attempt, file))];
    }),
  );
  return failed;
}

/** Checked by name: a run without a shared log does not load that code. */
export function isStoreFault(error: unknown): error is StoreFault {
  return error instanceof Error && error.name === 'StoreFault';
}

function messageOf(error: unknown): string {
  if (isStoreFault(error)) return error.message;
  if (isSystemFault(error)) return faultCode(error);
  throw error;
}
