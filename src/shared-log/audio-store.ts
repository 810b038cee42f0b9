/**
 * Finished audio, by its hash, where every machine can reach it: `audio/sha256/ab/ab…`. Written once, never changed, never
 * deleted by this program. Throws a `StoreFault`, or the `FileFault` of the local disk.
 */
export interface AudioStore {
  /** As people know it, without secrets. */
  readonly address: string;
  /**
   * Stores the file unless it is there already. Resolves when it is in the store and its bytes were checked against the
   * hash: only then may the service's copy be deleted. `changed`: the file holds other bytes, and nothing was stored.
   *
   * @param path absolute
   */
  put(path: string, sha256: string, bytes: number): Promise<'stored' | 'changed'>;
  /**
   * Downloads audio into a new file, checked against its hash and synced. Writes through a `.part` file beside it; an
   * existing file at `to` is never replaced.
   *
   * @param to absolute
   */
  download(sha256: string, to: string): Promise<'downloaded' | 'absent' | 'exists'>;
  has(sha256: string): Promise<boolean>;
  close(): Promise<void>;
}

/** Spread over folders, since some file systems are slow with thousands of names in one. */
export function audioKey(sha256: string): string {
  return `audio/sha256/${sha256.slice(0, 2)}/${sha256}`;
}
