import type { Diagnostic } from '../core/diagnostic.js';
import { faultCode, isSystemFault } from '../core/errors.js';
import type { Attempt } from '../lockfile/attempt.js';
import type { Manifest, Take } from '../manifest/take.js';
import { type DecideInput, decide } from '../plan/decide.js';
import { withBoughtTakes } from '../plan/extra-takes.js';
import { takeId } from '../plan/history.js';
import { lastRequested } from '../plan/latest-attempts.js';
import type { PlanRow } from '../plan/plan.js';
import type { Selection } from '../plan/selection.js';
import { type DiskView, fileStates, type StoredFiles, untrackedFiles } from '../run/recover.js';

export interface TakeStatuses {
  /**
   * The manifest's takes, and those bought in addition to them. Without a manifest, the lockfile's takes as last
   * requested.
   */
  readonly rows: readonly PlanRow[];
  /** Takes in the lockfile that the manifest no longer names. */
  readonly removed: readonly PlanRow[];
  /** What is at the paths that attempts name. */
  readonly stored: Pick<StoredFiles, 'files' | 'owners'>;
  /** Files of takes that have changed or cannot be checked. */
  readonly warnings: readonly Diagnostic[];
}

const NOTHING_ASKED: Selection = { force: [], retryFailed: false };

/**
 * The state according to manifest, lockfile and disk, without contacting anyone: what a run with no further selection
 * would start from.
 *
 * @param options.unreadable called with the error code if the disk cannot be read; every file then counts as recorded.
 *   Absent: throws the `FileFault`
 */
export async function takeStatusesOf(
  view: DiskView,
  attempts: readonly Attempt[],
  declared: Manifest | undefined,
  options: {
    readonly selection?: Selection;
    readonly nowMs?: number;
    readonly keptBy?: DecideInput['keptBy'];
    readonly inStore?: DecideInput['inStore'];
    readonly fetchable?: DecideInput['fetchable'];
    readonly unreadable?: (code: string) => void;
    /** How warnings name a file. Default: its path relative to the output root. */
    readonly placeOf?: (file: string) => string;
    readonly command?: DecideInput['command'];
  } = {},
): Promise<TakeStatuses> {
  const manifest = declared && withBoughtTakes(declared, attempts);
  const named = new Set(manifest?.takes.map(takeId));
  const unnamed = lastRequested(attempts.filter((attempt) => !named.has(takeId(attempt))));
  const takes = [...(manifest?.takes ?? []), ...unnamed];
  const seen = await look(view, takes, attempts).catch((fault: unknown) => {
    if (options.unreadable === undefined || !isSystemFault(fault)) throw fault;
    options.unreadable(faultCode(fault));
    return asRecorded(attempts);
  });
  const { placeOf, command, selection = NOTHING_ASKED, nowMs, keptBy, inStore, fetchable } = options;
  const { rows, diagnostics } = decide({
    takes,
    attempts,
    ...seen,
    selection,
    keptBy,
    inStore,
    fetchable,
    placeOf,
    command,
    nowMs,
  });
  const count = manifest?.takes.length ?? rows.length;
  const warnings = diagnostics.filter(({ code }) => code === 'file-changed');
  return { rows: rows.slice(0, count), removed: rows.slice(count), stored: seen, warnings };
}

type Seen = StoredFiles & Pick<DecideInput, 'occupied'>;

async function look(view: DiskView, takes: readonly Take[], attempts: readonly Attempt[]): Promise<Seen> {
  return { ...(await fileStates(view, attempts)), occupied: await untrackedFiles(view, takes, attempts) };
}

function asRecorded(attempts: readonly Attempt[]): Seen {
  const places = attempts.flatMap(({ file }) => file?.path ?? []);
  return {
    files: new Map(places.map((place) => [place, 'present'])),
    owners: new Map(),
    links: new Map(),
    occupied: () => undefined,
  };
}
