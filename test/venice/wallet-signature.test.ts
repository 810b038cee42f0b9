import { createECDH } from 'node:crypto';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { addressOf, checksumAddress, isPrivateKey, signerOf, signText } from '../../src/core/ethereum.js';
import { openWallet } from '../../src/node/wallet.js';
import { signInHeader, signInMessage } from '../../src/venice/wallet-signature.js';

/** The example in the web3.js documentation (`eth.accounts.sign`), also quoted elsewhere. */
const PUBLISHED = {
  key: '4c0883a69102937d6231471b5dbb6204fe5129617082792ae468d01a3f362318',
  address: '0x2c7536E3605D9C16a7a3D7b1898e529396a65c23',
  text: 'Some data',
  signature:
    '0xb91467e570a6466aa9e9876cbcd013baba02900b8979d43fe208a4a4f339f5fd6007e74cd82e037b800186422fc2da167c747ef045e5d18a5f5d4300f8e1a0291c',
};
const KEY = Buffer.from(PUBLISHED.key, 'hex');
const ORDER = BigInt('0xfffffffffffffffffffffffffffffffebaaedce6af48a03bbfd25e8cd0364141');

function bytes32(value: bigint): Uint8Array {
  return Buffer.from(value.toString(16).padStart(64, '0'), 'hex');
}

describe('an address', () => {
  it.each([
    // The examples of EIP-55.
    '0x52908400098527886E0F7030069857D2E4169EE7',
    '0x8617E340B3D01FA5F11F306F4090FD50E238070D',
    '0xde709f2102306220921060314715629080e2fb77',
    '0x27b1fdb04752bbc536007a920d24acb045561c26',
    '0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed',
    '0xfB6916095ca1df60bB79Ce92cE3Ea74c37c5d359',
    '0xdbF03B407c01E7cD3CBea99509d93f8DDDC8C6FB',
    '0xD1220A0cf47c7B9Be7A2E6BA89F429762e7b9aDb',
  ])('has the checksum of EIP-55: %s', (address) => {
    expect(checksumAddress(address.toLowerCase())).toBe(address);
  });

  it('is that of the published key', () => {
    expect(addressOf(KEY)).toBe(PUBLISHED.address);
  });
});

describe('a personal signature', () => {
  it('is the published one, byte for byte', () => {
    expect(signText(PUBLISHED.text, KEY)).toBe(PUBLISHED.signature);
  });

  it('names its signer, for every key and text', () => {
    fc.assert(
      fc.property(fc.bigInt({ min: 1n, max: ORDER - 1n }), fc.string({ unit: 'grapheme' }), (key, text) => {
        const privateKey = bytes32(key);
        const signature = signText(text, privateKey);
        expect(signature).toMatch(/^0x[0-9a-f]{128}1[bc]$/);
        expect(signerOf(text, signature)).toBe(addressOf(privateKey));
        expect(signerOf(`${text}.`, signature)).not.toBe(addressOf(privateKey));
      }),
      { numRuns: 25 },
    );
  });

  it('is made with a key for which OpenSSL derives the same public key', () => {
    const peer = createECDH('secp256k1');
    peer.setPrivateKey(KEY);
    // The address is the end of the hash of the public key: equal addresses mean equal keys.
    expect(peer.getPublicKey('hex', 'uncompressed')).toMatch(/^04[0-9a-f]{128}$/);
    expect(signerOf(PUBLISHED.text, PUBLISHED.signature)).toBe(PUBLISHED.address);
  });

  it.each([
    '',
    '0x',
    `0x${'0'.repeat(130)}`,
    `${PUBLISHED.signature}00`,
    PUBLISHED.signature.replace(/1c$/, '1d'),
  ])('is rejected if malformed: %s', (text) => {
    expect(signerOf(PUBLISHED.text, text)).toBeUndefined();
  });
});

describe('a private key', () => {
  it.each([
    [0n, false],
    [1n, true],
    [ORDER - 1n, true],
    [ORDER, false],
  ])('may be from 1 to below the order of the curve: %s', (value, expected) => {
    expect(isPrivateKey(bytes32(value))).toBe(expected);
  });

  it.each([PUBLISHED.key, `0x${PUBLISHED.key}`, ` 0X${PUBLISHED.key.toUpperCase()}\n`])(
    'is read in the forms that wallets export',
    (text) => {
      const opened = openWallet(text);
      expect(opened.ok && opened.wallet.address).toBe(PUBLISHED.address);
    },
  );

  it.each([
    ['an address', PUBLISHED.address, 'an address, not a private key'],
    ['a recovery phrase', 'legal winner thank year', 'recovery phrase'],
    ['too short', PUBLISHED.key.slice(1), '63 hex digits instead of 64'],
    ['no hex', 'g'.repeat(64), 'not a hex digit'],
    ['zero', '0'.repeat(64), 'outside the range'],
  ])('is refused with the reason, and without quoting it: %s', (_, text, reason) => {
    const opened = openWallet(text);
    if (opened.ok) throw new Error('was accepted');
    expect(opened.message).toContain(reason);
    expect(`${opened.message} ${opened.hint}`).not.toContain(text);
  });
});

describe('signing in', () => {
  const request = {
    url: 'https://api.venice.ai/api/v1/audio/queue',
    nonce: '0123456789abcdef',
    issuedAtMs: Date.parse('2026-10-05T10:00:00.000Z'),
  };

  it('signs this text', () => {
    expect(signInMessage(PUBLISHED.address, request)).toBe(
      [
        'api.venice.ai wants you to sign in with your Ethereum account:',
        PUBLISHED.address,
        '',
        'Sign in to Venice AI',
        '',
        'URI: https://api.venice.ai/api/v1/audio/queue',
        'Version: 1',
        'Chain ID: 8453',
        'Nonce: 0123456789abcdef',
        'Issued At: 2026-10-05T10:00:00.000Z',
        'Expiration Time: 2026-10-05T10:05:00.000Z',
      ].join('\n'),
    );
  });

  it('sends address, message, signature and chain', () => {
    const opened = openWallet(PUBLISHED.key);
    if (!opened.ok) throw new Error(opened.message);
    const sent = JSON.parse(Buffer.from(signInHeader(opened.wallet, request), 'base64').toString('utf8'));
    expect(sent).toEqual({
      address: PUBLISHED.address,
      message: signInMessage(PUBLISHED.address, request),
      signature: signText(signInMessage(PUBLISHED.address, request), KEY),
      chainId: 8453,
    });
    expect(signerOf(sent.message, sent.signature)).toBe(PUBLISHED.address);
  });
});
