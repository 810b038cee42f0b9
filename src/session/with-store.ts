import { keySignatureOf } from '../app/key-signature-of.js';
import { type Opened, openForRun } from '../app/open-lockfile.js';
import type { Attempt } from '../lockfile/attempt.js';
import { sealed } from '../lockfile/key-signature.js';
import type { LockHeader } from '../lockfile/lock-header.js';
import { rescueSettings } from './batch-settings.js';
import { noticeText, stateFinder } from './find-state.js';
import type { OpenBatch } from './open-batch.js';
import { readableManifest } from './unreadable.js';

/** Holds the run lock while `work` changes the lockfile. What it recorded stays, even if it throws. */
export async function withStore<T>(
  batch: OpenBatch,
  verb: string,
  work: (opened: Opened) => Promise<T>,
): Promise<T> {
  const opened = await openQuietly(batch, verb);
  const { store, audio, release } = opened;
  try {
    const result = await work(opened);
    await store.close();
    return result;
  } finally {
    await store.abandon();
    await release();
    await audio?.close();
  }
}

function openQuietly(batch: OpenBatch, verb: string): Promise<Opened> {
  const { settings, ports, warn, endpoint, command } = batch;
  const again = batch.again ?? ((...words) => command(verb, ...words));
  const opening = {
    lockfilePath: settings.lockfilePath.value,
    endpoint,
    // A known record must not be overruled by a guess.
    ...rescueSettings(settings, process.env),
    command,
    again,
    retry: again(),
    findState: stateFinder(batch),
    manifest: () => readableManifest(batch),
  };
  return openForRun(ports, opening, (event) => {
    if (event.type === 'notice') warn(noticeText(event.level, event.message, event.hint));
  });
}

/**
 * A job named by the user is signed with this key only if the attempt is. Only then is its remote copy ever deleted.
 */
export function sealedBy(
  { account }: OpenBatch,
  header: LockHeader,
  before: Attempt,
  after: Attempt,
): Attempt {
  if (account === undefined) return after;
  return sealed(keySignatureOf(header, account), before, after);
}

const ID_DIGITS_MIN = 4;

const ID_DIGITS_SHOWN = 8;

/** The first digits of its id, if no other attempt begins with them. */
export function shortId(attempts: readonly Attempt[], { attempt }: Attempt): string {
  const digits = attempt.slice(0, ID_DIGITS_SHOWN);
  return attemptsNamed(attempts, digits).length === 1 ? digits : attempt;
}

/** The attempts whose ids begin with these digits; none if there are too few of them. */
export function attemptsNamed(attempts: readonly Attempt[], digits: string): readonly Attempt[] {
  if (digits.length < ID_DIGITS_MIN) return [];
  return attempts.filter(({ attempt }) => attempt.startsWith(digits.toLowerCase()));
}
