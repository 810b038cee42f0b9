import type { Attempt } from '../lockfile/attempt.js';
import type { NextCommand } from '../lockfile/lock-error.js';
import { stateOf } from '../run/recover.js';
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

export interface Pullable {
  /** Attempts whose files are not here but in the audio store. */
  readonly inStore: ReadonlySet<string>;
  /** Attempts whose files are not here, and for which the audio store did not answer: they may be there. */
  readonly unclear: ReadonlySet<string>;
}

/** What a run would download from the audio store instead of buying it again. Asks only for files that are not here. */
export async function pullableFrom(
  audio: Pick<AudioStore, 'has'>,
  output: Output,
  attempts: readonly Attempt[],
): Promise<Pullable> {
  const inStore = new Set<string>();
  const unclear = new Set<string>();
  const ask = async (attempt: Attempt, sha256: string) => {
    const state = await stateOf({ output }, attempt, 'size').catch(() => 'unreadable');
    if (state !== 'missing') return;
    const has = await audio.has(sha256).catch(() => undefined);
    if (has !== false) (has === undefined ? unclear : inStore).add(attempt.attempt);
  };
  const stored = attempts.filter(({ state }) => state === 'done');
  for (let from = 0; from < stored.length; from += ASKED_AT_ONCE)
    await Promise.all(
      stored
        .slice(from, from + ASKED_AT_ONCE)
        .map((attempt) => attempt.file && ask(attempt, attempt.file.sha256)),
    );
  return { inStore, unclear };
}
