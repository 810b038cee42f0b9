import path from 'node:path';
import type { Diagnostic } from '../core/diagnostic.js';
import { BatchError, EXIT } from '../core/errors.js';
import { microUsdFromUsd } from '../core/money.js';
import { systemFiles } from '../node/files.js';
import { type EnvironmentReader, readEnvironment } from '../session/environment.js';
import { MANIFEST_EXTENSION, manifestBehind, unlessBoth } from '../session/manifest-link.js';
import type { OpenBatch } from '../session/open-batch.js';
import { loadUnshared, openService, systemPorts } from '../session/session.js';
import {
  budgetsIn,
  type Choices,
  concurrencyOf,
  DEFAULT_BASE_URL,
  MORE_MAX,
  type PlaceSettings,
  SANDBOX_SPEED_DEFAULT,
  type Setting,
} from '../session/settings.js';
import type { PlaceOptions, PlanOptions, ProgressOptions, RunOptions } from './options.js';
import { callFor } from './wording.js';

/** The options of all functions. Each function ignores those it does not use. */
export type AnyOptions = PlaceOptions &
  Partial<
    Pick<
      PlanOptions,
      'budgetUsd' | 'only' | 'except' | 'force' | 'more' | 'onlyUnpicked' | 'retryFailed' | 'ignoreBalance'
    >
  > &
  Partial<Pick<ProgressOptions, 'concurrency' | 'keep'>> &
  Partial<Pick<RunOptions, 'acceptPrice' | 'failFast' | 'detach'>>;

/** Opens the batch that typed options name. Throws `BatchError` (2) for invalid options. */
export async function openBatch(options: AnyOptions): Promise<OpenBatch> {
  const ports = await systemPorts();
  const settings = await settingsOf(options);
  const service = await openService(settings, ports);
  const { manifest, lockfile, outDir, baseUrl, sandbox } = options;
  return {
    settings,
    ports,
    // Reports and results say the same; nothing is printed into the host's streams.
    warn: () => {},
    show: throwFirst,
    get endpoint() {
      return service.endpoint;
    },
    get account() {
      return service.account;
    },
    placeOf: (file) => path.resolve(settings.outputRoot.value, file),
    displayPath: manifest,
    command: callFor(manifest, { lockfile, outDir, baseUrl, sandbox }),
    load: () => loadUnshared(settings, ports),
    openState: async (address) =>
      (await import('../session/open-state.js')).openState(address, ports, settings),
    redact: service.redact,
    connect: service.connect,
    close: service.close,
  };
}

async function settingsOf(options: AnyOptions): Promise<PlaceSettings> {
  const { manifest, sandbox = false } = options;
  if (manifest === '') throw invalid('`manifest` is empty', 'name a file, such as album.yaml');
  if (sandbox && options.baseUrl !== undefined)
    throw invalid('`sandbox` and `baseUrl` cannot be combined', 'use only one of them');
  const cwd = process.cwd();
  const environment = await readEnvironment(undefined, { cwd, env: process.env, files: systemFiles });
  const named = path.resolve(cwd, manifest);
  const manifestPath = await manifestBehind(systemFiles, named);
  if (options.lockfile === undefined && !sandbox) await unlessBoth(systemFiles, named, manifestPath);
  const stem = manifestPath.replace(MANIFEST_EXTENSION, '');
  const sandboxDirectory = `${stem}.sandbox`;
  const home = sandbox ? sandboxDirectory : path.dirname(manifestPath);
  const budget = budgetOf(options.budgetUsd, environment);
  const concurrency = concurrencySet(options.concurrency, environment);
  return {
    manifest,
    manifestPath,
    sandbox,
    sandboxSpeed: SANDBOX_SPEED_DEFAULT,
    sandboxDirectory,
    lockfilePath: pathOf(options.lockfile, path.join(home, `${path.basename(stem)}.lock.jsonl`)),
    outputRoot: pathOf(options.outDir, home),
    baseUrl: baseUrlOf(options, environment),
    ...payerOf(options, environment),
    ...(budget === undefined ? {} : { budgetMicroUsd: budget }),
    ...(concurrency === undefined ? {} : { concurrency }),
    ...moreOf(options),
    choices: chosen(options),
  };
}

