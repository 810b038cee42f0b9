import type { Diagnostic } from '../core/diagnostic.js';
import type { ExitCode } from '../core/errors.js';
import { EXIT } from '../core/errors.js';
import type { Ports } from '../core/ports.js';
import type { Attempt } from '../lockfile/attempt.js';
import type { KeySignature } from '../lockfile/key-signature.js';
import type { Manifest, Take } from '../manifest/take.js';
import {
  assemblePlan,
  checkBudget,
  type Drafted,
  distinctQuotes,
  draftPurchases,
} from '../plan/assemble-plan.js';
import { boughtTwiceWarning } from '../plan/bought-twice-warning.js';
import { checkBalance } from '../plan/check-balance.js';
import { type Decided, type DecideInput, decide } from '../plan/decide.js';
import { lostAnswersError } from '../plan/lost-responses.js';
import type { Plan } from '../plan/plan.js';
import { salvagedJobsError } from '../plan/salvaged-jobs.js';
import { isOfSelection, readSelection, type Selection } from '../plan/selection.js';
import { keyHint } from '../run/close-model.js';
import { type GatheredQuotes, gatherQuotes, retryUntilAnswered } from '../run/gather.js';
import { fileStates, untrackedFiles } from '../run/recover.js';
import type { Output } from '../storage/output.js';
import type { Account, Balance, CallFailure, VeniceClient } from '../venice/client.js';
import {
  boughtElsewhere,
  type Elsewhere,
  type Neighbourhood,
  ownersOf,
  refuseBought,
  runningElsewhere,
} from './elsewhere.js';
import { fetchBalance, NOT_FETCHED } from './fetch-balance.js';
import { findStillThere } from './still-there.js';
import { judgeUnpriced, serviceError } from './unpriced.js';

export interface PrepareInput {
  readonly ports: Ports;
  /** Absent without a key or service; then nothing can be bought. */
  readonly client?: VeniceClient | undefined;
  readonly manifest: Manifest;
  readonly attempts: readonly Attempt[];
  readonly output: Output;
  readonly selection: Selection;
  /** How messages name a file, given its path relative to the output root. Default: that path. */
  readonly placeOf?: ((file: string) => string) | undefined;
  /** The next command, ready to paste, by its verb. */
  command(verb: string, ...words: string[]): string;
  /** Integer micro-dollars: the lowest budget that applies. */
  readonly budgetMicroUsd?: number | undefined;
  readonly keySignature?: KeySignature | undefined;
  readonly keptBy?: DecideInput['keptBy'];
  readonly notPulled?: DecideInput['notPulled'];
  readonly inStore?: DecideInput['inStore'];
  readonly fetchable?: DecideInput['fetchable'];
  /** How files are compared with the lockfile. Default: by size. */
  readonly compare?: 'size' | 'hash';
  /** The account whose balance is checked. Absent without a key; then the balance stays unknown. */
  readonly account?: Account | undefined;
  /** Buy even if the balance, as far as it is known, does not cover the total. */
  readonly ignoreBalance?: boolean | undefined;
  /** Paths where other lockfiles of the manifest may be. Absent: not checked. */
  readonly neighbourhood?: Neighbourhood | undefined;
  /** Whether to refuse if the manifest is being bought under another lockfile. Requires the run lock. */
  readonly oneRun?: boolean;
  readonly phase?: (phase: 'quote') => void;
  /** When aborted, stops waiting for a service that does not answer. */
  readonly stop?: AbortSignal;
}

/** A plan, and whether anything prevents carrying it out. */
export interface Prepared {
  readonly plan: Plan;
  /** Absent if it could not be fetched. */
  readonly balance?: Balance | undefined;
  /** Warnings, and the errors that prevent buying. */
  readonly diagnostics: readonly Diagnostic[];
  /** Set if nothing may be bought: the exit code of the run. */
  readonly refusal?: ExitCode | undefined;
  /** The command that the reason's hint suggests, if that is not the same run or its plan. */
  readonly next?: string | undefined;
}

/**
 * From manifest and lockfile to a priced plan: decides what to buy, checks it against the live models, and fetches each
 * distinct price once, and the balance. Spends nothing, and sends no request if there is nothing to buy.
 */
