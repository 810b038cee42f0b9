import type { Attempt } from '../lockfile/attempt.js';
import { checkpoint, type Waiting, writeGroup } from './append.js';
import { asStateError, type LogCore } from './log-core.js';
import type { AppendAnswer, AppendLimits } from './shared-log.js';

/** Records in one entry at most. */
const RECORDS_MAX = 200;

/** Runs one task at a time. Rejects with the error to report. */
export interface Turns {
  take(work: () => Promise<void>): Promise<void>;
  /** Resolves when no task is running. */
  over(): Promise<void>;
}

export function createTurns(core: LogCore): Turns {
  let last: Promise<void> = Promise.resolve();
  return {
    take: (work) => {
      const done = last.then(work).catch((fault) => {
        throw asStateError(core, fault);
      });
      last = done.catch(() => {});
      return done;
    },
    over: () => last,
  };
}

/** Records that wait to be written, in order of arrival. */
export interface AppendQueue {
  /** @param attempt absent: only a heartbeat */
  add(limits: AppendLimits, attempt?: Attempt): Promise<AppendAnswer>;
  /** Resolves when nothing is waiting. */
  empty(): Promise<void>;
}

export function createAppendQueue(core: LogCore, turns: Turns): AppendQueue {
  const waiting: Waiting[] = [];
  let writing: Promise<void> | undefined;

  async function writeAll(): Promise<void> {
    while (waiting.length > 0) {
      let group: readonly Waiting[] = [];
      await turns
        .take(async () => {
          group = waiting.splice(0, RECORDS_MAX);
          await writeGroup(core, group);
        })
        .catch((error) => {
          for (const { failed } of group) failed(error);
        });
      await turns.take(() => checkpoint(core)).catch(() => {});
    }
    writing = undefined;
  }

  return {
    add: (limits, attempt) => {
      if (core.options.access === 'read') throw new Error('bug: the log was opened to be read');
      return new Promise((answered, failed) => {
        waiting.push({ limits, answered, failed, ...(attempt && { attempt }) });
        writing ??= writeAll();
      });
    },
    empty: async () => {
      await writing;
    },
  };
}
