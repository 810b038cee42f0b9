import type { Attempt } from '../lockfile/attempt.js';
import type { NextCommand } from '../lockfile/lock-error.js';
import type { AudioStore } from '../shared-log/audio-store.js';
import type { Output } from '../storage/output.js';
import type { Notify } from './opening.js';

/** At most this many files are named in warnings. */
const NAMED_MAX = 5;

/**
 * Downloads files that other machines stored, by hash, at no cost. Replaces nothing, and contacts no one if every file
 * is already here.
 *
 * @returns the attempts whose files are elsewhere and could not be downloaded
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

/** Simultaneous requests to the audio store. */
const ASKED_AT_ONCE = 8;

/**
 * The attempts whose audio a run would download instead of buying again: everything the audio store has, or, if it does
 * not answer, may have. Downloads nothing.
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
