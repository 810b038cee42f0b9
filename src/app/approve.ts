import type { Diagnostic } from '../core/diagnostic.js';
import { emitNotice } from '../core/emit-notice.js';
import { BatchError, EXIT, type ExitCode } from '../core/errors.js';
import { lowest } from '../core/money.js';
import type { LoadedManifest } from '../manifest/take.js';
import type { DecideInput } from '../plan/decide.js';
import type { Plan } from '../plan/plan.js';
import { isPriced } from '../plan/plan.js';
import { checkBasis, checkPurchases } from '../plan/saved-plan.js';
import type { Output } from '../storage/output.js';
import { probeStorage } from '../storage/probe.js';
import { createClient } from '../venice/create-client.js';
import { emitPhase, emitPlan } from './emit.js';
import { keySignatureOf } from './key-signature-of.js';
import type { Opened } from './open-lockfile.js';
import { type Prepared, prepare } from './price-plan.js';
import {
  approving,
  NOT_APPROVED,
  noKey,
  sameRun,
  unreliableLock,
  unwritable,
  withinBudget,
} from './refusals.js';
import { type BatchSettings, redactorOf, type World } from './world.js';

/** The purchases, or why nothing is bought. */
export interface BuyDecision {
  readonly prepared?: Prepared;
  readonly approved: boolean;
  readonly refusal?: ExitCode;
  /** The command that the refusal's hint suggests. The end of the run suggests the same. */
  readonly next?: string | undefined;
}

/** Plans, then refuses or asks. Whatever the result, paid audio is collected afterwards. */
export async function decideWhatToBuy(
  world: World,
  settings: BatchSettings,
  opened: Opened & Pick<DecideInput, 'notPulled'>,
  loaded: LoadedManifest,
  output: Output,
): Promise<BuyDecision> {
  const { store, notPulled } = opened;
  const { manifest } = loaded;
  if (loaded.diagnostics.length > 0 && settings.mode !== 'collect')
    world.show(loaded.diagnostics, loaded.sources);
  if (manifest === undefined)
    return { approved: false, ...(settings.mode === 'collect' ? {} : { refusal: EXIT.invalid }) };
  const attempts = [...store.attempts.values()];
  const basis = {
    endpoint: settings.endpoint,
    lineage: store.header.lineage,
    attempts,
    takes: manifest.takes,
  };
  const stale = settings.savedPlan && checkBasis(settings.savedPlan, basis);
  const buying =
    settings.mode === 'run' && world.account !== undefined && !world.stop.aborted && stale === undefined;
  const prepared = await prepare({
    ports: world.ports,
    ...(buying ? { client: createClient(world.transport, redactorOf(world), world.account) } : {}),
    manifest,
    attempts,
    output,
    selection: settings.selection,
    neighbourhood: settings.neighbourhood,
    oneRun: buying && store.sharing === undefined,
    placeOf: settings.placeOf,
    command: settings.command,
    budgetMicroUsd: lowest(settings.budgetMicroUsd, manifest.budgetMicroUsd),
    keySignature: world.account && keySignatureOf(store.header, world.account),
    keptBy: keptElsewhere(settings, opened),
    notPulled,
    account: world.account,
    ignoreBalance: settings.ignoreBalance,
    stop: world.stop,
    phase: (phase) => emitPhase(world, phase),
  });
  emitPlan(world, prepared.plan);
  if (settings.mode === 'collect') {
    const twice = prepared.plan.diagnostics.filter(({ code }) => code === 'bought-twice');
    if (twice.length > 0) world.show(twice, loaded.sources);
    return { prepared, approved: false };
  }
  if (stale !== undefined) return refusedPlan(world, settings, prepared, stale);
  return refuseOrApprove(world, settings, opened, prepared, loaded, output);
}

/** Which other machine has a file, if audio is kept only on machines and the user accepts a single copy. */
export function keptElsewhere(
  { allowSingleCopy }: BatchSettings,
  { store: { sharing }, audio }: Pick<Opened, 'store' | 'audio'>,
): DecideInput['keptBy'] {
  return allowSingleCopy === true && audio === undefined ? sharing?.keptBy : undefined;
}

