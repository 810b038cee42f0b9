import { type BatchError, EXIT } from '../core/errors.js';
import type { Asking } from './ask-store.js';
import { encodeEntry, hashOf, isHost } from './entry.js';
import { foldEntry, type LogProblem, type LogState, skipEntry } from './log-state.js';
import { StoreFault } from './object-store.js';
import type { OpenLogOptions } from './shared-log.js';
import { type About, logError, storeError } from './state-error.js';

/** A log that is open. Its functions run one at a time. */
export interface LogCore extends Asking {
  readonly about: About;
  readonly options: OpenLogOptions;
  /** Random, of this opening: see `Group.writer`. */
  readonly writer: string;
  state: LogState;
  /** The last entry that a checkpoint covers, or -1. */
  checkpointed: number;
  /** An entry that was put, and is not known to be written or not. Nothing else is put before that is known. */
  pending?: Pending | undefined;
  /** What others did to the log. Permanent. */
  damage?: BatchError | undefined;
  /** The store refuses the credentials. Until it takes them again. */
  refused?: BatchError | undefined;
}

export interface Pending {
  readonly entry: number;
  readonly bytes: Uint8Array;
  /** True if the slot holds these bytes; absent until that is known. */
  ours?: boolean;
  /** It may be in the store. */
  doubtful: boolean;
}

/** Folds the next entry. */
export function takeEntry(core: LogCore, bytes: Uint8Array): void {
  const { pending } = core;
  if (pending?.entry === core.state.next) {
    pending.ours = hashOf(bytes) === hashOf(pending.bytes);
    core.pending = undefined;
  }
  const problem = foldEntry(core.state, bytes);
  if (problem !== undefined) noteProblem(core, problem);
}

/** Goes on after an entry that is missing, though later ones are there. Nothing is ever put into its place. */
export function passOver(core: LogCore): void {
  const { pending } = core;
  if (pending?.entry === core.state.next) {
    pending.ours = false;
    core.pending = undefined;
  }
  noteProblem(core, skipEntry(core.state));
}

export function noteProblem(core: LogCore, problem: LogProblem): void {
  core.damage ??= logError(problem, core.about);
}

/** Turns a store error into the error to report, and remembers it if it stops buying. */
export function asStateError(core: LogCore, fault: unknown): unknown {
  if (!(fault instanceof StoreFault)) return fault;
  const error = storeError(fault, core.about);
  if (fault.kind === 'altered') core.damage ??= error;
  else if (error.exitCode === EXIT.authentication) core.refused = error;
  return error;
}

/** The next entry, with its bytes. */
export function draft(core: LogCore, records: Parameters<typeof encodeEntry>[0]['records']): Pending {
  const { state, options, writer, clock } = core;
  const group = {
    entry: state.next,
    run: options.runId,
    writer,
    ...(isHost(options.host) && { host: options.host }),
    at: new Date(clock.nowMs()).toISOString(),
    after: state.last ?? '',
    records,
  };
  const bytes = encodeEntry(group, state.next === 0 ? state.header : undefined);
  return { entry: state.next, bytes, doubtful: false };
}