/** The selection as given: names are not parsed. */
function chosen({
  lockfile,
  only,
  except,
  force,
  onlyUnpicked = false,
  retryFailed = false,
  ignoreBalance = false,
  acceptPrice = false,
  keep = false,
  failFast = false,
  detach = false,
}: AnyOptions): Choices {
  return {
    onlyUnpicked,
    retryFailed,
    ignoreBalance,
    acceptPrice,
    keep,
    failFast,
    detach,
    ...(lockfile === undefined ? {} : { lockfile }),
    ...(only === undefined ? {} : { only }),
    ...(except === undefined ? {} : { except }),
    ...(force === undefined ? {} : { force }),
  };
}

function moreOf({ more }: AnyOptions): Pick<PlaceSettings, 'more'> {
  if (more === undefined) return {};
  if (!Number.isInteger(more) || more < 1 || more > MORE_MAX)
    throw invalid(`\`more\` is not a whole number from 1 to ${MORE_MAX}: ${more}`, 'correct it');
  return { more };
}

function pathOf(given: string | undefined, otherwise: string): Setting<string> {
  return given === undefined
    ? { value: otherwise, origin: 'default' }
    : { value: path.resolve(given), origin: 'flag' };
}

function baseUrlOf({ sandbox, baseUrl }: AnyOptions, environment: EnvironmentReader): Setting<string> {
  if (sandbox === true) return { value: 'sandbox:', origin: 'flag' };
  if (baseUrl !== undefined) return { value: baseUrl, origin: 'flag' };
  return environment.read('VENICE_BASE_URL') ?? { value: DEFAULT_BASE_URL, origin: 'default' };
}

/** An explicit key overrides the environment. */
function payerOf(
  { apiKey }: AnyOptions,
  environment: EnvironmentReader,
): Pick<PlaceSettings, 'apiKey' | 'walletKey'> {
  if (apiKey !== undefined) return { apiKey: { value: apiKey, origin: 'flag' } };
  const [key, wallet] = [environment.read('VENICE_API_KEY'), environment.read('VENICE_WALLET_KEY')];
  if (key !== undefined && wallet !== undefined)
    throw invalid(
      'VENICE_API_KEY and VENICE_WALLET_KEY are both set: only one of them can pay',
      'unset the one that should not pay, or pass `apiKey`',
    );
  return { ...(key && { apiKey: key }), ...(wallet && { walletKey: wallet }) };
}

/** If several budgets are set, the lowest wins. */
function budgetOf(usd: number | undefined, environment: EnvironmentReader): Setting<number> | undefined {
  const budgets = budgetsIn(environment);
  if (usd !== undefined) {
    const microUsd = usd > 0 ? microUsdFromUsd(usd) : undefined;
    if (microUsd === undefined)
      throw invalid(`\`budgetUsd\` is not an amount above 0: ${usd}`, 'give US dollars');
    budgets.push({ value: microUsd, origin: 'flag' });
  }
  return budgets.sort((a, b) => a.value - b.value)[0];
}

const CONCURRENCY_MAX = 64;

function concurrencySet(
  given: number | undefined,
  environment: EnvironmentReader,
): Setting<number> | undefined {
  if (given === undefined) return concurrencyOf({}, environment);
  if (!Number.isInteger(given) || given < 1 || given > CONCURRENCY_MAX)
    throw invalid(
      `\`concurrency\` is not a whole number from 1 to ${CONCURRENCY_MAX}: ${given}`,
      'correct it',
    );
  return { value: given, origin: 'flag' };
}

/** A program has no screen above an error: the error itself names the first fault and its place. */
function throwFirst(found: readonly Diagnostic[]): void {
  const first = found.find(({ severity }) => severity === 'error');
  if (first === undefined) return;
  const { code, message, hint, span } = first;
  const place = span === undefined ? '' : `${span.file}:${span.line}:${span.column}: `;
  throw new BatchError(code, `${place}${message}`, { exitCode: EXIT.invalid, hint });
}

function invalid(message: string, hint: string): BatchError {
  return new BatchError('usage', message, { exitCode: EXIT.usage, hint });
}
