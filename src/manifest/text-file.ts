import { faultCode } from '../core/errors.js';
import type { FolderFiles } from '../core/ports.js';

/** Why a text could not be read. */
export type TextFault =
  | 'missing'
  | 'directory'
  | 'not-a-file'
  | 'not-permitted'
  | 'too-large'
  | 'not-utf8'
  | 'unreadable';

export type TextFile =
  | { readonly kind: 'text'; readonly text: string }
  | { readonly kind: 'fault'; readonly fault: TextFault /** The system's code. */; readonly code: string };

/**
 * Reads a UTF-8 text, without its byte-order mark. Links are followed. Unreadable files are returned as values;
 * anything thrown is a bug.
 */
export async function readTextFile(
  files: Pick<FolderFiles, 'facts' | 'read'>,
  path: string,
  bytesMax: number,
): Promise<TextFile> {
  try {
    const facts = await files.facts(path);
    if (facts === undefined) return { kind: 'fault', fault: 'missing', code: 'ENOENT' };
    if (facts.kind === 'directory') return { kind: 'fault', fault: 'directory', code: 'EISDIR' };
    // A pipe without a writer would block forever.
    if (facts.kind === 'other') return { kind: 'fault', fault: 'not-a-file', code: '' };
    return decode(await files.read(path, bytesMax));
  } catch (error) {
    const code = faultCode(error);
    if (code === '') throw error;
    return { kind: 'fault', fault: FAULTS[code] ?? 'unreadable', code };
  }
}

const FAULTS: Readonly<Record<string, TextFault>> = {
  ENOENT: 'missing',
  ENOTDIR: 'missing',
  EISDIR: 'directory',
  EFTYPE: 'not-a-file',
  EACCES: 'not-permitted',
  EPERM: 'not-permitted',
  EFBIG: 'too-large',
};

function decode(bytes: Uint8Array): TextFile {
  try {
    return { kind: 'text', text: new TextDecoder('utf-8', { fatal: true }).decode(bytes) };
  } catch {
    return { kind: 'fault', fault: 'not-utf8', code: '' };
  }
}
