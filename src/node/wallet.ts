import { addressOf, isPrivateKey, signText } from '../core/ethereum.js';
import type { Wallet } from '../core/ports.js';
import { readWalletKey, type WalletKey } from './wallet-key.js';

/** A wallet that signs with the private key, in any form that `readWalletKey` accepts. */
export function openWallet(
  text: string,
): { readonly ok: true; readonly wallet: Wallet } | Exclude<WalletKey, { ok: true }> {
  const read = readWalletKey(text);
  if (!read.ok) return read;
  const { privateKey } = read;
  if (!isPrivateKey(privateKey))
    return {
      ok: false,
      message: 'VENICE_WALLET_KEY is outside the range of private keys',
      hint: 'set VENICE_WALLET_KEY to a private key as the wallet exports it',
    };
  return {
    ok: true,
    wallet: { address: addressOf(privateKey), sign: (message) => signText(message, privateKey) },
  };
}
