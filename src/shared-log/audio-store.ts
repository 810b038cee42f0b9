import type { FolderFiles } from '../core/ports.js';

/** Where a download goes: into an opened folder, in which links are not followed. */
export interface NewFile {
  readonly files: FolderFiles;
  /** Absolute. */
  readonly path: string;
}

/**
 * Finished audio, by its hash, where every machine can reach it: `audio/sha256/ab/ab…`. Written once, never changed,
 * never deleted by this program. Throws a `StoreFault`, or the `FileFault` of the local disk.
 */
export interface AudioStore {
  /** For display, without secrets. */
  readonly address: string;
  /**
   * Stores the file unless it is already there. Resolves when it is in the store and its bytes were checked against the
   * hash: only then may the service's copy be deleted. `changed`: the file has other bytes, and nothing was stored.
   *
   * @param path absolute
   */
  put(path: string, sha256: string, bytes: number): Promise<'stored' | 'changed'>;
  /**
   * Downloads audio into a new file, checked against its hash and synced. Writes to a scratch file beside it first.
   * Never replaces an existing file at `to`.
   *
   * @param bytes its size: nothing beyond it is read
   */
  download(sha256: string, bytes: number, to: NewFile): Promise<'downloaded' | 'absent' | 'exists'>;
  /** Whether there is an object of this name. It may be damaged: see `holds`. */
  has(sha256: string): Promise<boolean>;
  /** Whether the audio is there, byte for byte. Reads all of it. */
  holds(sha256: string): Promise<boolean>;
  close(): Promise<void>;
}

/** Spread over folders, because some file systems are slow with thousands of names in one. */
export function audioKey(sha256: string): string {
  return `audio/sha256/${sha256.slice(0, 2)}/${sha256}`;
}
