import type { Attempt } from '../../../src/lockfile/attempt.js';
import { spentUnder } from '../checks.js';
import type { Check, Witness } from '../judge.js';
import { createGrowingView, type LockView } from '../lock-view.js';
import { sha256 } from '../media.js';
import type { Incarnation } from '../world.js';
import type { BucketPut } from './bucket.js';

/** The shared log as the judge reads it: every entry as it is written, with its own reader. */
export interface LogReader {
  readonly view: LockView;
  /** The process that made an attempt's intent. */
  makerOf(attempt: string): Incarnation | undefined;
  /** How many entries have this line. */
  countOf(line: string): number;
  /** The open intents of this process for a request that it submits now; empty if each has been submitted before. */
  submitting(witness: Witness, digest: string | undefined): readonly Attempt[];
  /** Judges an entry as it is written. */
  wrote(put: BucketPut): void;
}

interface LogReaderOptions {
  readonly budgetMicroUsd: number | undefined;
  /** When others deleted entries, whose content may be written again. */
  readonly tamperedMs: () => number | undefined;
  /** Whether the user has said what became of the attempt. Another run may be the one that writes it to the log. */
  readonly settledByUser: (attempt: string) => boolean;
  readonly blame: (check: Check, message: string) => void;
}

export function createLogReader({
  budgetMicroUsd,
  tamperedMs,
  settledByUser,
  blame,
}: LogReaderOptions): LogReader {
  const view = createGrowingView();
  const makers = new Map<string, Incarnation>();
  const lines = new Map<string, number>();
  /** By process and request: takes of the same request cannot be distinguished by what is sent. */
  const submits = new Map<string, number>();
  let next = 0;
  let last = '';

  const latestOf = () => [...view.attempts.values()].map(({ latest }) => latest);

  const takeIntent = (intent: Attempt, by: Incarnation) => {
    for (const other of latestOf())
      if (isLive(other, intent) && !by.witness.forcedOver.has(other.attempt))
        blame('D', `${by.name} claims ${intent.attempt}, and ${other.attempt} is ${other.state}`);
    const spent = spentUnder(view) + intent.quote_micro_usd;
    if (budgetMicroUsd !== undefined && spent > budgetMicroUsd)
      blame('E', `${intent.attempt} of ${by.name} raises it to ${spent} of a budget of ${budgetMicroUsd}`);
    makers.set(intent.attempt, by);
  };

  const take = (line: string, by: Incarnation) => {
    const count = (lines.get(line) ?? 0) + 1;
    lines.set(line, count);
    const record = JSON.parse(line) as Attempt;
    if (count > 1 && tamperedMs() === undefined)
      blame('C', `${record.attempt} (${record.state}) is in ${count} entries`);
    const known = view.attempts.get(record.attempt)?.latest;
    if (known === undefined && record.state === 'intent') takeIntent(record, by);
    const bySelf = maySettle(makers.get(record.attempt), by);
    if (known?.state === 'intent' && !bySelf && !settledByUser(record.attempt))
      blame('F', `${record.attempt} of ${makers.get(record.attempt)?.name} is settled by ${by.name}`);
    // The entry with the user's word may be among those that others deleted.
    const isWhole = tamperedMs() === undefined;
    if (isWhole && known?.reason?.code.startsWith('resolved_') && record.state === 'in_doubt')
      blame('K', `${record.attempt} is in doubt again by ${by.name}, after ${known.reason.code}`);
    view.add(line);
  };

  return {
    view,
    makerOf: (attempt) => makers.get(attempt),
    countOf: (line) => lines.get(line) ?? 0,
    submitting: (witness, digest) => {
      const made = latestOf().filter(
        (one) => one.digest === digest && makers.get(one.attempt)?.witness === witness,
      );
      const name = `${witness.name} ${digest}`;
      const count = (submits.get(name) ?? 0) + 1;
      submits.set(name, count);
      return count > made.length ? [] : made.filter(({ state }) => state === 'intent');
    },
    wrote: ({ key, bytes, by, replaces }) => {
      const number = Number(/^log\/(\d{8})\.jsonl$/.exec(key)?.[1] ?? Number.NaN);
      if (Number.isNaN(number)) return;
      const [head, ...rest] = Buffer.from(bytes)
        .toString()
        .trimEnd()
        .split('\n')
        .slice(number === 0 ? 1 : 0);
      // Writes that were in flight when their slot was freed.
      if (number < next && !replaces && by.startedMs <= (tamperedMs() ?? Number.NEGATIVE_INFINITY)) return;
      // After a deletion, late writes may land in slots that were freed, and what is restored goes around them.
      const isWhole = tamperedMs() === undefined;
      if (isWhole && (replaces || number !== next)) {
        blame('B', `entry ${number} is written by ${by.name}, but ${next} is the next one`);
        return;
      }
      const { after } = JSON.parse(head ?? '{}') as { after?: string };
      if (isWhole && after !== last)
        blame('B', `entry ${number} of ${by.name} does not follow the one before it`);
      next = Math.max(next, number + 1);
      last = sha256(bytes);
      for (const line of rest) take(line, by);
    },
  };
}

const OPEN: ReadonlySet<string> = new Set(['intent', 'in_doubt']);
const GIVEN_UP: ReadonlySet<string> = new Set(['rejected', 'failed', 'lost']);

/** Whether the other attempt keeps the take from being claimed, unless the user asked to buy it again. */
function isLive(other: Attempt, intent: Attempt): boolean {
  if (other.track !== intent.track || other.take !== intent.take) return false;
  return OPEN.has(other.state) || (other.digest === intent.digest && !GIVEN_UP.has(other.state));
}

function maySettle(maker: Incarnation | undefined, by: Incarnation): boolean {
  if (maker === undefined || maker === by || !by.witness.buys) return true;
  return maker.machine === by.machine && maker.over;
}
