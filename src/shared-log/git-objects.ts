import { createHash } from 'node:crypto';
import { deflateSync } from 'node:zlib';

/** How a repository names its objects (`git rev-parse --show-object-format`). */
export type GitHash = 'sha1' | 'sha256';

/** What a commit of the log contains. */
export interface LogCommit {
  /** The message. */
  readonly key: string;
  /** The one file. */
  readonly file: { readonly name: string; readonly bytes: Uint8Array };
  readonly parent: string | undefined;
  readonly atMs: number;
}

const TYPES = { commit: 1, tree: 2, blob: 3 } as const;
type GitType = keyof typeof TYPES;

/**
 * A commit with its tree and its file as a pack, so that one `git unpack-objects` writes all three. Commands that build them
 * one by one take longer than other machines need to push.
 */
export function packCommit(hash: GitHash, commit: LogCommit): { readonly id: string; readonly pack: Buffer } {
  const { key, file, parent, atMs } = commit;
  const blob = objectOf(hash, 'blob', file.bytes);
  const tree = objectOf(
    hash,
    'tree',
    Buffer.concat([Buffer.from(`100644 ${file.name}\0`), Buffer.from(blob.id, 'hex')]),
  );
  const who = `venice-batch <venice-batch@localhost> ${Math.floor(atMs / 1000)} +0000`;
  const parents = parent === undefined ? '' : `parent ${parent}\n`;
  const text = `tree ${tree.id}\n${parents}author ${who}\ncommitter ${who}\n\n${key}\n`;
  const last = objectOf(hash, 'commit', Buffer.from(text));
  const head = Buffer.from('PACK\0\0\0\x02\0\0\0\x03', 'latin1');
  const content = Buffer.concat([head, blob.packed, tree.packed, last.packed]);
  return { id: last.id, pack: Buffer.concat([content, createHash(hash).update(content).digest()]) };
}

function objectOf(hash: GitHash, type: GitType, bytes: Uint8Array) {
  const id = createHash(hash).update(`${type} ${bytes.length}\0`).update(bytes).digest('hex');
  return { id, packed: Buffer.concat([packedHeader(type, bytes.length), deflateSync(bytes)]) };
}

/** Type and length: four bits of the length in the first byte, seven in each further one, the lowest first. */
function packedHeader(type: GitType, length: number): Buffer {
  const bytes = [(TYPES[type] << 4) | (length & 15)];
  for (let rest = Math.floor(length / 16); rest > 0; rest = Math.floor(rest / 128)) {
    bytes[bytes.length - 1]! |= 128;
    bytes.push(rest & 127);
  }
  return Buffer.from(bytes);
}

/** The contents in the output of `git cat-file --batch`; `undefined` if it is not what was asked for. */
export function blobsIn(output: Uint8Array): readonly Uint8Array[] | undefined {
  const blobs: Uint8Array[] = [];
  let at = 0;
  while (at < output.length) {
    const end = output.indexOf(10, at);
    const header = new TextDecoder().decode(output.subarray(at, end));
    const length = /^[0-9a-f]+ blob (\d+)$/.exec(header)?.[1];
    if (end < 0 || length === undefined || end + 1 + Number(length) > output.length) return undefined;
    blobs.push(output.subarray(end + 1, end + 1 + Number(length)));
    at = end + 1 + Number(length) + 1;
  }
  return blobs;
}
