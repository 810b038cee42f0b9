import type { Files } from '../core/ports.js';
import { walletSecrets } from '../node/wallet-key.js';
import { ENV_FILE_BYTES_MAX, type ProcessContext, parseEnvText } from './environment.js';

/** Everything that must not leave the program, in every form in which it might appear in a text. */
export function secretsOf(key: string | undefined, walletKey: string | undefined): readonly string[] {
  return [...(key === undefined ? [] : [key]), ...(walletKey === undefined ? [] : walletSecrets(walletKey))];
}

/** The secrets that a command with these settings may have found, even if the env file is otherwise invalid. */
export async function secretsAround(
  { env, files }: Pick<ProcessContext, 'env' | 'files'>,
  envFile: string | undefined,
): Promise<readonly string[]> {
  const filed = envFile === undefined ? {} : await envOf(files, envFile);
  return [env, filed].flatMap((one) => secretsOf(one.VENICE_API_KEY, one.VENICE_WALLET_KEY));
}

async function envOf(files: Files, file: string): Promise<ProcessContext['env']> {
  try {
    if ((await files.facts(file))?.kind !== 'file') return {};
    return parseEnvText(new TextDecoder().decode(await files.read(file, ENV_FILE_BYTES_MAX)));
  } catch {
    // Then no command could read a key there either.
    return {};
  }
}
