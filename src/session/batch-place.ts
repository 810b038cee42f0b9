import path from 'node:path';
import { usageError } from '../core/errors.js';
import type { EnvironmentReader, ProcessContext } from './environment.js';
import { lockfileBeside, MANIFEST_EXTENSION, manifestBehind, refuseTwoLockfiles } from './manifest-link.js';

export type Origin = 'flag' | 'environment' | 'env-file' | 'manifest' | 'default';

/** A value, and where it came from: `config` shows both. */
export interface Setting<T> {
  readonly value: T;
  readonly origin: Origin;
}

/** Where a batch is, and who pays. */
export interface BatchPlace {
  /** As typed; `-` is standard input. */
  readonly manifest: string;
  /** Absolute; `stdin.yaml` in the working directory for standard input. */
  readonly manifestPath: string;
  readonly sandbox: boolean;
  /** Everything of a sandbox run is here. Absolute. */
  readonly sandboxDirectory: string;
  readonly lockfilePath: Setting<string>;
  readonly outputRoot: Setting<string>;
  readonly baseUrl: Setting<string>;
  readonly apiKey?: Setting<string> | undefined;
  /** Private key of a wallet that pays instead of an API key. */
  readonly walletKey?: Setting<string> | undefined;
}

/** What flags or options say about it. An explicit key overrides the environment. */
export interface GivenPlace {
  readonly manifest: string;
  readonly sandbox?: boolean | undefined;
  readonly lockfile?: string | undefined;
  readonly outDir?: string | undefined;
  readonly baseUrl?: string | undefined;
  readonly apiKey?: string | undefined;
}

export const DEFAULT_BASE_URL = 'https://api.venice.ai/api/v1';

/** Flags and options override the environment, which overrides defaults. Throws `BatchError` (2) for unusable ones. */
export async function batchPlace(
  { manifest, sandbox = false, lockfile, outDir, baseUrl, apiKey }: GivenPlace,
  environment: EnvironmentReader,
  { cwd, files }: Omit<ProcessContext, 'env'>,
): Promise<BatchPlace> {
  const named = path.resolve(cwd, manifest === '-' ? 'stdin.yaml' : manifest);
  const manifestPath = await manifestBehind(files, named);
  if (lockfile === undefined && !sandbox) await refuseTwoLockfiles(files, named, manifestPath);
  const sandboxDirectory = `${manifestPath.replace(MANIFEST_EXTENSION, '')}.sandbox`;
  const home = sandbox ? sandboxDirectory : path.dirname(manifestPath);
  return {
    manifest,
    manifestPath,
    sandbox,
    sandboxDirectory,
    lockfilePath: pathOf(lockfile, cwd, lockfileIn(home, manifestPath)),
    outputRoot: pathOf(outDir, cwd, home),
    baseUrl: baseUrlOf(sandbox ? 'sandbox:' : baseUrl, environment),
    ...payerOf(apiKey, environment),
  };
}

/** The lockfile that belongs to a manifest by its name. */
export function lockfileIn(folder: string, manifestPath: string): string {
  return path.join(folder, path.basename(lockfileBeside(manifestPath)));
}

function pathOf(given: string | undefined, cwd: string, otherwise: string): Setting<string> {
  if (given === undefined) return { value: otherwise, origin: 'default' };
  if (given === '') throw usageError('an empty path was given', 'name a path, or omit the option');
  return { value: path.resolve(cwd, given), origin: 'flag' };
}

function baseUrlOf(given: string | undefined, environment: EnvironmentReader): Setting<string> {
  if (given !== undefined) return { value: given, origin: 'flag' };
  return environment.read('VENICE_BASE_URL') ?? { value: DEFAULT_BASE_URL, origin: 'default' };
}

function payerOf(
  given: string | undefined,
  environment: EnvironmentReader,
): Pick<BatchPlace, 'apiKey' | 'walletKey'> {
  if (given !== undefined) return { apiKey: { value: given, origin: 'flag' } };
  const [apiKey, walletKey] = [environment.read('VENICE_API_KEY'), environment.read('VENICE_WALLET_KEY')];
  if (apiKey !== undefined && walletKey !== undefined)
    throw usageError(
      'VENICE_API_KEY and VENICE_WALLET_KEY are both set: only one of them can pay',
      'unset the one that should not pay',
    );
  return { apiKey, walletKey };
}
