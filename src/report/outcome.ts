import type { Diagnostic } from '../core/diagnostic.js';
import type { QcEvent, RunEvent, SummaryEvent, TakeEvent } from '../core/events.js';
import type { Reporter } from './reporter.js';

/** The outcome of a run, computed from its events: the source of all documents at its end. */
export interface RunOutcome {
  readonly version: Extract<RunEvent, { type: 'version' }> | undefined;
  readonly plan: Extract<RunEvent, { type: 'plan' }> | undefined;
  readonly summary: SummaryEvent | undefined;
  /** Last reported state of each take; without those that were not bought. */
  readonly takes: readonly TakeEvent[];
  /** Files that this run stored, relative to the output root. */
  readonly files: readonly { readonly path: string; readonly bytes?: number | undefined }[];
  readonly failures: readonly TakeEvent[];
  readonly inDoubt: readonly TakeEvent[];
  /** The sound of files, by take key. */
  readonly qc: ReadonlyMap<string, QcEvent>;
  readonly diagnostics: readonly Diagnostic[];
  /** Error notices, in the order reported. */
  readonly errors: readonly Notice[];
}

export type Notice = Extract<RunEvent, { type: 'notice' }>;

export interface Recorder extends Reporter {
  /**
   * @param keys of the manifest's takes in order, which is also the order of takes and files in the result; takes that
   *   it does not name follow in the order of their first event
   */
  outcome(keys?: readonly string[]): RunOutcome;
}

/** A disk that refuses every file must not fill the last screen. */
const ERRORS_MAX = 10;

/** A reporter that prints nothing and remembers everything. */
export function createRecorder(): Recorder {
  const takes = new Map<string, TakeEvent>();
  const stored = new Map<string, Stored>();
  const qc = new Map<string, QcEvent>();
  const diagnostics: Diagnostic[] = [];
  const errors: Notice[] = [];
  let version: RunOutcome['version'];
  let plan: RunOutcome['plan'];
  let summary: RunOutcome['summary'];
  return {
    event(event) {
      if (event.type === 'version') version = event;
      else if (event.type === 'plan') plan = event;
      else if (event.type === 'summary') summary = event;
      else if (event.type === 'qc') qc.set(event.key, event);
      else if (event.type === 'diagnostic') diagnostics.push(withoutHead(event));
      else if (event.type === 'notice') {
        if (event.level === 'error' && errors.length < ERRORS_MAX) errors.push(event);
      } else if (event.type === 'take') {
        takes.set(event.key, merged(takes.get(event.key), event));
        const { key, path, bytes } = event;
        if (event.state === 'stored') stored.set(key, { key, path, bytes });
      }
    },
    end() {},
    outcome(keys = []) {
      // What still waits when the run ends was not bought.
      const settled = [...takes.values()].filter(({ state }) => state !== 'waiting');
      const all = inOrder(settled, keys);
      return {
        version,
        plan,
        summary,
        takes: all,
        files: inOrder(stored.values(), keys).flatMap(fileOf),
        failures: all.filter((take) => isFailure(take.state)),
        inDoubt: all.filter((take) => take.state === 'in_doubt'),
        qc,
        diagnostics,
        errors,
      };
    },
  };
}

/**
 * Whether a take in this state is not made, and waiting will not change that. Takes in doubt are reported separately.
 */
export function isFailure(state: TakeEvent['state']): boolean {
  return ['rejected', 'failed', 'lost', 'unverified', 'missing'].includes(state);
}

interface Stored {
  readonly key: string;
  readonly path: string | undefined;
  readonly bytes: number | undefined;
}

function inOrder<T extends { readonly key: string }>(takes: Iterable<T>, keys: readonly string[]): T[] {
  const ranks = new Map(keys.map((key, index) => [key, index]));
  const rank = ({ key }: T) => ranks.get(key) ?? keys.length;
  return [...takes].sort((a, b) => rank(a) - rank(b));
}

function withoutHead(event: Extract<RunEvent, { type: 'diagnostic' }>): Diagnostic {
  const { type: _type, time: _time, ...diagnostic } = event;
  return diagnostic;
}

/** A later event of the same attempt need not repeat the file's path or the queue id. */
function merged(before: TakeEvent | undefined, now: TakeEvent): TakeEvent {
  if (before?.attempt !== now.attempt) return now;
  const { queue_id, path, bytes } = before;
  // Not spread: V8 would give each object its own shape, as large as the object.
  return Object.assign(
    {},
    queue_id === undefined ? undefined : { queue_id },
    path === undefined ? undefined : { path },
    bytes === undefined ? undefined : { bytes },
    now,
  );
}

function fileOf({ path, bytes }: Stored): { path: string; bytes?: number | undefined }[] {
  return path === undefined ? [] : [{ path, bytes }];
}
