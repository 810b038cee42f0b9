import { pullableFrom } from '../app/pull-here.js';
import { reportTake, type TakeReport } from '../app/take-report.js';
import { type TakeStatuses, takeStatusesOf } from '../app/take-status.js';
import { type CheckedFile, checkFiles, isBad } from '../app/verify-files.js';
import type { Diagnostic } from '../core/diagnostic.js';
import { spentMicroUsd } from '../lockfile/attempt.js';
import { requireLock } from '../lockfile/read.js';
import { pullFor, viewOf } from '../session/find-state.js';
import type { OpenBatch } from '../session/open-batch.js';
import { requireManifest } from '../session/require-manifest.js';
import { readableManifest } from '../session/unreadable.js';
import { openOutput } from '../storage/output.js';
import { inLibraryTerms } from './wording.js';

/** Reads manifest, lockfile and disk without contacting the service. */
export interface StatusReport {
  /** Absolute. */
  readonly lockfile: string;
  /** Absolute. */
  readonly outputRoot: string;
  /** Endpoint of the lockfile; `null` if there is none yet. */
  readonly endpoint: string | null;
  /** Over the lifetime of the lockfile, in integer micro-dollars. */
  readonly spentMicroUsd: number;
  /** The manifest's takes, in order. */
  readonly takes: readonly TakeReport[];
  /** Takes in the lockfile that the manifest no longer names. */
  readonly removed: readonly TakeReport[];
  /** What could not be read or checked: the shared log, files. */
  readonly warnings: readonly Diagnostic[];
}

export interface VerifyReport {
  /** Whether every file that a take needs is unchanged. */
  readonly ok: boolean;
  readonly files: readonly {
    readonly track: string;
    readonly take: number;
    /** Absolute. */
    readonly path: string;
    readonly state: CheckedFile['state'];
    /** Whether a take of the manifest needs it. */
    readonly needed: boolean;
  }[];
  /** What could not be read: the shared log, of which the lockfile may be an older copy. */
  readonly warnings: readonly Diagnostic[];
}

export async function lookAt(opened: OpenBatch): Promise<StatusReport> {
  const { attempts, statuses, endpoint, warnings } = await read(opened, 'status');
  const { lockfilePath, outputRoot } = opened.settings;
  const reported = (rows: TakeStatuses['rows']) => rows.map((row) => reportTake(row, outputRoot.value));
  return {
    lockfile: lockfilePath.value,
    outputRoot: outputRoot.value,
    endpoint,
    spentMicroUsd: spentMicroUsd(attempts),
    takes: reported(statuses.rows),
    removed: reported(statuses.removed),
    warnings: [...warnings, ...statuses.warnings.map(inLibraryTerms)],
  };
}

export async function check(opened: OpenBatch): Promise<VerifyReport> {
  const { view, attempts, statuses, warnings } = await read(opened, 'verify');
  const files = await checkFiles(view, attempts, statuses);
  return {
    ok: !files.some(isBad),
    files: files.map(({ attempt: { track, take }, path, state, word }) => {
      return { track, take, path: opened.placeOf(path), state, needed: word !== undefined };
    }),
    warnings,
  };
}

/**
 * As the commands of these names do: with the shared log, and `verify` downloads missing files from the audio store.
 * Nothing is shown above a result, so a log that cannot be read is an error of both if the lockfile has no records.
 */
async function read(opened: OpenBatch, verb: 'status' | 'verify') {
  await requireManifest(opened);
  const { ports, settings, command } = opened;
  const lockPath = settings.lockfilePath.value;
  const lock = await requireLock(ports.files, lockPath, command);
  const view = { output: await openOutput(ports.files, settings.outputRoot.value) };
  const shared = await viewOf(opened, lock, verb);
  const { attempts, keptBy, audio } = shared;
  if (verb === 'verify') await pullFor(opened, shared, view.output);
  const pullable = audio && verb === 'status' && (await pullableFrom(audio, view.output, attempts));
  await audio?.close();
  const statuses = await takeStatusesOf(view, attempts, await readableManifest(opened), {
    nowMs: ports.clock.nowMs(),
    placeOf: opened.placeOf,
    command,
    keptBy,
    inStore: pullable ? pullable.inStore : undefined,
  });
  const warnings = (shared.warnings ?? []).map(inLibraryTerms);
  return { view, attempts, statuses, warnings, endpoint: lock.header?.endpoint ?? null };
}
