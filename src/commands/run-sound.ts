import type { SoundReport } from '../app/world.js';
import type { RunEvent } from '../core/events.js';
import type { Attempt, FiledAttempt } from '../lockfile/attempt.js';
import type { Take } from '../manifest/take.js';
import type { Session } from '../session/session.js';
import { createSoundChecker, type Sound, type SoundChecker } from './check-sound.js';
import { expectedOf, filesOf } from './sounds.js';

/** Measures what a run stores, in a separate thread, and reports the findings at the end. */
export interface RunSound {
  /** Starts measuring a file as soon as it is stored. */
  measured(event: RunEvent): void;
  report(
    attempts: readonly Attempt[],
    emit: (event: RunEvent) => void,
    stop: AbortSignal,
  ): Promise<SoundReport>;
  close(): Promise<void>;
}

export function createRunSound(session: Session, takes: () => readonly Take[]): RunSound {
  const fails = session.settings.flags.qcFail === true;
  let checker: SoundChecker | undefined;
  const open = () => {
    checker ??= createSoundChecker(session);
    return checker;
  };

  /** Files stored by this run were already measured. Older files are measured only if the exit code depends on them. */
  async function soundOf(attempt: FiledAttempt): Promise<Sound | undefined> {
    const [expected, { path, sha256 }] = [expectedOf(attempt), attempt.file];
    const checker = open();
    if (stored.has(attempt.attempt)) return checker.check(path, expected, sha256);
    if ((await checker.state(attempt, fails ? 'hash' : 'size')) !== 'present') return undefined;
    return fails
      ? checker.check(path, expected, sha256)
      : checker.known(expected, sha256).catch(() => undefined);
  }
  const stored = new Set<string>();

  async function report(
    attempts: readonly Attempt[],
    emit: (event: RunEvent) => void,
    stop: AbortSignal,
  ): Promise<SoundReport> {
    let warnings = 0;
    for (const { take, attempt } of filesOf(takes(), attempts)) {
      // After an interrupt, do not wait for results that the next run can report.
      if (stop.aborted) break;
      const sound = await soundOf(attempt);
      if (sound === undefined) continue;
      const { measures, findings } = sound;
      if (findings.length > 0) warnings += 1;
      emit({
        type: 'qc',
        time: new Date(session.ports.clock.nowMs()).toISOString(),
        key: take.key,
        track: take.track,
        take: take.take,
        attempt: attempt.attempt,
        path: attempt.file.path,
        duration_seconds: measures.durationSeconds,
        loudness_lufs: measures.loudnessLufs,
        true_peak_dbtp: measures.truePeakDbtp,
        findings,
      });
    }
    return { warnings, fails: fails && warnings > 0 };
  }

  return {
    measured(event) {
      if (event.type !== 'take' || event.state !== 'stored' || event.path === undefined) return;
      if (event.earlier === true) return;
      stored.add(event.attempt);
      // An error is reported when it is used again.
      open()
        .check(event.path, {})
        .catch(() => {});
    },
    report,
    close: async () => checker?.close(),
  };
}
