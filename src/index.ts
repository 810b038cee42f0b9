/**
 * The steps of `venice-batch` as a library, with typed options. It prints nothing, catches no signals, sets no exit
 * code, and does not touch the process's streams. See `examples/library.md`.
 *
 * @module
 */

import { BatchError, EXIT, usageError } from './core/errors.js';
import { batch, type RunReport, withBatch } from './library/batch.js';
import { check, lookAt, type StatusReport, type VerifyReport } from './library/look.js';
import type {
  ApplyOptions,
  CollectOptions,
  PlaceOptions,
  PlanOptions,
  ResolveOptions,
  RunOptions,
  ServiceOptions,
} from './library/option-types.js';
import { planInLibraryTerms } from './library/wording.js';
import type { Attempt } from './lockfile/attempt.js';
import type { LoadedManifest } from './manifest/take.js';
import { readSavedPlan, savedPlanText } from './plan/saved-plan-file.js';
import { retryUntilAnswered } from './run/gather.js';
import { type Planned, planBatch } from './session/plan-batch.js';
import { settleAttempt } from './session/resolve-attempt.js';
import { createClient } from './venice/create-client.js';
import type { Model } from './venice/model.js';

export type { Prepared } from './app/price-plan.js';
export type { TakeReport } from './app/take-report.js';
export type { AudioRequest } from './core/audio-request.js';
export type { Code } from './core/codes.js';
export type { Diagnostic, Span } from './core/diagnostic.js';
export { BatchError, EXIT, type ExitCode } from './core/errors.js';
export type { ProgressEvent, RunEvent, SummaryEvent, TakeEvent } from './core/events.js';
export type { RunReport } from './library/batch.js';
export type { StatusReport, VerifyReport } from './library/look.js';
export type {
  ApplyOptions,
  CollectOptions,
  PlaceOptions,
  PlanOptions,
  ProgressOptions,
  ResolveOptions,
  RunOptions,
  ServiceOptions,
} from './library/option-types.js';
export type { Attempt, AttemptState, StoredFile } from './lockfile/attempt.js';
export type { LoadedManifest, Manifest, Take } from './manifest/take.js';
export type { BuyReason, Decision, Plan, PlanRow, Purchase, QuotedPrice } from './plan/plan.js';
export type { SavedPlan } from './plan/saved-plan.js';
export type { Planned } from './session/plan-batch.js';
export type { Balance } from './venice/client.js';
export type { Model } from './venice/model.js';

/** Reads and checks a manifest, offline. Its errors are returned in `diagnostics`, never thrown. */
export function load(manifest: string): Promise<LoadedManifest> {
  return withBatch({ manifest }, (opened) => opened.load());
}

/**
 * What a run would do and cost. Spends nothing and writes nothing. `saved` can be applied later.
 *
 * @throws BatchError if the lockfile cannot be used (9) or options are invalid (2, 4)
 */
export function plan(options: PlanOptions): Promise<Planned> {
  return withBatch(options, async (opened) => planInLibraryTerms(await planBatch(opened)));
}

/**
 * Collects takes in flight, then buys, makes and downloads what `approve` allows. Resumes an interrupted run. The
 * report says how it ended; its `exitCode` is that of the command line.
 *
 * @throws BatchError if it cannot begin: locked (7), lockfile unusable (9), options (2, 4), storage (12)
 */
export function run(options: RunOptions): Promise<RunReport> {
  return batch(options, {
    mode: 'run',
    approve: async (planned, balance) =>
      (await options.approve?.(planned, balance)) === true ? 'unattended' : 'declined',
  });
}

/**
 * Buys exactly what a saved plan says. Buys nothing if the manifest, the lockfile or a price has changed since.
 *
 * @throws BatchError like `run`, and for an invalid plan (2)
 */
export async function apply(options: ApplyOptions): Promise<RunReport> {
  const read = readSavedPlan(savedPlanText(options.plan));
  if (!read.ok) throw usageError(`\`plan\` ${read.why}`, 'pass the `saved` that plan() returns', read.code);
  return batch(options, { mode: 'run', approve: async () => 'unattended', savedPlan: read.saved });
}

/** Downloads what is already paid for. Never buys. */
export function collect(options: CollectOptions): Promise<RunReport> {
  return batch(options, { mode: 'collect', approve: async () => 'declined' });
}

/** State of every take from manifest, lockfile and disk. Offline and read-only. */
export function status(options: PlaceOptions): Promise<StatusReport> {
  return withBatch(options, lookAt);
}

/** Hashes every stored file and compares it with the lockfile. Offline and read-only. */
export function verify(options: PlaceOptions): Promise<VerifyReport> {
  return withBatch(options, check);
}

/**
 * Records what became of an attempt in doubt.
 *
 * @returns the attempt as now recorded
 */
export function resolve(options: ResolveOptions): Promise<Attempt> {
  return withBatch(
    options,
    async (opened) => (await settleAttempt(opened, options.attempt, options.outcome)).attempt,
  );
}

/** The live models. Needs no key. */
export function models(options: ServiceOptions = {}): Promise<readonly Model[]> {
  return withBatch({ ...options, manifest: 'models.yaml' }, async (opened) => {
    const client = createClient(await opened.connect(), opened.redact);
    const listed = await retryUntilAnswered(opened.ports.clock, () => client.models());
    if (listed.ok) return [...listed.value.values()];
    throw new BatchError('service', `could not fetch the models: ${listed.message}`, {
      exitCode: EXIT.unavailable,
      hint: 'try again later',
    });
  });
}
