import { secp256k1 } from '@noble/curves/secp256k1.js';
import { keccak_256 } from '@noble/hashes/sha3.js';

/*
 * The parts of Ethereum needed to sign in with a wallet: addresses (EIP-55) and personal signatures (EIP-191). The
 * curve and the hash come from audited libraries, because Node's crypto has neither.
 */

/** The order of the curve. A private key is at least 1 and less than this. */
const KEY_MAX = secp256k1.Point.Fn.ORDER - 1n;

/** Whether 32 bytes are a valid private key: not 0, and below the order of the curve. */
export function isPrivateKey(bytes: Uint8Array): boolean {
  const value = bytes.length === 32 ? BigInt(`0x${hex(bytes)}`) : 0n;
  return value >= 1n && value <= KEY_MAX;
}

/** The address of a private key, with its checksum (EIP-55). Throws for an invalid private key. */
export function addressOf(privateKey: Uint8Array): string {
  return addressOfPublic(secp256k1.getPublicKey(privateKey, false));
}

/** The address with its checksum: letters are upper case where the address's hash says so (EIP-55). */
export function checksumAddress(address: string): string {
  const digits = address.slice(2).toLowerCase();
  const hash = hex(keccak_256(new TextEncoder().encode(digits)));
  return `0x${[...digits].map((digit, at) => (Number.parseInt(hash[at]!, 16) >= 8 ? digit.toUpperCase() : digit)).join('')}`;
}

/** Signs a text like `personal_sign` (EIP-191): 65 bytes in hex: r, s, and v as 27 or 28. Deterministic (RFC 6979). */
export function signText(text: string, privateKey: Uint8Array): string {
  const signature = secp256k1.sign(personalHash(text), privateKey, { prehash: false, format: 'recovered' });
  return `0x${hex(signature.subarray(1))}${(27 + signature[0]!).toString(16)}`;
}

/** The address that signed a text. `undefined` if the signature is invalid. */
export function signerOf(text: string, signature: string): string | undefined {
  if (!/^0x[0-9a-f]{128}(1b|1c)$/i.test(signature)) return undefined;
  const bytes = Buffer.from(signature.slice(2), 'hex');
  const recovered = Uint8Array.of(bytes[64]! - 27, ...bytes.subarray(0, 64));
  try {
    const key = secp256k1.recoverPublicKey(recovered, personalHash(text), { prehash: false });
    return addressOfPublic(secp256k1.Point.fromBytes(key).toBytes(false));
  } catch {
    return undefined;
  }
}

/** keccak256 of the text with the prefix of EIP-191, version 0x45. */
function personalHash(text: string): Uint8Array {
  const bytes = Buffer.from(text, 'utf8');
  return keccak_256(Buffer.concat([Buffer.from(`\x19Ethereum Signed Message:\n${bytes.length}`), bytes]));
}

/** @param key 65 bytes, uncompressed */
function addressOfPublic(key: Uint8Array): string {
  return checksumAddress(`0x${hex(keccak_256(key.subarray(1)).subarray(12))}`);
}

function hex(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('hex');
}
