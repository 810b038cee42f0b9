import type { Attempt } from '../lockfile/attempt.js';
import { attemptLine } from '../lockfile/line.js';
import { sealLine } from '../lockfile/seal.js';
import {
  countOf,
  decodeHeader,
  decodeLines,
  decodeRecords,
  encodeLines,
  isHost,
  logHeaderLine,
  sealedObject,
} from './entry.js';
import { createLogState, foldGroup, type LogState, originOf } from './log-state.js';
import type { LogHeader } from './shared-log.js';

/** After this many entries, a new checkpoint saves the next machine more than it costs. */
export const ENTRIES_PER_CHECKPOINT = 100;

/** Sorts right after the last entry it covers. */
export function checkpointKey(entry: number): string {
  return `log/${String(entry).padStart(8, '0')}.jsonl.checkpoint`;
}

/** The last entry that a checkpoint covers, by its key. */
export function checkpointNumber(key: string): number | undefined {
  const digits = /^log\/(\d{8})\.jsonl\.checkpoint$/.exec(key)?.[1];
  return digits === undefined ? undefined : Number(digits);
}

/** The log so far as one object: its folded entries, and the hash of the last one. */
export function encodeCheckpoint(state: LogState & { readonly header: LogHeader }): Uint8Array {
  const groups = groupsOf(state);
  const lines = groups.map(({ records }) => records.map(attemptLine));
  const first = {
    checkpoint: state.next - 1,
    last: state.last,
    last_seen: Object.fromEntries([...state.lastSeen].sort()),
    hosts: Object.fromEntries([...state.hosts].sort()),
    ...countOf(lines.flat()),
  };
  return encodeLines([
    logHeaderLine(state.header),
    sealLine(JSON.stringify(first)),
    ...groups.flatMap(({ run, by }, at) => {
      const records = lines[at] ?? [];
      return [sealLine(JSON.stringify({ run, by, ...countOf(records) })), ...records];
    }),
  ]);
}

interface CheckpointGroup {
  readonly run: string;
  readonly by: string;
  readonly records: Attempt[];
}

function groupsOf(state: LogState): readonly CheckpointGroup[] {
  const groups = new Map<string, CheckpointGroup>();
  for (const attempt of state.fold.attempts.values()) {
    const { run, by } = originOf(state, attempt.attempt) ?? { run: '', by: '' };
    const name = `${run} ${by}`;
    const group = groups.get(name) ?? { run, by, records: [] };
    group.records.push(attempt);
    groups.set(name, group);
  }
  return [...groups.values()];
}

/** Parses a checkpoint; `undefined` if it is incomplete. */
export function decodeCheckpoint(entry: number, bytes: Uint8Array): LogState | undefined {
  const lines = decodeLines(bytes);
  const head = decodeHeader(lines?.shift());
  const first = sealedObject(lines?.shift());
  if (lines === undefined || !('header' in head) || first?.checkpoint !== entry) return undefined;
  if (typeof first.last !== 'string') return undefined;
  const state = createLogState();
  while (lines.length > 0) {
    const group = sealedObject(lines.shift());
    const records = decodeRecords(lines.splice(0, Number(group?.records)), group ?? {});
    if (records === undefined || records.length === 0) return undefined;
    foldGroup(state, String(group?.run), String(group?.by), records);
  }
  if (state.fold.attempts.size !== first.records) return undefined;
  for (const [run, at] of Object.entries(Object(first.last_seen))) state.lastSeen.set(run, String(at));
  for (const [run, host] of Object.entries(Object(first.hosts))) if (isHost(host)) state.hosts.set(run, host);
  return Object.assign(state, { header: head.header, next: entry + 1, last: first.last });
}
