import path from 'node:path';
import { BatchError, EXIT } from '../core/errors.js';
import { microUsdFromUsd } from '../core/money.js';
import { BESIDE_MINUTES, numberIn } from '../manifest/number-in.js';
import { type EnvironmentReader, type ProcessContext, readEnvironment } from './environment.js';
import { MANIFEST_EXTENSION, manifestBehind, unlessBoth } from './manifest-link.js';

/** What a caller chooses beside the settings: a command by its flags, the library by its options. */
export interface Choices {
  readonly lockfile?: string;
  readonly localCustody?: boolean;
  readonly only?: readonly string[];
  readonly except?: readonly string[];
  readonly force?: readonly string[];
  readonly yes?: boolean;
  readonly acceptPrice?: boolean;
  readonly ignoreBalance?: boolean;
  readonly retryFailed?: boolean;
  readonly failFast?: boolean;
  readonly keep?: boolean;
  readonly detach?: boolean;
  readonly plan?: string;
  readonly onlyUnpicked?: boolean;
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

export type Origin = 'flag' | 'environment' | 'env-file' | 'manifest' | 'default';

/** A value, and where it came from: `config` shows both. */
export interface Setting<T> {
  readonly value: T;
  readonly origin: Origin;
}

/** Where a batch is, who pays, and its limits. The manifest's settings are added when it is read. */
export interface PlaceSettings {
  /** As typed; `-` is standard input. */
  readonly manifest: string;
  /** Absolute; `stdin.yaml` in the working directory for standard input. */
  readonly manifestPath: string;
  readonly sandbox: boolean;
  /** How many times faster than real time the sandbox makes audio. */
  readonly sandboxSpeed: number;
  /** The description of the service that the sandbox follows; absent: today's. */
  readonly sandboxAs?: SandboxAs;
  /** Everything of a sandbox run is here. Absolute. */
  readonly sandboxDirectory: string;
  readonly lockfilePath: Setting<string>;
  readonly outputRoot: Setting<string>;
  readonly baseUrl: Setting<string>;
  readonly apiKey?: Setting<string>;
  /** Private key of a wallet that pays instead of an API key. */
  readonly walletKey?: Setting<string>;
  /** Integer micro-dollars. */
  readonly budgetMicroUsd?: Setting<number>;
  readonly concurrency?: Setting<number>;
  readonly timeoutMs?: number;
  /** Takes to make for each chosen track beyond the manifest's `takes`. */
  readonly more?: number;
  /** Address of the shared log. The manifest may also name one. */
  readonly state?: Setting<string>;
  readonly choices: Choices;
}

/** The same for a command, with all its flags. */
export interface Settings extends PlaceSettings {
  readonly flags: Flags;
}

export const DEFAULT_BASE_URL = 'https://api.venice.ai/api/v1';
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
  if (manifest === '') throw usage('the name of the manifest is empty', 'name a file, such as album.yaml');
  const environment = await readEnvironment(flags.envFile, around);
  const named = path.resolve(around.cwd, manifest === '-' ? 'stdin.yaml' : manifest);
  const manifestPath = await manifestBehind(around.files, named);
  if (flags.lockfile === undefined && flags.sandbox !== true)
    await unlessBoth(around.files, named, manifestPath);
  const stem = manifestPath.replace(MANIFEST_EXTENSION, '');
  const sandbox = flags.sandbox === true;
  if (sandbox && flags.baseUrl !== undefined)
    throw usage('--sandbox and --base-url cannot be combined', 'use only one of them');
  const sandboxDirectory = `${stem}.sandbox`;
  const home = sandbox ? sandboxDirectory : path.dirname(manifestPath);
  const budget = budgetOf(flags, environment);
  const concurrency = concurrencyOf(flags, environment);
  const apiKey = environment.read('VENICE_API_KEY');
  const walletKey = environment.read('VENICE_WALLET_KEY');
  if (apiKey !== undefined && walletKey !== undefined)
    throw usage(
      'VENICE_API_KEY and VENICE_WALLET_KEY are both set: only one of them can pay',
      'unset the one that should not pay',
    );
  return {
    manifest,
    manifestPath,
    sandbox,
    sandboxSpeed: numberOf('--sandbox-speed', flags.sandboxSpeed, 0.01, 100_000) ?? SANDBOX_SPEED_DEFAULT,
    ...sandboxAsOf(flags),
    sandboxDirectory,
    lockfilePath: pathOf(flags.lockfile, around.cwd, path.join(home, `${path.basename(stem)}.lock.jsonl`)),
    outputRoot: pathOf(flags.outDir, around.cwd, home),
    baseUrl: baseUrlOf(flags, environment, sandbox),
    ...(apiKey === undefined ? {} : { apiKey }),
    ...(walletKey === undefined ? {} : { walletKey }),
    ...(budget === undefined ? {} : { budgetMicroUsd: budget }),
    ...(concurrency === undefined ? {} : { concurrency }),
    ...timeoutOf(flags),
    ...moreOf(flags),
    ...stateOf(flags, environment),
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
    throw usage(
      `--sandbox-as takes ${SANDBOX_AS.join(' or ')}: ${given}`,
      `to follow the current service, omit it or write --sandbox-as ${SANDBOX_AS[0]}`,
    );
  return { sandboxAs: known };
}

function pathOf(flag: string | undefined, cwd: string, otherwise: string): Setting<string> {
  if (flag === undefined) return { value: otherwise, origin: 'default' };
  if (flag === '') throw usage('an empty path was given', 'name a path, or omit the flag');
  return { value: path.resolve(cwd, flag), origin: 'flag' };
}

function baseUrlOf(flags: Flags, environment: EnvironmentReader, sandbox: boolean): Setting<string> {
  if (sandbox) return { value: 'sandbox:', origin: 'flag' };
  if (flags.baseUrl !== undefined) return { value: flags.baseUrl, origin: 'flag' };
  return environment.read('VENICE_BASE_URL') ?? { value: DEFAULT_BASE_URL, origin: 'default' };
}

function budgetOf(flags: Flags, environment: EnvironmentReader): Setting<number> | undefined {
  const candidates = budgetsIn(environment);
  if (flags.budget !== undefined)
    candidates.push({ value: readBudget('--budget', flags.budget), origin: 'flag' });
  // If several budgets are set, the lowest wins.
  return candidates.sort((a, b) => a.value - b.value)[0];
}

/** Every budget that the environment sets. */
export function budgetsIn(environment: EnvironmentReader): Setting<number>[] {
  return environment
    .readAll('VENICE_BATCH_BUDGET')
    .map(({ value, origin }) => ({ value: readBudget('VENICE_BATCH_BUDGET', value), origin }));
}

function readBudget(name: string, text: string): number {
  const microUsd = /^\d+(\.\d+)?$/.test(text.trim()) ? microUsdFromUsd(Number(text)) : undefined;
  if (microUsd === undefined || microUsd === 0) throw noBudget(name, text);
  return microUsd;
}

/** An empty one is usually an unset shell variable, and was not meant as "no limit". */
function noBudget(name: string, text: string): BatchError {
  if (text.trim() === '')
    return usage(`${name} is set, but empty`, `give an amount in US dollars, or remove ${name}`);
  const amount = numberIn(text);
  return usage(
    `${name} is not an amount in US dollars above 0: ${text}`,
    amount === undefined
      ? 'give US dollars in digits, with a point before the cents'
      : `write it as ${assigned(name, amount)}`,
  );
}

export function concurrencyOf(
  flags: Pick<Flags, 'concurrency'>,
  environment: EnvironmentReader,
): Setting<number> | undefined {
  const flag = wholeNumberOf('--concurrency', flags.concurrency, 1, 64);
  if (flag !== undefined) return { value: flag, origin: 'flag' };
  const set = environment.read('VENICE_BATCH_CONCURRENCY');
  const value = wholeNumberOf('VENICE_BATCH_CONCURRENCY', set?.value, 1, 64);
  return value === undefined || set === undefined ? undefined : { value, origin: set.origin };
}

function stateOf(flags: Flags, environment: EnvironmentReader): { state?: Setting<string> } {
  if (flags.state === '')
    throw usage('--state is empty', 'give an address, such as s3://bucket/prefix, or omit it');
  // The simulator's jobs are useless to other machines; the flag still allows trying out a shared log.
  if (flags.state !== undefined) return { state: { value: flags.state, origin: 'flag' } };
  const set = flags.sandbox === true ? undefined : environment.read('VENICE_BATCH_STATE');
  return set === undefined ? {} : { state: set };
}

function timeoutOf(flags: Flags): { timeoutMs?: number } {
  const minutes = numberOf('--timeout', flags.timeout, 0.001, 7 * 24 * 60);
  return minutes === undefined ? {} : { timeoutMs: minutes * 60_000 };
}

/** For one track; as many as the manifest's `takes` allows. */
export const MORE_MAX = 99;

function moreOf(flags: Flags): { more?: number } {
  const more = wholeNumberOf('--more', flags.more, 1, MORE_MAX);
  return more === undefined ? {} : { more };
}

function wholeNumberOf(name: string, text: string | undefined, min: number, max: number): number | undefined {
  const value = numberOf(name, text, min, max);
  if (value !== undefined && !Number.isInteger(value))
    throw usage(`${name} takes a whole number: ${text}`, `write it as ${assigned(name, Math.round(value))}`);
  return value;
}

function numberOf(name: string, text: string | undefined, min: number, max: number): number | undefined {
  if (text === undefined) return undefined;
  const value = /^\d+(\.\d+)?$/.test(text.trim()) ? Number(text) : Number.NaN;
  if (!(value >= min && value <= max)) {
    const meant = numberIn(text, name === '--timeout' ? BESIDE_MINUTES : undefined);
    throw usage(
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

function usage(message: string, hint: string): BatchError {
  return new BatchError('usage', message, { exitCode: EXIT.usage, hint });
}
