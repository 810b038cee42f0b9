import type { Attempt } from './attempt.js';
import type { Fold } from './fold-attempts.js';
import { salvage, UNREADABLE } from './salvage.js';

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
 * @param restorable records that the next run restores
 * @param foreign the text is not a lockfile: a line of which nothing can be read means nothing then, and also if the
 *   journals have as many records that the lockfile lacks
 */
export function salvageAll(
  fold: Fold,
  aside: readonly Aside[],
  restorable: readonly Attempt[],
  foreign: boolean,
): readonly SetAside[] {
  const restored = new Map(restorable.map((record) => [record.attempt, record]));
  const jobs = new Set([...fold.attempts.values(), ...restorable].map(({ queue_id }) => queue_id));
  const lacking = [...restored.keys()].filter((attempt) => !fold.attempts.has(attempt));
  const isExplained = foreign || aside.length <= lacking.length;
  const earlier = (attempt: string) => fold.attempts.get(attempt) ?? restored.get(attempt);
  const texts = aside.map(({ text }) => text);
  const salvaged = salvage(texts, earlier).map((records) =>
    records.filter((record) => {
      const isKnown = record.queue_id !== undefined && jobs.has(record.queue_id);
      const isNothing = isExplained && record.queue_id === undefined && record.track === UNREADABLE;
      if (isKnown || isNothing || !fold.hasRoom(record)) return false;
      fold.add(record);
      jobs.add(record.queue_id);
      return true;
    }),
  );
  return aside.map((one, at) => ({
    ...one,
    salvaged: salvaged[at] ?? [],
    queueIds: queueIdsIn(one.text).filter((queueId) => !jobs.has(queueId)),
  }));
}

function queueIdsIn(text: string): readonly string[] {
  const found = [...text.matchAll(/"queue_id" ?: ?"([ !#-~]{1,200})/g)].map((match) => match[1] ?? '');
  return [...new Set(found)];
}
