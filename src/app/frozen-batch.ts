import path from 'node:path';
import type { Diagnostic } from '../core/diagnostic.js';
import { emitNotice } from '../core/emit-notice.js';
import { EXIT } from '../core/errors.js';
import { lowest } from '../core/money.js';
import { requireLock, type UsableLock } from '../lockfile/read.js';
import type { LoadedManifest } from '../manifest/take.js';
import { withExtraTakes } from '../plan/extra-takes.js';
import type { RunOutcome } from '../run/execute.js';
import { type Output, openOutput } from '../storage/output.js';
import type { BuyDecision } from './approve.js';
import { emitPhase, emitPlan, noticeTo, versionEvent } from './emit.js';
import { notFrozen } from './frozen.js';
import { keySignatureOf } from './key-signature-of.js';
import { hasError, prepare, selectionOrInvalid } from './price-plan.js';
import { orNotPulled, pullHere } from './pull-here.js';
import { openPatiently } from './run-opening.js';
import { type SharedView, sharedView } from './shared-view.js';
import { storageError } from './storage-error.js';
import { type RunReport, summarise } from './summarise.js';
import type { BatchSettings, World } from './world.js';

/** A run that only checks needs neither the service nor an approval. */
export type FrozenWorld = Omit<World, 'transport' | 'approve'>;

const NOTHING_DONE: RunOutcome = { stopReasons: new Set(), spentMicroUsd: 0, madeCount: 0 };

/**
 * `run --frozen`: reports whether a run would change anything, and changes nothing. It takes no lock and does not
 * contact the service, so it works on a read-only tree and without a key. It only writes missing audio, downloaded from
 * the audio store by hash. Throws `BatchError` if it cannot begin.
 */
export async function frozenBatch(world: FrozenWorld, settings: BatchSettings): Promise<RunReport> {
  const { ports } = world;
  const startedMs = ports.clock.nowMs();
  world.emit(versionEvent(settings, startedMs));
  await world.ready?.();
  try {
    return await look(world, settings, startedMs);
  } catch (error) {
    const directory = path.dirname(settings.lockfilePath);
    const next = settings.command('run', '--frozen');
    const { placeOf } = settings;
    throw await storageError(error, ports.files, { directory, next, untouched: true, placeOf });
  }
}

async function look(world: FrozenWorld, settings: BatchSettings, startedMs: number): Promise<RunReport> {
  const { ports } = world;
  const read = await requireLock(ports.files, settings.lockfilePath, settings.command, settings.endpoint);
  const output = await openOutput(ports.files, settings.outputRoot);
  emitPhase(world, 'check');
  const asWritten = await world.load();
  const { attempts, keptBy, fetchable } = await pulled(world, settings, output, read, asWritten);
  const loaded = withExtraTakes(asWritten, attempts, settings);
  if (loaded.manifest !== undefined) world.takesKnown?.(loaded.manifest);
  if (loaded.diagnostics.length > 0) world.show(loaded.diagnostics, loaded.sources);
  const { manifest } = loaded;
  let decision: BuyDecision = { approved: false, refusal: EXIT.invalid };
  if (manifest !== undefined) {
    const prepared = await prepare({
      ports,
      manifest,
      attempts,
      output,
      selection: settings.selection,
      neighbourhood: settings.neighbourhood,
      placeOf: settings.placeOf,
      command: settings.command,
      budgetMicroUsd: lowest(settings.budgetMicroUsd, manifest.budgetMicroUsd),
      keptBy,
      fetchable,
      compare: 'hash',
      keySignature: world.account && read.header && keySignatureOf(read.header, world.account),
    });
    emitPlan(world, prepared.plan);
    const { diagnostics } = prepared.plan;
    const changes = [...lacksRecords(read, settings), ...notFrozen(prepared.plan, settings)];
    const changed = diagnostics.some(({ code }) => code === 'file-changed');
    const reported = [...diagnostics.map(asError), ...changes];
    if (reported.length > 0) world.show(reported, loaded.sources);
    decision = { prepared, approved: false };
    if (hasError(diagnostics)) decision = { ...decision, refusal: selectionOrInvalid(diagnostics) };
    else if (changes.length > 0) decision = { ...decision, refusal: EXIT.changes };
    else if (changed) decision = { ...decision, refusal: EXIT.changes, next: settings.command('verify') };
  }
  return summarise({
    world,
    settings,
    attempts: new Map(attempts.map((one) => [one.attempt, one])),
    keptBy,
    fetchable,
    output,
    manifest,
    outcome: NOTHING_DONE,
    decision,
    startedMs,
  });
}

/** Records that only this machine has, in `.venice-batch`, are missing in every other checkout. */
function lacksRecords({ notes }: UsableLock, { command }: BatchSettings): readonly Diagnostic[] {
  return notes.flatMap((note) => {
    if (note.kind !== 'restored') return [];
    const attempts = note.attempts === 1 ? '1 attempt' : `${note.attempts} attempts`;
    const message = `the lockfile lacks records of ${attempts} that .venice-batch has, but --frozen changes nothing`;
    const hint = `restore them, and commit the lockfile: ${command('collect')}`;
    return [{ code: 'not-frozen', severity: 'error', message, hint }];
  });
}

/** A changed file is a warning elsewhere, but this command promises that everything is as it was stored. */
function asError(diagnostic: Diagnostic): Diagnostic {
  return diagnostic.code === 'file-changed' ? { ...diagnostic, severity: 'error' } : diagnostic;
}

/** The shared log, if flag, environment or manifest name one. */
async function sharedFor(
  world: FrozenWorld,
  settings: BatchSettings,
  read: UsableLock,
  { manifest }: LoadedManifest,
): Promise<SharedView> {
  const { ports, openState } = world;
  const { lockfilePath, endpoint, command, noteLog, sandbox, allowSingleCopy = false } = settings;
  const again = settings.again ?? ((...words) => command('run', '--frozen', ...words));
  const address = settings.state ?? (sandbox ? undefined : manifest?.state);
  const state =
    address === undefined || openState === undefined
      ? undefined
      : await openPatiently(world, openState, address, world.stop);
  if (state === undefined && read.header?.log === undefined) return { attempts: [...read.attempts.values()] };
  const about = { lockfilePath, endpoint, command, again, noteLog, allowSingleCopy, manifest };
  return sharedView(ports, about, read, state, (message, hint) =>
    emitNotice(world, 'warning', 'state-not-read', message, hint),
  );
}

async function pulled(
  world: FrozenWorld,
  settings: BatchSettings,
  output: Output,
  read: UsableLock,
  loaded: LoadedManifest,
): Promise<SharedView> {
  const view = await sharedFor(world, settings, read, loaded);
  try {
    const pulling = { ...settings, manifest: loaded.manifest, stop: world.stop };
    const notPulled = await pullHere(view.audio, output, view.attempts, noticeTo(world), pulling);
    return { ...view, fetchable: orNotPulled(view.fetchable, notPulled) };
  } finally {
    await view.audio?.close();
  }
}