export async function prepare(input: PrepareInput): Promise<Prepared> {
  const occupied = await untrackedFiles({ output: input.output }, input.manifest.takes, input.attempts);
  const fileOwners = await ownersOfUntracked(input, occupied);
  const prepared = await decideAndPrice(input, { occupied, fileOwners });
  const moved = [...fileOwners.values()].find(({ manifest }) => manifest === undefined);
  if (moved === undefined || prepared.refusal !== EXIT.invalid) return prepared;
  return { next: input.command('plan', '--lockfile', moved.lockfile), ...prepared };
}

async function decideAndPrice(
  input: PrepareInput,
  untracked: Pick<DecideInput, 'occupied' | 'fileOwners'>,
): Promise<Prepared> {
  const settled = decide({
    takes: input.manifest.takes,
    attempts: input.attempts,
    ...(await fileStates({ output: input.output }, input.attempts, input.compare)),
    ...untracked,
    selection: input.selection,
    placeOf: input.placeOf,
    command: input.command,
    keySignature: input.keySignature,
    keptBy: input.keptBy,
    notPulled: input.notPulled,
    inStore: input.inStore,
    fetchable: input.fetchable,
    nowMs: input.ports.clock.nowMs(),
  });
  const twice = boughtTwiceWarning(input.attempts, input.manifest.takes, input.command);
  const decided = { ...settled, diagnostics: [...settled.diagnostics, ...twice] };
  const wanted = decided.rows.filter(({ decision }) => decision.kind === 'buy').map(({ take }) => take);
  const elsewhere = await findOtherLockfiles(input, wanted);
  if (elsewhere !== undefined)
    return concluded(input, decided, NOTHING_DRAFTED, NO_QUOTES, {
      diagnostics: [elsewhere.diagnostic],
      refusal: elsewhere.refusal,
      next: elsewhere.next,
    });
  const salvaged = salvagedJobsError(input.attempts, input.command);
  if (wanted.length === 0) {
    // No take of the plan shows this doubt.
    const doubt = salvaged === undefined ? [] : [{ ...salvaged, severity: 'warning' } as const];
    return concluded(input, decided, NOTHING_DRAFTED, NO_QUOTES, { diagnostics: doubt });
  }
  const lost = lostAnswersError(input.attempts, input.command) ?? salvaged;
  if (lost !== undefined)
    return concluded(input, decided, NOTHING_DRAFTED, NO_QUOTES, {
      diagnostics: [lost],
      refusal: EXIT.inDoubt,
    });
  if (input.client === undefined)
    return concluded(input, decided, NOTHING_DRAFTED, NO_QUOTES, { refusal: EXIT.authentication });
  return price(input, input.client, decided);
}

/** A user who forces a take knows that it exists. Other runs first: what one has just bought is then in its lockfile. */
async function findOtherLockfiles(
  { ports, selection, manifest, neighbourhood, oneRun, attempts, command }: PrepareInput,
  wanted: readonly Take[],
): Promise<Elsewhere | undefined> {
  if (neighbourhood === undefined || wanted.length === 0) return undefined;
  const running = oneRun === true ? await runningElsewhere(ports, neighbourhood) : undefined;
  if (running !== undefined) return running;
  const { forced } = readSelection(selection, manifest.takes);
  const unforced = wanted.filter((take) => !forced(take));
  const bought = await boughtElsewhere(ports.files, neighbourhood, unforced, attempts);
  return bought && refuseBought(bought, unforced.length, command);
}

/** Only to explain them: a file that is in the way is refused, whoever it belongs to. */
async function ownersOfUntracked(
  { ports, manifest, neighbourhood }: PrepareInput,
  occupied: DecideInput['occupied'],
): ReturnType<typeof ownersOf> {
  if (neighbourhood === undefined) return new Map();
  return ownersOf(
    ports.files,
    neighbourhood,
    manifest.takes.flatMap(({ stem }) => occupied(stem) ?? []),
  );
}

const NOTHING_DRAFTED: Drafted = { drafts: [], diagnostics: [] };
const NO_QUOTES: GatheredQuotes = { quotes: new Map(), failures: [], leftOut: 0 };

