import type { Attempt } from '../lockfile/attempt.js';
import { createFold, type Fold, familyOf } from '../lockfile/fold-attempts.js';
import { decodeEntry, type EntryProblem, hashOf } from './entry.js';
import type { LogHeader, Origin } from './shared-log.js';

/** Everything that was read from a log, folded. */
export interface LogState {
  header?: LogHeader | undefined;
  readonly fold: Fold;
  /** By the family of the attempt. */
  readonly origins: Map<string, Origin>;
  /** When each run last wrote, by its own clock. */
  readonly lastSeen: Map<string, string>;
  /** The machine of each run, if known. */
  readonly hosts: Map<string, string>;
  /** The number of the next entry. */
  next: number;
  /** The last entry cannot be read. One that follows it would be chained to the damaged bytes. */
  lastIsDamaged?: boolean;
  /** SHA-256 of the last entry; empty before the first, absent if it is missing. */
  last?: string | undefined;
}

export type LogProblem =
  | (EntryProblem & { readonly entry: number })
  /** It was written after a different entry than the one that precedes it now. */
  | { readonly kind: 'changed'; readonly entry: number }
  /** It is missing, but later ones exist. */
  | { readonly kind: 'gap'; readonly entry: number }
  /** The store lists it but does not return it. */
  | { readonly kind: 'vanished'; readonly entry: number };

export function createLogState(): LogState {
  return { fold: createFold(), origins: new Map(), lastSeen: new Map(), hosts: new Map(), next: 0, last: '' };
}

/**
 * Folds the next entry. A damaged one is skipped, so that later ones are still known.
 *
 * @returns what is wrong with it
 */
export function foldEntry(state: LogState, bytes: Uint8Array): LogProblem | undefined {
  const entry = state.next;
  const before = state.last;
  state.next += 1;
  state.last = hashOf(bytes);
  const read = decodeEntry(entry, bytes);
  state.lastIsDamaged = !read.ok && read.problem.kind !== 'newer_version';
  if (!read.ok) return { ...read.problem, entry };
  if (read.header !== undefined) state.header = read.header;
  const { group } = read;
  foldGroup(state, group.run, group.run, group.records);
  state.lastSeen.set(group.run, group.at);
  if (group.host !== undefined) state.hosts.set(group.run, group.host);
  return before !== undefined && group.after !== before ? { kind: 'changed', entry } : undefined;
}

/** @param run that made the attempts that appear here for the first time */
export function foldGroup(state: LogState, run: string, by: string, records: readonly Attempt[]): void {
  for (const record of records) {
    const family = familyOf(record);
    state.origins.set(family, { run: state.origins.get(family)?.run ?? run, by });
    state.fold.add(record);
  }
}

/** Continues after a missing entry. */
export function skipEntry(state: LogState): LogProblem {
  const entry = state.next;
  state.next += 1;
  state.last = undefined;
  return { kind: 'gap', entry };
}

export function originOf(state: LogState, attempt: string): Origin | undefined {
  return state.origins.get(familyOf({ attempt }));
}
