import { type BatchError, usageError } from '../core/errors.js';
import { microUsdFromUsd } from '../core/money.js';
import { BESIDE_MINUTES, numberIn } from '../manifest/number-in.js';
import { type BatchPlace, batchPlace, type Setting } from './batch-place.js';
import { type EnvironmentReader, type ProcessContext, readEnvironment } from './environment.js';

/** What a caller chooses beside the settings: a command by its flags, the library by its options. */
export interface Choices {
  readonly lockfile?: string | undefined;
  readonly allowSingleCopy?: boolean | undefined;
  readonly only?: readonly string[] | undefined;
  readonly except?: readonly string[] | undefined;
  readonly force?: readonly string[] | undefined;
  readonly yes?: boolean | undefined;
  readonly acceptPrice?: boolean | undefined;
  readonly ignoreBalance?: boolean | undefined;
  readonly retryFailed?: boolean | undefined;
  readonly failFast?: boolean | undefined;
  readonly keep?: boolean | undefined;
  readonly detach?: boolean | undefined;
  readonly plan?: string | undefined;
  readonly onlyUnpicked?: boolean | undefined;
}

/** The flags of all commands that use a manifest, as on the command line. */
export interface Flags extends Choices {
  readonly sandbox?: boolean;
  readonly sandboxSpeed?: string;
  readonly sandboxAs?: string;
  readonly baseUrl?: string;
  readonly envFile?: string;
  readonly state?: string;
  readonly outDir?: string;
  readonly budget?: string;
  readonly concurrency?: string;
  readonly timeout?: string;
  readonly frozen?: boolean;
  readonly json?: boolean;
  readonly events?: string;
  readonly progress?: string;
  readonly color?: string;
  readonly debug?: boolean;
  readonly detailedExitcode?: boolean;
  readonly live?: boolean;
  readonly junit?: string;
  readonly suggestions?: string;
  readonly out?: string;
  /** `--out` of `report`. */
  readonly report?: string;
  readonly note?: string;
  readonly clear?: boolean;
  readonly qcFail?: boolean;
  readonly undo?: boolean;
  readonly more?: string;
  readonly dryRun?: boolean;
}

/** Where a batch is, who pays, and its limits. The manifest's settings are added when it is read. */
export interface PlaceSettings extends BatchPlace {
  /** How many times faster than real time the sandbox makes audio. */
  readonly sandboxSpeed: number;
  /** The description of the service that the sandbox follows; absent: today's. */
  readonly sandboxAs?: SandboxAs;
  /** Integer micro-dollars. */
  readonly budgetMicroUsd?: Setting<number> | undefined;
  readonly concurrency?: Setting<number> | undefined;
  readonly timeoutMs?: number | undefined;
  /** Takes to make for each chosen track beyond the manifest's `takes`. */
  readonly more?: number | undefined;
  /** Address of the shared log. The manifest may also name one. */
  readonly state?: Setting<string> | undefined;
  readonly choices: Choices;
}

/** The same for a command, with all its flags. */
export interface Settings extends PlaceSettings {
  readonly flags: Flags;
}

export const SANDBOX_SPEED_DEFAULT = 20;

/**
 * Flags override the environment, which overrides the manifest, which overrides defaults. An invalid value is a usage
 * error, before anything is done. Throws `BatchError` (exit 2).
 */
export async function resolveSettings(
  manifest: string,
  flags: Flags,
  around: ProcessContext,
): Promise<Settings> {
  if (manifest === '')
    throw usageError('the name of the manifest is empty', 'name a file, such as album.yaml');
  if (flags.sandbox === true && flags.baseUrl !== undefined)
    throw usageError('--sandbox and --base-url cannot be combined', 'use only one of them');
  const environment = await readEnvironment(flags.envFile, around);
  const place = await batchPlace(
    {
      manifest,
      sandbox: flags.sandbox,
      lockfile: flags.lockfile,
      outDir: flags.outDir,
      baseUrl: flags.baseUrl,
    },
    environment,
    around,
  );
  return {
    ...place,
    sandboxSpeed: numberOf('--sandbox-speed', flags.sandboxSpeed, 0.01, 100_000) ?? SANDBOX_SPEED_DEFAULT,
    ...sandboxAsOf(flags),
    budgetMicroUsd: budgetOf(flags, environment),
    concurrency: concurrencyOf(flags, environment),
    timeoutMs: timeoutOf(flags),
    more: wholeNumberOf('--more', flags.more, MORE_MAX),
    state: stateOf(flags, environment),
    choices: flags,
    flags,
  };
}

/** Months of the API descriptions that the sandbox can follow, newest first. */
const SANDBOX_AS = ['2026-10', '2026-08'] as const;
export type SandboxAs = (typeof SANDBOX_AS)[number];

/** Throws `BatchError` (2) for a description that the sandbox does not have. */
export function sandboxAsOf({ sandboxAs: given }: Flags): { sandboxAs?: SandboxAs } {
  if (given === undefined) return {};
  const known = SANDBOX_AS.find((month) => month === given);
  if (known === undefined)
    throw usageError(
      `--sandbox-as takes ${SANDBOX_AS.join(' or ')}: ${given}`,
      `to follow the current service, omit it or write --sandbox-as ${SANDBOX_AS[0]}`,
    );
  return { sandboxAs: known };
}

