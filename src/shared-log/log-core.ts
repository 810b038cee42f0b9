import { type BatchError, EXIT } from '../core/errors.js';
import { encodeEntry, hashOf, isHost } from './entry.js';
import { foldEntry, type LogProblem, type LogState, skipEntry } from './log-state.js';
import { StoreFault } from './object-store.js';
import type { OpenLogOptions } from './shared-log.js';
import { type About, logError, storeError } from './state-error.js';
import type { StoreAccess } from './store-retries.js';

/** An open log. Its functions run one at a time. */
export interface LogCore extends StoreAccess {
  readonly about: About;
  readonly options: OpenLogOptions;
  /** Random for this opening: see `Group.writer`. */
  readonly writer: string;
  state: LogState;
  /** The last entry that a checkpoint covers, or -1. */
  checkpointed: number;
  /**
   * The last entry of which the store says that it was deleted, or that something else is in its place; or -1. A new entry in its
   * place, or after it, would keep it from being restored.
   */
  closed: number;
  /** An entry that was put and may or may not be written. Nothing else is put until that is known. */
  pending?: Pending | undefined;
  /** Damage to the log by others. Permanent. */
  damage?: BatchError | undefined;
  /** The store refuses the credentials. Reset when it accepts them again. */
  refused?: BatchError | undefined;
}

export interface Pending {
  readonly entry: number;
  readonly bytes: Uint8Array;
  /** Whether the slot has these bytes; absent until known. */
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

/** Continues after a missing entry if later ones exist. Nothing is ever put in its place. */
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
  if (fault.kind === 'altered' || fault.kind === 'foreign') core.damage ??= error;
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
