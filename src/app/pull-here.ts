import type { Attempt } from '../lockfile/attempt.js';
import type { NextCommand } from '../lockfile/lock-error.js';
import type { AudioStore } from '../shared-log/audio-store.js';
import type { Output } from '../storage/output.js';
import type { Notify } from './opening.js';

/** Files named in warnings, at most. */
const NAMED_MAX = 5;

/**
 * Brings files here that other machines stored: by their hashes, at no cost. Replaces nothing, and asks nobody where every file is
 * here.
 *
 * @returns the attempts whose files are elsewhere, and could not be downloaded
 */
export async function pullHere(
  audio: AudioStore | undefined,
  output: Output,
  attempts: Iterable<Attempt>,
  report: Notify,
  { placeOf = String, command }: { placeOf?(file: string): string; readonly command: NextCommand },
): Promise<ReadonlySet<string>> {
  if (audio === undefined) return new Set();
  const { pullFiles } = await import('../run/upload.js');
  const { files, failed } = await pullFiles(audio, output, attempts);
  const count = files.length === 1 ? '1 file' : `${files.length} files`;
  if (files.length > 0) report('info', 'files-pulled', `downloaded ${count} stored by other machines`);
  for (const { path: place, why } of failed.slice(0, NAMED_MAX))
    report(
      'warning',
      'not-pulled',
      `could not download ${placeOf(place)}: ${why}`,
      `to try again: ${command('pull')}`,
    );
  return new Set(failed.filter(({ absent }) => !absent).map(({ attempt }) => attempt));
}

/** Requests to the audio store at once. */
const ASKED_AT_ONCE = 8;

/**
 * The attempts whose audio a run would download instead of buying it again: all that the audio store has, and where it gives no
 * answer, all that it may have. Downloads nothing.
 */
export async function pullableFrom(
  audio: Pick<AudioStore, 'has'>,
  attempts: readonly Attempt[],
): Promise<ReadonlySet<string>> {
  const pullable = new Set<string>();
  const stored = attempts.filter(({ state, file }) => state === 'done' && file !== undefined);
  for (let from = 0; from < stored.length; from += ASKED_AT_ONCE)
    await Promise.all(
      stored.slice(from, from + ASKED_AT_ONCE).map(async ({ attempt, file }) => {
        const has = file === undefined || (await audio.has(file.sha256).catch(() => true));
        if (has) pullable.add(attempt);
      }),
    );
  return pullable;
}
