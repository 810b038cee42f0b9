export type WalletKey =
  | { readonly ok: true; readonly privateKey: Uint8Array }
  | { readonly ok: false; readonly message: string; readonly hint: string };

const HINT =
  "set VENICE_WALLET_KEY to the wallet's private key: 64 hex digits, with or without 0x before them";

/** Checks the form of a wallet's private key. Messages never contain its text. */
export function readWalletKey(text: string): WalletKey {
  const wrong = (message: string): WalletKey => ({ ok: false, message, hint: HINT });
  const digits = text.trim().replace(/^0x/i, '');
  if (/\s/.test(digits))
    return wrong('VENICE_WALLET_KEY contains a space: a recovery phrase is not a private key');
  if (!/^[0-9a-f]*$/i.test(digits))
    return wrong('VENICE_WALLET_KEY contains a character that is not a hex digit');
  if (digits.length === 40)
    return wrong('VENICE_WALLET_KEY has 40 hex digits: that is an address, not a private key');
  if (digits.length !== 64) return wrong(`VENICE_WALLET_KEY has ${digits.length} hex digits instead of 64`);
  return { ok: true, privateKey: Uint8Array.from(Buffer.from(digits, 'hex')) };
}

/** The forms in which the key might appear in a text, to be redacted. */
export function walletSecrets(text: string): readonly string[] {
  const digits = text.trim().replace(/^0x/i, '');
  return [text, digits, digits.toLowerCase(), digits.toUpperCase()];
}
