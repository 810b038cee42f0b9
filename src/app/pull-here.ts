import type { Attempt } from '../lockfile/attempt.js';
import type { NextCommand } from '../lockfile/lock-error.js';
import type { Manifest } from '../manifest/take.js';
import { missingOf } from '../plan/latest-attempts.js';
import { stateOf } from '../run/recover.js';
import type { NotPulled, Pulled } from '../run/upload.js';
import type { AudioStore } from '../shared-log/audio-store.js';
import type { Output } from '../storage/output.js';
import type { Notify } from './opening.js';
import { takeStatusesOf } from './take-status.js';

/** At most this many files are named in warnings. */
const NAMED_MAX = 5;

export interface PullSettings {
  /** Absent: it cannot be used, so every take of the lockfile needs its file. */
  readonly manifest: Manifest | undefined;
  placeOf?(file: string): string;
  readonly command: NextCommand;
  /** Attempts whose files were reported before: they are not reported again, and new ones are added. */
  readonly reported?: Set<string>;
  /** Once aborted, no other file is begun. */
  readonly stop?: AbortSignal | undefined;
}

/**
 * Downloads files that other machines stored, by hash, at no cost. Replaces nothing, and contacts no one if every file
 * is already here. Reports the files that could not be downloaded, except those that no take needs here.
 *
 * @returns the attempts whose files may be in the audio store and could not be downloaded
 */
export async function pullHere(
  audio: AudioStore | undefined,
  output: Output,
  attempts: Iterable<Attempt>,
  report: Notify,
  { manifest, placeOf = String, command, reported = new Set(), stop }: PullSettings,
): Promise<ReadonlySet<string>> {
  if (audio === undefined) return new Set();
  const { files, failed, left } = await pullWanted(audio, output, [...attempts], manifest, stop);
  const count = files.length === 1 ? '1 file' : `${files.length} files`;
  if (files.length > 0) report('info', 'files-pulled', `downloaded ${count} stored by other machines`);
  const unreported = failed.filter(({ attempt, needed }) => needed && !reported.has(attempt));
  for (const { attempt } of unreported) reported.add(attempt);
  for (const { path: place, absent, why } of unreported.slice(0, NAMED_MAX)) {
    // What the store lacks it will lack the next time, too.
    const again = absent ? undefined : `to try again: ${command('pull')}`;
    report('warning', 'not-pulled', `could not download ${placeOf(place)}: ${why}`, again);
  }
  return new Set([...left, ...failed.filter(({ absent }) => !absent).map(({ attempt }) => attempt)]);
}

/** Which files may still be downloaded, together with those that could not be downloaded just now. */
export function orNotPulled(
  fetchable: ((attempt: Attempt) => boolean) | undefined,
  notPulled: ReadonlySet<string>,
): (attempt: Attempt) => boolean {
  return (one) => notPulled.has(one.attempt) || fetchable?.(one) === true;
}

export interface Wanted extends NotPulled {
  /**
   * Whether a take is incomplete without the file. What the audio store lacks is not needed if the take was removed or
   * made again since, or if the manifest says that its audio is kept elsewhere.
   */
  readonly needed: boolean;
}

/** Downloads files that other machines stored, and judges those that it could not get. */
export async function pullWanted(
  audio: AudioStore,
  output: Output,
  attempts: readonly Attempt[],
  manifest: Manifest | undefined,
  stop?: AbortSignal,
): Promise<Omit<Pulled, 'failed'> & { readonly failed: readonly Wanted[] }> {
  const { pullFiles } = await import('../run/upload.js');
  const { files, failed, changed, left } = await pullFiles(audio, output, attempts, stop);
  const { isNeeded, isCurrent } =
    changed.length > 0 || failed.some(({ absent }) => absent)
      ? await wantedHere(output, attempts, manifest)
      : NOT_ASKED;
  return {
    files,
    left,
    changed: changed.filter(({ attempt }) => isCurrent(attempt)),
    failed: failed.map((one) => ({ ...one, needed: !one.absent || isNeeded(one.attempt) })),
  };
}

const NOT_ASKED = { isNeeded: () => true, isCurrent: () => true };

/** Which attempts a take lacks the file of, and which have the file that a take goes by. */
async function wantedHere(
  output: Output,
  attempts: readonly Attempt[],
  manifest: Manifest | undefined,
): Promise<Record<keyof typeof NOT_ASKED, (attempt: string) => boolean>> {
  const { rows } = await takeStatusesOf({ output }, attempts, manifest, { unreadable: () => {} });
  const needed = new Set(
    rows.flatMap((row) => {
      const attempt = row.decision.kind === 'collect' ? row.decision.attempt : missingOf(row);
      return attempt?.attempt ?? [];
    }),
  );
  const current = new Set(
    rows.flatMap(({ decision }) => ('attempt' in decision ? decision.attempt.attempt : [])),
  );
  return { isNeeded: (attempt) => needed.has(attempt), isCurrent: (attempt) => current.has(attempt) };
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
