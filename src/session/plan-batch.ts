import { keySignatureOf } from '../app/key-signature-of.js';
import { type Prepared, prepare } from '../app/price-plan.js';
import { pullableFrom } from '../app/pull-here.js';
import type { Diagnostic } from '../core/diagnostic.js';
import { lowest } from '../core/money.js';
import { requireLock } from '../lockfile/read.js';
import type { LoadedManifest } from '../manifest/take.js';
import { withExtraTakes } from '../plan/extra-takes.js';
import { type SavedPlan, savePlan } from '../plan/saved-plan.js';
import { openOutput } from '../storage/output.js';
import { createClient } from '../venice/create-client.js';
import { neighbourhoodOf, selectionFor } from './batch-settings.js';
import { viewOf } from './find-state.js';
import type { OpenBatch } from './open-batch.js';

export interface Planned {
  readonly loaded: LoadedManifest;
  /** What could not be read: the shared log, of which the lockfile may be an older copy. Absent: nothing. */
  readonly warnings?: readonly Diagnostic[] | undefined;
  /** Absent if the manifest has errors. */
  readonly prepared?: Prepared;
  /** What `run --plan` applies; absent if anything prevents it. */
  readonly saved?: SavedPlan;
}

/** Plans a run and its cost without taking the lock. Throws `BatchError` (9) if the lockfile cannot be used. */
export async function planBatch(batch: OpenBatch): Promise<Planned> {
  const { settings, ports, endpoint, account } = batch;
  const { choices } = settings;
  const lockPath = settings.lockfilePath.value;
  const read = await requireLock(ports.files, lockPath, batch.command, endpoint);
  const declared = await batch.load();
  if (declared.manifest === undefined) return { loaded: declared };
  const { attempts, warnings, keptBy, audio, fetchable } = await viewOf(batch, read, 'plan');
  const selection = await selectionFor(batch);
  const output = await openOutput(ports.files, settings.outputRoot.value);
  const pullable = audio && (await pullableFrom(audio, output, attempts));
  await audio?.close();
  const loaded = withExtraTakes(declared, attempts, { more: settings.more, selection });
  const { manifest } = loaded;
  if (manifest === undefined) return { loaded, warnings };
  const prepared = await prepare({
    ports,
    client: createClient(await batch.connect(), batch.redact, account),
    manifest,
    attempts,
    output,
    selection,
    neighbourhood: neighbourhoodOf(batch),
    placeOf: batch.placeOf,
    command: batch.command,
    budgetMicroUsd: lowest(settings.budgetMicroUsd?.value, manifest.budgetMicroUsd),
    keySignature: account && read.header && keySignatureOf(read.header, account),
    keptBy,
    notPulled: pullable?.unclear,
    inStore: pullable?.inStore,
    fetchable,
    // Models and prices are public: without a key only the balance stays unknown.
    account,
    ignoreBalance: choices.ignoreBalance,
  });
  if (prepared.refusal !== undefined) return { loaded, warnings, prepared };
  const basis = { endpoint, lineage: read.header?.lineage, attempts, takes: manifest.takes };
  return { loaded, warnings, prepared, saved: savePlan(prepared.plan, selection, basis) };
}