async function refuseOrApprove(
  world: World,
  settings: BatchSettings,
  opened: Opened,
  prepared: Prepared,
  loaded: LoadedManifest,
  output: Output,
): Promise<BuyDecision> {
  // If the run was stopped before the question was answered, the signal is the reason, not the plan.
  if (world.stop.aborted) return { prepared, approved: false };
  // A user who has to buy less or raise a limit needs to see the prices. The reason is printed below them.
  if (prepared.refusal === EXIT.budget || prepared.refusal === EXIT.balance)
    world.present?.(prepared.plan, prepared.balance);
  if (prepared.diagnostics.length > 0) world.show(prepared.diagnostics, loaded.sources);
  if (prepared.refusal !== undefined) {
    if (world.account === undefined && prepared.refusal === EXIT.authentication) {
      world.show([noKey(settings)], loaded.sources);
      return { prepared, approved: false, refusal: prepared.refusal, next: sameRun(settings) };
    }
    if (!isPriced(prepared.plan)) world.present?.(prepared.plan, prepared.balance);
    return { prepared, approved: false, refusal: prepared.refusal, next: afterRefusal(settings, prepared) };
  }
  const other = settings.savedPlan && checkPurchases(settings.savedPlan, prepared.plan);
  if (other !== undefined) return refusedPlan(world, settings, prepared, other);
  if (prepared.plan.purchases.length === 0) return { prepared, approved: false };
  if (!opened.exclusive) {
    world.show([unreliableLock(settings)], loaded.sources);
    return { prepared, approved: false, refusal: EXIT.unavailable };
  }
  const unproven = await proveLog(opened);
  if (unproven !== undefined) {
    world.show([diagnosticOf(unproven)], new Map());
    return { prepared, approved: false, refusal: unproven.exitCode };
  }
  const unfit = await tryStorage(world, settings, output, prepared.plan, 'nearest');
  if (unfit) return { prepared, approved: false, refusal: EXIT.unavailable };
  const decision = await requestApproval(world, settings, prepared);
  // The folders are needed now: create and test those that did not exist.
  if (decision.approved && (await tryStorage(world, settings, output, prepared.plan, 'make')))
    return { prepared, approved: false, refusal: EXIT.unavailable };
  return decision;
}

function afterRefusal(settings: BatchSettings, { plan, refusal, next }: Prepared): string | undefined {
  if (refusal === EXIT.budget) return withinBudget(settings, plan);
  // The same command may succeed later.
  return refusal === EXIT.unavailable ? sameRun(settings) : next;
}

/** Why the shared log forbids buying, if it does. Checked before the user is asked. */
async function proveLog({ store }: Opened): Promise<BatchError | undefined> {
  try {
    await store.sharing?.prove();
  } catch (error) {
    if (error instanceof BatchError) return error;
    throw error;
  }
  const fault = store.fault();
  return fault?.kind === 'log' ? fault.error : undefined;
}

function diagnosticOf({ code, message, hint }: BatchError): Diagnostic {
  return {
    code,
    severity: 'error',
    message: `${message}: nothing was bought`,
    hint,
  };
}

/** Lower bounds for the audio: bytes a second, and seconds if no length is requested. */
const AUDIO_BYTES_A_SECOND_MIN = 4_000;
const SECONDS_MIN = 5;

/** Reports output folders that cannot store the purchases. Returns whether there are any. */
async function tryStorage(
  world: World,
  settings: BatchSettings,
  output: Output,
  { purchases }: Plan,
  how: 'nearest' | 'make',
): Promise<boolean> {
  const seconds = purchases.reduce((sum, { request }) => sum + (request.duration_seconds ?? SECONDS_MIN), 0);
  const { fault, unsynced } = await probeStorage(world.ports.files, output, world.ports.random, {
    stems: purchases.map(({ take }) => take.stem),
    how,
    bytesMin: seconds * AUDIO_BYTES_A_SECOND_MIN,
  });
  if (unsynced !== undefined && how === 'nearest')
    emitNotice(
      world,
      'warning',
      'folder-not-synced',
      'the disk of the output folder cannot sync folders: a power cut could lose the file stored last',
      `to keep the remote copies: ${settings.command('run', '--keep')}`,
    );
  if (fault !== undefined) world.show([await unwritable(world, settings, fault)], new Map());
  return fault !== undefined;
}

async function requestApproval(
  world: World,
  settings: BatchSettings,
  prepared: Prepared,
): Promise<BuyDecision> {
  emitPhase(world, 'approve');
  const answer = await world.approve(prepared.plan, prepared.balance);
  const suspicious = prepared.plan.purchases.some(({ quote }) => quote.suspicious === true);
  if (answer === 'approved' || (answer === 'unattended' && (!suspicious || settings.acceptPrice === true)))
    return { prepared, approved: true };
  // Interrupted at the question: the signal is reason enough.
  if (world.stop.aborted) return { prepared, approved: false };
  const accepting = { ...settings, acceptPrice: settings.acceptPrice === true || answer === 'unattended' };
  const next = answer === 'declined' ? sameRun(settings) : approving(accepting, prepared.plan);
  const { code, message, hint } = NOT_APPROVED[answer];
  world.show(
    [
      {
        code,
        severity: 'error',
        message: `${message}: nothing was bought`,
        ...(hint && { hint: hint + next }),
      },
    ],
    new Map(),
  );
  return { prepared, approved: false, refusal: EXIT.usage, next };
}

/** A saved plan that no longer applies counts as a missing approval, except if a price rose. */
function refusedPlan(
  world: World,
  settings: BatchSettings,
  prepared: Prepared,
  why: Diagnostic,
): BuyDecision {
  const next = inSandbox(settings);
  world.show([next === undefined ? why : { ...why, hint: `to apply it in the sandbox: ${next}` }], new Map());
  const refusal = why.code === 'price-rose' ? EXIT.budget : EXIT.usage;
  return { prepared, approved: false, refusal, next };
}

/** The same run in the sandbox, if the plan was saved there: `--sandbox` was probably forgotten. */
function inSandbox({ savedPlan, savedPlanFile, sandbox, command }: BatchSettings): string | undefined {
  if (savedPlan?.endpoint !== 'sandbox:' || sandbox || savedPlanFile === undefined) return undefined;
  return command('run', '--plan', savedPlanFile, '--sandbox');
}