async function price(input: PrepareInput, client: VeniceClient, decided: Decided): Promise<Prepared> {
  const { clock } = input.ports;
  const models = await retryUntilAnswered(clock, () => client.models(), input.stop);
  if (!models.ok) {
    const hint = isKeyRefused(models) ? `nothing was bought; ${keyHint(models.code)}` : MODELS_HINT;
    const diagnostics = [serviceError('could not fetch the models', models, hint)];
    // That request contained nothing from the manifest, so the manifest is not the cause.
    const refusal = isKeyRefused(models) ? EXIT.authentication : EXIT.unavailable;
    return concluded(input, decided, NOTHING_DRAFTED, NO_QUOTES, { diagnostics, refusal });
  }
  const drafted = draftPurchases(decided.rows, models.value, clock.nowMs());
  // After an error nothing will be bought, so the prices are not needed.
  if (hasError(drafted.diagnostics) || hasError(decided.diagnostics))
    return concluded(input, decided, { ...drafted, drafts: [] }, NO_QUOTES, {
      refusal: selectionOrInvalid([...decided.diagnostics, ...drafted.diagnostics]),
    });
  const found = await findStillThere(client, decided.rows, input);
  if (found.length > 0)
    return concluded(input, decided, { ...drafted, drafts: [] }, NO_QUOTES, {
      diagnostics: found,
      refusal: EXIT.invalid,
    });
  input.phase?.('quote');
  const [quotes, { keyRefused, ...asked }] = await Promise.all([
    gatherQuotes(client, clock, distinctQuotes(drafted.drafts), input.stop),
    input.account === undefined ? NOT_FETCHED : fetchBalance(client, clock, input.account, input.stop),
  ]);
  return concluded(input, decided, drafted, quotes, {
    ...asked,
    ...(keyRefused ? { refusal: EXIT.authentication } : {}),
  });
}

interface Extra {
  readonly balance?: Balance;
  readonly diagnostics?: readonly Diagnostic[];
  readonly refusal?: ExitCode;
  readonly next?: string | undefined;
}

function concluded(
  input: PrepareInput,
  decided: Decided,
  drafted: Drafted,
  gathered: GatheredQuotes,
  extra: Extra,
): Prepared {
  const { drafts } = drafted;
  const { takes } = input.manifest;
  const unpriced = judgeUnpriced(gathered, { ...input, drafts, takes });
  const plan = assemblePlan({
    decided,
    drafted,
    quotes: gathered.quotes,
    closed: unpriced.closed,
    attempts: input.attempts,
    budgetMicroUsd: input.budgetMicroUsd,
  });
  const money = [
    ...checkBudget(plan, input.manifest),
    ...(extra.balance === undefined || input.ignoreBalance ? [] : checkBalance(plan, extra.balance)),
  ];
  const diagnostics = [...plan.diagnostics, ...(extra.diagnostics ?? []), ...unpriced.diagnostics, ...money];
  const refusal =
    extra.refusal ??
    unpriced.refusal ??
    (hasError(plan.diagnostics) ? selectionOrInvalid(plan.diagnostics) : undefined) ??
    moneyRefusal(money);
  return {
    plan,
    diagnostics,
    balance: extra.balance,
    refusal,
    ...(extra.next === undefined ? {} : { next: extra.next }),
  };
}

export function hasError(diagnostics: readonly Diagnostic[]): boolean {
  return diagnostics.some(({ severity }) => severity === 'error');
}

/** A selection without an effect is a mistake on the command line, not in the manifest. */
export function selectionOrInvalid(diagnostics: readonly Diagnostic[]): ExitCode {
  const errors = diagnostics.filter(({ severity }) => severity === 'error');
  return errors.every(isOfSelection) ? EXIT.usage : EXIT.invalid;
}

function moneyRefusal(money: readonly Diagnostic[]): ExitCode | undefined {
  if (money.some(({ code }) => code === 'over-balance' || code === 'cannot-consume')) return EXIT.balance;
  return money.length > 0 ? EXIT.budget : undefined;
}

function isKeyRefused({ kind, status }: CallFailure): boolean {
  return kind === 'refused' && (status === 401 || status === 403);
}

const MODELS_HINT =
  'nothing was bought; check --base-url, VENICE_BASE_URL and any proxy, or run the same command again later';
