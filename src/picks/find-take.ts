import { closest } from '../core/closest.js';
import { takeKey } from '../core/take-key.js';
import { type Attempt, type FiledAttempt, isStored } from '../lockfile/attempt.js';
import type { Take } from '../manifest/take.js';

export type Choice =
  | { readonly ok: true; readonly attempt: FiledAttempt }
  | {
      readonly ok: false;
      readonly why: 'track' | 'take';
      readonly message: string;
      readonly meant?: string | undefined;
    }
  /** The take is known but has no stored file. */
  | {
      readonly ok: false;
      readonly why: 'no-file';
      readonly message: string;
      /** Absent: it was never bought. */
      readonly state?: Attempt['state'];
    };

/** A file can be named by this many digits of a hash or attempt. */
const ID_DIGITS_MIN = 4;

/**
 * The file that a user means by a track and a take: `2`, `opening#2` as in `status`, or, for one that a newer request
 * replaced, the first digits of its SHA-256 or attempt.
 *
 * @param takes of the manifest; empty if it cannot be read
 */
export function chooseTake(
  track: string,
  word: string,
  takes: readonly Take[],
  attempts: readonly Attempt[],
): Choice {
  const unknown = unknownTrack(track, takes, attempts);
  if (unknown !== undefined) return { ok: false, why: 'track', ...unknown };
  const ofTrack = attempts.filter((attempt) => attempt.track === track);
  const wanted = takes.filter((take) => take.track === track);
  const number = takeNumber(track, word);
  const named = number === undefined ? byDigits(word, ofTrack) : ofNumber(number, wanted, ofTrack);
  const stored = named.find(isStored);
  if (stored !== undefined) return { ok: true, attempt: stored };
  const [without] = named;
  if (without !== undefined) {
    const message = `${takeKey(without)} has no file to pick`;
    return { ok: false, why: 'no-file', message, state: without.state };
  }
  const unmade = wanted.find((take) => take.take === number);
  if (unmade !== undefined)
    return { ok: false, why: 'no-file', message: `${takeKey(unmade)} has not been made yet` };
  return { ok: false, why: 'take', ...unknownTake(track, word, wanted, ofTrack) };
}

/** Checks if the track exists, and suggests the one probably meant. */
export function unknownTrack(
  track: string,
  takes: readonly Take[],
  attempts: Iterable<Attempt>,
): { readonly message: string; readonly meant?: string | undefined } | undefined {
  const tracks = new Set([...takes, ...attempts].map((one) => one.track));
  if (tracks.has(track)) return undefined;
  const meant = closest(track, tracks);
  return {
    message: `there is no track \`${track.slice(0, 64)}\``,
    meant,
  };
}

/** `2`, `#2`, `opening#2`; `opening` is its first take, as in `status`. */
function takeNumber(track: string, word: string): number | undefined {
  const bare = word.startsWith(`${track}#`) ? word.slice(track.length + 1) : word.replace(/^#/, '');
  if (word === track) return 1;
  return /^[1-9]\d{0,3}$/.test(bare) ? Number(bare) : undefined;
}

/** Attempts of this take: the current request first, then the newest. */
function ofNumber(number: number, wanted: readonly Take[], ofTrack: readonly Attempt[]): readonly Attempt[] {
  const take = wanted.find((one) => one.take === number);
  const isCurrent = ({ digest }: Attempt) => digest === take?.digest || digest === take?.formerDigest;
  return ofTrack
    .filter((attempt) => attempt.take === number)
    .sort((a, b) => Number(isCurrent(b)) - Number(isCurrent(a)) || newestFirst(a, b));
}

function byDigits(word: string, ofTrack: readonly Attempt[]): readonly Attempt[] {
  const digits = word.toLowerCase();
  if (digits.length < ID_DIGITS_MIN) return [];
  const named = ofTrack.filter(
    ({ attempt, file }) => attempt.startsWith(digits) || file?.sha256.startsWith(digits) === true,
  );
  const hashes = new Set(named.map(({ attempt, file }) => file?.sha256 ?? attempt));
  return hashes.size === 1 ? [...named].sort(newestFirst) : [];
}

function newestFirst(a: Attempt, b: Attempt): number {
  return (b.at.intent ?? '').localeCompare(a.at.intent ?? '');
}

function unknownTake(
  track: string,
  word: string,
  wanted: readonly Take[],
  ofTrack: readonly Attempt[],
): { readonly message: string; readonly meant?: string | undefined } {
  const keys = [...new Set([...wanted, ...ofTrack].map(takeKey))];
  const numbers = new Set([...wanted, ...ofTrack].map(({ take }) => take));
  const highest = Math.max(0, ...numbers);
  const meant = /^#?\d+$/.test(word) && highest > 0 ? String(highest) : closest(word, keys);
  const message = `${track} has no take \`${word.slice(0, 64)}\`; it has ${[...numbers].sort((a, b) => a - b).join(', ') || 'none yet'}`;
  return { message, meant };
}
