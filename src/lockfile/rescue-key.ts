import { createHmac, timingSafeEqual } from 'node:crypto';
import { dirname } from 'node:path';
import { faultCode } from '../core/errors.js';
import type { Files, Random } from '../core/ports.js';
import { createFile } from './atomic-write.js';

/** Where rescue files go, and what they are signed with. All paths are absolute. */
export interface RescuePlaces {
  /** This user's key, in its own folder. */
  readonly keyFile: string;
  /** Private folders of the user, the best first. Created on demand. */
  readonly directories: readonly string[];
}

/** Signs rescue files, so that only this user can make one that is trusted. */
export type RescueKey = Uint8Array;

const KEY_BYTES = 32;

/**
 * This user's key, created on first use. It has to exist before the disk is full.
 *
 * @returns `undefined` if it does not exist and cannot be created, or if others can read it or put it there
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
    // Another run created it first.
    if (faultCode(fault) !== 'EEXIST') throw fault;
  }
  return readKey(files, keyFile);
}

/** Appends a last line with the signature. */
export function signed(key: RescueKey, text: string): string {
  return `${text}${JSON.stringify({ hmac_sha256: signature(key, text).toString('hex') })}\n`;
}

/** The text without its signature; `undefined` if that was not made with this key. */
export function unsigned(key: RescueKey, text: string): string | undefined {
  const match = /^(.*\n)\{"hmac_sha256":"([0-9a-f]{64})"\}\n$/s.exec(text);
  if (match === null) return undefined;
  const [, content = '', hex = ''] = match;
  return timingSafeEqual(signature(key, content), Buffer.from(hex, 'hex')) ? content : undefined;
}

function signature(key: RescueKey, text: string): Buffer {
  return createHmac('sha256', key).update(text).digest();
}
