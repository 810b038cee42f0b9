import { unreachable } from '../errors.js';
import { createFold } from './fold.js';
import { linesOf, serialiseLock } from './format.js';
import { readLine } from './line.js';
import type { LockProblem } from './problem.js';
import type { LockHeader } from './store.js';

export interface RepairReport {
  /** Conflict markers taken out. */
  readonly markers: number;
  /** Headers beyond the first: equal to it. */
  readonly headers: number;
  /** Attempts found in sound lines, folded. */
  readonly attempts: number;
  /** Attempt ids of each attempt that turned out to have been paid more than once. All are kept. */
  readonly paidTwice: readonly (readonly string[])[];
  /** What could not be understood. It is not in the repaired text: keep it in a file beside. */
  readonly setAside: readonly SetAside[];
}

export interface SetAside {
  /** From 1. */
  readonly line: number;
  readonly why: string;
  /** The whole line. Foreign text: escape it where it is printed. */
  readonly text: string;
  /** What looks like queue ids in it and is in no sound line: jobs that may be paid for and would be lost. */
  readonly queueIds: readonly string[];
}

export type Repaired =
  | { readonly ok: true; readonly text: string; readonly report: RepairReport }
  /** Cannot be repaired: no header, a newer version, or two different lockfiles in one. */
  | { readonly ok: false; readonly problem: LockProblem };

/**
 * Makes one sound lockfile of a damaged or merged one. Both sides of a conflict count, and so does its base:
 * records are folded, so that the order and the repetition of lines are of no matter, and no `queue_id` of
 * a sound line is ever dropped.
 */
export function repairLock(text: string): Repaired {
  const fold = createFold();
  const aside: Omit<SetAside, 'queueIds'>[] = [];
  let header: LockHeader | undefined;
  let [markers, headers, number] = [0, 0, 0];
  for (const { content } of linesOf(text)) {
    number += 1;
    const line = readLine(content);
    switch (line.kind) {
      case 'blank':
        break;
      case 'conflict_marker':
        markers += 1;
        break;
      case 'attempt':
        fold.add(line.attempt);
        break;
      case 'header': {
        const problem = header && differs(header, line.header, number);
        if (problem !== undefined) return { ok: false, problem };
        if (header !== undefined) headers += 1;
        header = line.header;
        break;
      }
      case 'newer_version':
        return { ok: false, problem: line };
      case 'duplicate_key':
        aside.push({ line: number, why: `has ${JSON.stringify(line.key)} twice`, text: content });
        break;
      case 'bad':
        aside.push({ line: number, why: line.why, text: content });
        break;
      default:
        unreachable(line);
    }
  }
  if (header === undefined) return { ok: false, problem: { kind: 'not_a_lockfile', line: 1 } };
  const all = [...fold.attempts.values()];
  const known = new Set(all.map((attempt) => attempt.queue_id));
  const setAside = aside.map((one) => ({
    ...one,
    queueIds: queueIdsIn(one.text).filter((queueId) => !known.has(queueId)),
  }));
  const report = { markers, headers, attempts: all.length, paidTwice: fold.doubled(), setAside };
  return { ok: true, text: serialiseLock(header, all), report };
}

function differs(header: LockHeader, other: LockHeader, line: number): LockProblem | undefined {
  if (other.lineage !== header.lineage) return { kind: 'second_header', line, sameLineage: false };
  if (other.endpoint === header.endpoint) return undefined;
  return { kind: 'other_endpoint', endpoint: header.endpoint, wanted: other.endpoint };
}

function queueIdsIn(text: string): readonly string[] {
  const found = [...text.matchAll(/"queue_id"\s*:\s*"([\x21\x23-\x7e]{1,200})/g)].map(
    (match) => match[1] ?? '',
  );
  return [...new Set(found)];
}
