import { closest } from '../core/closest.js';
import { usageError } from '../core/errors.js';
import { microUsdFromUsd } from '../core/money.js';
import type { Setting } from '../session/batch-place.js';
import type { EnvironmentReader } from '../session/environment.js';
import { CONCURRENCY_MAX, concurrencyOf, MORE_MAX } from '../session/settings.js';
import type { AnyOptions, ApplyOptions, ResolveOptions, RunOptions } from './option-types.js';

/** Of any function. The compiler requires every option here. */
const OPTIONS: Readonly<Record<keyof (RunOptions & ApplyOptions & ResolveOptions), true>> = {
  apiKey: true,
  baseUrl: true,
  sandbox: true,
  manifest: true,
  lockfile: true,
  outDir: true,
  state: true,
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
export function refuseInvalid(options: AnyOptions): void {
  for (const name of ['only', 'except', 'force'] as const) {
    const value: unknown = options[name];
    if (value !== undefined && !(Array.isArray(value) && value.every((one) => typeof one === 'string')))
      throw usageError(
        `\`${name}\` must be an array of strings`,
        `write \`${name}: [${JSON.stringify(value)}]\``,
      );
  }
  const unknown = Object.keys(options).find((name) => !Object.hasOwn(OPTIONS, name));
  if (unknown !== undefined) {
    const meant = closest(unknown, Object.keys(OPTIONS));
    throw usageError(
      `\`${unknown}\` is not an option`,
      meant === undefined ? 'remove it' : `did you mean \`${meant}\`?`,
    );
  }
  if (options.state !== undefined && typeof options.state !== 'string')
    throw usageError(
      '`state` must be a string',
      "write it as an address, such as `state: 's3://bucket/prefix'`",
    );
  if (options.manifest === '') throw usageError('`manifest` is empty', 'name a file, such as album.yaml');
  if ((options.sandbox ?? false) && options.baseUrl !== undefined)
    throw usageError('`sandbox` and `baseUrl` cannot be combined', 'use only one of them');
}

export function moreOf(more: number | undefined): number | undefined {
  if (more !== undefined && (!Number.isInteger(more) || more < 1 || more > MORE_MAX))
    throw usageError(`\`more\` is not a whole number from 1 to ${MORE_MAX}: ${more}`, 'correct it');
  return more;
}

export function budgetOf(usd: number | undefined): number | undefined {
  if (usd === undefined) return undefined;
  const microUsd = usd > 0 ? microUsdFromUsd(usd) : undefined;
  if (microUsd === undefined)
    throw usageError(`\`budgetUsd\` is not an amount above 0: ${usd}`, 'give US dollars');
  return microUsd;
}

export function concurrencySet(
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
