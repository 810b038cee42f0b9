import { createHmac, timingSafeEqual } from 'node:crypto';
import { dirname } from 'node:path';
import { faultCode } from '../core/errors.js';
import type { Files, Random } from '../core/ports.js';
import { createFile } from './atomic-write.js';

/** Where rescue files go, and what they are signed with. All absolute. */
export interface RescuePlaces {
  /** The key of this user, in a folder of their own. */
  readonly keyFile: string;
  /** Folders of the user's own, closed to others; the best first. Made when they are needed. */
  readonly directories: readonly string[];
}

/** Signs rescue files: nobody but this user can make one that is believed. */
export type RescueKey = Uint8Array;

const KEY_BYTES = 32;

/**
 * The key of this user, made the first time. It has to be at hand before the disk is full.
 *
 * @returns `undefined` where there is none and none can be made, or where others can read it or put it there
 */
export async function rescueKey(
  files: Files,
  random: Random,
  keyFile: string,
): Promise<RescueKey | undefined> {
  try {
    const folder = dirname(keyFile);
    if ((await files.facts(folder)) === undefined) await files.makeDirectory(folder, 'private');
    if ((await files.facts(folder))?.isPrivate !== true) return undefined;
    return (await readKey(files, keyFile)) ?? (await makeKey(files, random, keyFile));
  } catch (fault) {
    if (faultCode(fault) === '') throw fault;
    return undefined;
  }
}

async function readKey(files: Files, keyFile: string): Promise<RescueKey | undefined> {
  const facts = await files.facts(keyFile);
  if (facts === undefined) return undefined;
  if (!facts.isPrivate) throw Object.assign(new Error(`open to others: ${keyFile}`), { code: 'EACCES' });
  const key = await files.read(keyFile, KEY_BYTES);
  if (key.length !== KEY_BYTES) throw Object.assign(new Error(`not a key: ${keyFile}`), { code: 'EINVAL' });
  return key;
}

async function makeKey(files: Files, random: Random, keyFile: string): Promise<RescueKey | undefined> {
  const name = Buffer.from(random.bytes(8)).toString('hex');
  try {
    await createFile(files, keyFile, random.bytes(KEY_BYTES), `${keyFile}.${name}.tmp`, 'private');
  } catch (fault) {
    // Another run may have been faster.
    if (faultCode(fault) !== 'EEXIST') throw fault;
  }
  return readKey(files, keyFile);
}

/** The text with a last line that signs it. */
export function signed(key: RescueKey, text: string): string {
  return `${text}${JSON.stringify({ hmac_sha256: signature(key, text).toString('hex') })}\n`;
}

/** The text without its signature; `undefined` where that is not this key's. */
export function unsigned(key: RescueKey, text: string): string | undefined {
  const match = /^(.*\n)\{"hmac_sha256":"([0-9a-f]{64})"\}\n$/s.exec(text);
  if (match === null) return undefined;
  const [, content = '', hex = ''] = match;
  return timingSafeEqual(signature(key, content), Buffer.from(hex, 'hex')) ? content : undefined;
}

function signature(key: RescueKey, text: string): Buffer {
  return createHmac('sha256', key).update(text).digest();
}
