import { type Attempt, countsAsSpent } from '../../src/lockfile/attempt.js';
import { decodeEntry, entryKey, entryNumber, hashOf } from '../../src/shared-log/entry.js';

/** A record that is in the log, according to what its writer was told. */
export interface Acknowledged {
  readonly attempt: string;
  readonly rev: number;
}

/**
 * Problems of a log, from its entries alone: gaps, a broken chain, a take claimed while another claim of it was live, a
 * prefix over the budget, an acknowledged record that is not in exactly one entry, an intent settled by another run.
 */
export function faultsOfLog(
  objects: ReadonlyMap<string, Uint8Array>,
  acknowledged: readonly Acknowledged[],
  budgetMicroUsd: number,
): readonly string[] {
  const faults: string[] = [];
  const numbers = [...objects.keys()].flatMap((key) => entryNumber(key) ?? []);
  const newest = new Map<string, Attempt>();
  const makers = new Map<string, string>();
  const times = new Map<string, number>();
  let last = '';
  for (let number = 0; number < numbers.length; number += 1) {
    const bytes = objects.get(entryKey(number));
    if (bytes === undefined) return [...faults, `entry ${number} is missing`];
    const read = decodeEntry(number, bytes);
    if (!read.ok) return [...faults, `entry ${number} cannot be read`];
    if (read.group.after !== last) faults.push(`entry ${number} does not follow the one before`);
    last = hashOf(bytes);
    for (const record of read.group.records) {
      const name = `${record.attempt} ${record.rev}`;
      times.set(name, (times.get(name) ?? 0) + 1);
      const known = newest.get(record.attempt);
      if (known === undefined && isLive(record)) {
        const rival = [...newest.values()].find((one) => isLive(one) && isSameTake(one, record));
        if (rival !== undefined) faults.push(`entry ${number} claims ${record.track} twice`);
      }
      if (known?.state === 'intent' && makers.get(record.attempt) !== read.group.run)
        faults.push(`entry ${number} settles an intent of another run`);
      if (known === undefined) makers.set(record.attempt, read.group.run);
      if (known === undefined || known.rev <= record.rev) newest.set(record.attempt, record);
      const spent = [...newest.values()]
        .filter(countsAsSpent)
        .reduce((sum, one) => sum + one.quote_micro_usd, 0);
      if (spent > budgetMicroUsd) faults.push(`entry ${number} is over the budget: ${spent}`);
    }
  }
  for (const { attempt, rev } of acknowledged) {
    const count = times.get(`${attempt} ${rev}`) ?? 0;
    if (count !== 1)
      faults.push(`attempt ${attempt} rev ${rev} was acknowledged but is in the log ${count} times`);
  }
  return faults;
}

function isLive({ state }: Attempt): boolean {
  return state !== 'rejected';
}

function isSameTake(a: Attempt, b: Attempt): boolean {
  return a.track === b.track && a.take === b.take;
}
