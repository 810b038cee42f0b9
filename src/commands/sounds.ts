import { isSystemFault } from '../core/errors.js';
import { type Attempt, type FiledAttempt, isStored } from '../lockfile/attempt.js';
import type { Take } from '../manifest/take.js';
import { compareNewest, takeId } from '../plan/history.js';
import type { Expected } from '../qc/findings.js';
import type { SoundView, TakeSound } from '../report/sound-text.js';
import type { Session } from '../session/session.js';
import { createSoundChecker, type Sound, type SoundChecker } from './check-sound.js';

/** The file that each take uses, if it has one. */
export function filesOf(
  takes: readonly Take[],
  attempts: readonly Attempt[],
): readonly { readonly take: Take; readonly attempt: FiledAttempt }[] {
  const byTake = new Map<string, FiledAttempt[]>();
  for (const attempt of [...attempts].sort(compareNewest))
    if (isStored(attempt)) {
      const known = byTake.get(takeId(attempt));
      if (known === undefined) byTake.set(takeId(attempt), [attempt]);
      else known.push(attempt);
    }
  return takes.flatMap((take) => {
    const attempt = byTake
      .get(takeId(take))
      ?.find(({ digest }) => digest === take.digest || digest === take.formerDigest);
    return attempt === undefined ? [] : [{ take, attempt }];
  });
}

/** The sound requested for an attempt's file. */
export function expectedOf({ duration_seconds, parts }: Attempt): Expected {
  return { durationSeconds: duration_seconds, loop: parts.loop !== undefined };
}

/** Earlier measurements, for read-only commands. A file of another size than recorded is not the one that was measured. */
export async function knownSounds(
  session: Session,
  takes: readonly Take[],
  attempts: readonly Attempt[],
): Promise<SoundView> {
  return soundsBy(session, takes, attempts, { how: 'size', look: known });
}

/** Like `knownSounds`, but also measures files that were not measured yet, and compares the bytes of the others. */
export async function allSounds(
  session: Session,
  takes: readonly Take[],
  attempts: readonly Attempt[],
): Promise<SoundView> {
  return soundsBy(session, takes, attempts, {
    how: 'hash',
    look: (checker, attempt) => checker.check(attempt.file.path, expectedOf(attempt), attempt.file.sha256),
  });
}

function known(checker: SoundChecker, attempt: FiledAttempt): Promise<Sound | undefined> {
  return checker.known(expectedOf(attempt), attempt.file.sha256).catch((error: unknown) => {
    if (isSystemFault(error)) return undefined;
    throw error;
  });
}

interface Look {
  /** How to tell whether the file is the recorded one. */
  readonly how: 'size' | 'hash';
  readonly look: (checker: SoundChecker, attempt: FiledAttempt) => Promise<Sound | undefined>;
}

async function soundsBy(
  session: Session,
  takes: readonly Take[],
  attempts: readonly Attempt[],
  { how, look }: Look,
): Promise<SoundView> {
  const checker = createSoundChecker(session);
  const sounds: TakeSound[] = [];
  const unknown: string[] = [];
  const undecodable: string[] = [];
  const unmeasured: string[] = [];
  const changed: string[] = [];
  try {
    for (const { take, attempt } of filesOf(takes, attempts)) {
      const { key } = take;
      const state = await checker.state(attempt, how);
      const sound = state === 'present' ? await look(checker, attempt) : undefined;
      if (sound !== undefined) {
        sounds.push({ key, attempt: attempt.attempt, path: attempt.file.path, ...sound });
        continue;
      }
      unknown.push(key);
      if (state === 'changed') changed.push(key);
      else if (state === 'present')
        ((await checker.wasUndecodable(attempt.file.sha256)) ? undecodable : unmeasured).push(key);
    }
  } finally {
    await checker.close();
  }
  return { sounds, unknown, undecodable, unmeasured, changed };
}
