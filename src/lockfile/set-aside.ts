import type { Attempt } from './attempt.js';
import type { Fold } from './fold-attempts.js';
import { isUnread, salvage, UNREAD_TAKE, UNREADABLE } from './salvage.js';
import { createTakes, type Takes } from './taken-takes.js';

/** A damaged line. */
export interface Aside {
  /** From 1. */
  readonly line: number;
  readonly why: string;
  /** The line, or what is left of it. Untrusted text: escape it before printing. */
  readonly text: string;
}

export interface SetAside extends Aside {
  /** What could still be read of it and is in no other line. It is in the repaired text. */
  readonly salvaged: readonly Attempt[];
  /** What looks like queue ids in the line and is in no record: possibly paid jobs that would be lost. */
  readonly queueIds: readonly string[];
}

/**
 * Adds what can be read of damaged lines to the records, unless another line or a journal has it.
 *
 * @param whole the text of the lockfile
 * @param sound records of its readable lines
 * @param restorable records that the next run restores
 * @param complete nothing is missing, so a line of which nothing can be read means nothing; also if the journals have
 *   as many records that the lockfile lacks
 */
export function salvageAll(
  fold: Fold,
  aside: readonly Aside[],
  whole: string,
  sound: readonly Attempt[],
  restorable: readonly Attempt[],
  complete: boolean,
): readonly SetAside[] {
  const restored = new Map(restorable.map((record) => [record.attempt, record]));
  const jobs = new Map([...fold.attempts.values(), ...restorable].map((record) => [record.queue_id, record]));
  const had = new Set(sound.map(({ attempt }) => attempt));
  const lacking = [...restored.keys()].filter((attempt) => !had.has(attempt));
  const isExplained = complete || aside.length <= lacking.length;
  const earlier = (attempt: string) => fold.attempts.get(attempt) ?? restored.get(attempt);
  const texts = aside.map(({ text }) => text);
  const bought = createTakes([...fold.attempts.values(), ...restorable]);
  const salvaged = salvage(texts, whole, earlier).map((records) =>
    records.flatMap((record) => {
      const holder = record.queue_id === undefined ? undefined : jobs.get(record.queue_id);
      if (
        (isExplained && isUnread(record)) ||
        (holder !== undefined && isAbout(record, holder)) ||
        !fold.hasRoom(record)
      )
        return [];
      const added = withTake(holder === undefined ? record : withoutJob(record), bought);
      const before = fold.familyOf(added);
      fold.add(added);
      bought.replace(before, fold.familyOf(added));
      if (holder === undefined) jobs.set(record.queue_id, record);
      return [added];
    }),
  );
  return aside.map((one, at) => ({
    ...one,
    salvaged: salvaged[at] ?? [],
    queueIds: queueIdsIn(one.text).filter((queueId) => !jobs.has(queueId)),
  }));
}

/** A track or take that cannot be read may be the one that has the job. */
function isAbout(record: Attempt, { track, take }: Attempt): boolean {
  if (record.track === UNREADABLE) return true;
  return record.track === track && (record.take === UNREAD_TAKE || record.take === take);
}

/** A take that cannot be read is the first of its track that was bought and has no other record. */
function withTake(record: Attempt, bought: Takes): Attempt {
  return record.take === UNREAD_TAKE ? { ...record, take: bought.firstFree(record.track) } : record;
}

/** The line mixes two: its job is known, but its take may have had another one. */
function withoutJob({ queue_id: _, kept: __, ...record }: Attempt): Attempt {
  return record;
}

function queueIdsIn(text: string): readonly string[] {
  const found = [...text.matchAll(/"queue_id" ?: ?"([ !#-~]{1,200})/g)].map((match) => match[1] ?? '');
  return [...new Set(found)];
}