function budgetOf(flags: Flags, environment: EnvironmentReader): Setting<number> | undefined {
  const flag = flags.budget;
  return lowestBudget(environment, flag === undefined ? undefined : readBudget('--budget', flag));
}

/** If several budgets are set, the lowest wins. */
export function lowestBudget(
  environment: EnvironmentReader,
  given: number | undefined,
): Setting<number> | undefined {
  const budgets: Setting<number>[] = environment
    .readAll('VENICE_BATCH_BUDGET')
    .map(({ value, origin }) => ({ value: readBudget('VENICE_BATCH_BUDGET', value), origin }));
  if (given !== undefined) budgets.push({ value: given, origin: 'flag' });
  return budgets.sort((a, b) => a.value - b.value)[0];
}

function readBudget(name: string, text: string): number {
  const microUsd = /^\d+(\.\d+)?$/.test(text.trim()) ? microUsdFromUsd(Number(text)) : undefined;
  if (microUsd === undefined || microUsd === 0) throw noBudget(name, text);
  return microUsd;
}

const BUDGET_USD_MAX = 1_000_000;

/** An empty one is usually an unset shell variable, and was not meant as "no limit". */
function noBudget(name: string, text: string): BatchError {
  if (text.trim() === '')
    return usageError(`${name} is set, but empty`, `give an amount in US dollars, or remove ${name}`);
  const amount = numberIn(text);
  if (Number(amount) > BUDGET_USD_MAX)
    return usageError(
      `${name} is above the maximum of $1,000,000: ${text}`,
      `write it as ${assigned(name, BUDGET_USD_MAX)}`,
    );
  return usageError(
    `${name} is not an amount in US dollars above 0: ${text}`,
    amount === undefined || amount === text.trim()
      ? 'give US dollars in digits, with a point before the cents'
      : `write it as ${assigned(name, amount)}`,
  );
}

export const CONCURRENCY_MAX = 64;

export function concurrencyOf(
  flags: Pick<Flags, 'concurrency'>,
  environment: EnvironmentReader,
): Setting<number> | undefined {
  const flag = wholeNumberOf('--concurrency', flags.concurrency, CONCURRENCY_MAX);
  if (flag !== undefined) return { value: flag, origin: 'flag' };
  const set = environment.read('VENICE_BATCH_CONCURRENCY');
  const value = wholeNumberOf('VENICE_BATCH_CONCURRENCY', set?.value, CONCURRENCY_MAX);
  return value === undefined || set === undefined ? undefined : { value, origin: set.origin };
}

/** The address of the shared log, unless the manifest has it. */
export function stateOf(
  flags: { readonly state?: string | undefined; readonly sandbox?: boolean | undefined },
  environment: EnvironmentReader,
): Setting<string> | undefined {
  if (flags.state === '')
    throw usageError('--state is empty', 'give an address, such as s3://bucket/prefix, or omit it');
  if (flags.state !== undefined) return { value: flags.state, origin: 'flag' };
  // The simulator's jobs are useless to other machines; the flag still allows trying out a shared log.
  if (flags.sandbox === true) return undefined;
  const set = environment.read('VENICE_BATCH_STATE');
  // Usually a variable that CI does not have: without the log, a machine that is lost takes its record along.
  if (set === undefined && environment.readAll('VENICE_BATCH_STATE').length > 0)
    throw usageError(
      'VENICE_BATCH_STATE is set, but empty',
      'give an address, such as s3://bucket/prefix, or remove VENICE_BATCH_STATE',
    );
  return set;
}

function timeoutOf(flags: Flags): number | undefined {
  const minutes = numberOf('--timeout', flags.timeout, 0.001, 7 * 24 * 60);
  return minutes === undefined ? undefined : minutes * 60_000;
}

/** For one track; as many as the manifest's `takes` allows. */
export const MORE_MAX = 99;

/** From 1. */
function wholeNumberOf(name: string, text: string | undefined, max: number): number | undefined {
  const value = numberOf(name, text, 1, max);
  if (value !== undefined && !Number.isInteger(value))
    throw usageError(
      `${name} takes a whole number: ${text}`,
      `write it as ${assigned(name, Math.round(value))}`,
    );
  return value;
}

function numberOf(name: string, text: string | undefined, min: number, max: number): number | undefined {
  if (text === undefined) return undefined;
  const value = /^\d+(\.\d+)?$/.test(text.trim()) ? Number(text) : Number.NaN;
  if (!(value >= min && value <= max)) {
    const meant = numberIn(text, name === '--timeout' ? BESIDE_MINUTES : undefined);
    throw usageError(
      `${name} takes a number from ${min} to ${max}: ${text}`,
      meant === undefined
        ? `give a number from ${min} to ${max}`
        : `write it as ${assigned(name, Math.min(max, Math.max(min, Number(meant))))}`,
    );
  }
  return value;
}

/** As typed: `--timeout 5`, `VENICE_BATCH_CONCURRENCY=5`. */
function assigned(name: string, value: string | number): string {
  return name.startsWith('--') ? `${name} ${value}` : `${name}=${value}`;
}
