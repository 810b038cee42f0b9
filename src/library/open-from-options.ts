import path from 'node:path';
import { closest } from '../core/closest.js';
import type { Diagnostic } from '../core/diagnostic.js';
import { BatchError, EXIT, usageError } from '../core/errors.js';
import { microUsdFromUsd } from '../core/money.js';
import { systemFiles } from '../node/files.js';
import { batchPlace, type Setting } from '../session/batch-place.js';
import { type EnvironmentReader, readEnvironment } from '../session/environment.js';
import type { OpenBatch } from '../session/open-batch.js';
import { loadUnshared, openService, systemPorts } from '../session/session.js';
import {
  type Choices,
  CONCURRENCY_MAX,
  concurrencyOf,
  lowestBudget,
  MORE_MAX,
  type PlaceSettings,
  SANDBOX_SPEED_DEFAULT,
} from '../session/settings.js';
import type {
  ApplyOptions,
  PlaceOptions,
  PlanOptions,
  ProgressOptions,
  ResolveOptions,
  RunOptions,
} from './options.js';
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

/** Of any function. The compiler requires every option here. */
const OPTIONS: Readonly<Record<keyof (RunOptions & ApplyOptions & ResolveOptions), true>> = {
  apiKey: true,
  baseUrl: true,
  sandbox: true,
  manifest: true,
  lockfile: true,
  outDir: true,
  budgetUsd: true,
  only: true,
  except: true,
  force: true,
  more: true,
  onlyUnpicked: true,
  retryFailed: true,
  ignoreBalance: true,
  concurrency: true,
  onEvent: true,
  signal: true,
  keep: true,
  approve: true,
  acceptPrice: true,
  failFast: true,
  detach: true,
  plan: true,
  attempt: true,
  outcome: true,
};

/** Programs without types can misspell an option or its type: a limit that is silently ignored costs money. */
function refuseInvalid(options: AnyOptions): void {
  for (const name of ['only', 'except', 'force'] as const) {
    const value: unknown = options[name];
    if (value !== undefined && !(Array.isArray(value) && value.every((one) => typeof one === 'string')))
      throw usageError(
        `\`${name}\` must be an array of strings`,
        `write \`${name}: [${JSON.stringify(value)}]\``,
      );
  }
  const unknown = Object.keys(options).find((name) => !Object.hasOwn(OPTIONS, name));
  if (unknown === undefined) return;
  const meant = closest(unknown, Object.keys(OPTIONS));
  throw usageError(
    `\`${unknown}\` is not an option`,
    meant === undefined ? 'remove it' : `did you mean \`${meant}\`?`,
  );
}

async function settingsOf(options: AnyOptions): Promise<PlaceSettings> {
  refuseInvalid(options);
  const { manifest, sandbox = false } = options;
  if (manifest === '') throw usageError('`manifest` is empty', 'name a file, such as album.yaml');
  if (sandbox && options.baseUrl !== undefined)
    throw usageError('`sandbox` and `baseUrl` cannot be combined', 'use only one of them');
  const around = { cwd: process.cwd(), env: process.env, files: systemFiles };
  const environment = await readEnvironment(undefined, around);
  return {
    ...(await batchPlace(options, environment, around)),
    sandboxSpeed: SANDBOX_SPEED_DEFAULT,
    budgetMicroUsd: lowestBudget(environment, budgetOf(options.budgetUsd)),
    concurrency: concurrencySet(options.concurrency, environment),
    more: moreOf(options.more),
    choices: chosen(options),
  };
}

/** The selection as given: names are not parsed. */
function chosen(options: AnyOptions): Choices {
  const { lockfile, only, except, force, onlyUnpicked, retryFailed } = options;
  const { ignoreBalance, acceptPrice, keep, failFast, detach } = options;
  return {
    lockfile,
    only,
    except,
    force,
    onlyUnpicked,
    retryFailed,
    ignoreBalance,
    acceptPrice,
    keep,
    failFast,
    detach,
  };
}

function moreOf(more: number | undefined): number | undefined {
  if (more !== undefined && (!Number.isInteger(more) || more < 1 || more > MORE_MAX))
    throw usageError(`\`more\` is not a whole number from 1 to ${MORE_MAX}: ${more}`, 'correct it');
  return more;
}

function budgetOf(usd: number | undefined): number | undefined {
  if (usd === undefined) return undefined;
  const microUsd = usd > 0 ? microUsdFromUsd(usd) : undefined;
  if (microUsd === undefined)
    throw usageError(`\`budgetUsd\` is not an amount above 0: ${usd}`, 'give US dollars');
  return microUsd;
}

function concurrencySet(
  given: number | undefined,
  environment: EnvironmentReader,
): Setting<number> | undefined {
  if (given === undefined) return concurrencyOf({}, environment);
  if (!Number.isInteger(given) || given < 1 || given > CONCURRENCY_MAX)
    throw usageError(
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
