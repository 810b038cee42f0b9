/**
 * What the shared log asks of a store: objects that are written once and never changed. Keys are relative, of `/`-separated
 * parts of `[a-z0-9._-]`: `log/00000042.jsonl`.
 *
 * A store must be strongly consistent: what one machine was told is written, every other machine reads from then on.
 */
export interface ObjectStore {
  /** As people know it, without secrets: `s3://bucket/prefix`. */
  readonly address: string;
  /** Writes an object unless there is one under the key. Throws a `StoreFault` only where it is certain that nothing was written. */
  putIfAbsent(key: string, bytes: Uint8Array): Promise<PutAnswer>;
  /** The object's bytes; `undefined` if it does not exist. Throws a `StoreFault`. */
  get(key: string): Promise<Uint8Array | undefined>;
  /** The keys that begin with the prefix, sorted. Throws a `StoreFault`. */
  list(prefix: string): Promise<readonly string[]>;
  /** A rule of the store that will delete what is written here, in words; `undefined` where none is known. Absent: it has no rules. */
  expiry?(): Promise<string | undefined>;
  /** Lets go of connections and files. */
  close(): Promise<void>;
}

export type PutAnswer =
  | { readonly kind: 'created' }
  | { readonly kind: 'exists' }
  /** It may have been written, or may be written yet: settled only by putting the same bytes again. */
  | { readonly kind: 'unknown'; readonly why: StoreFault };

/** Objects are small: a group of records, or a checkpoint. */
export const OBJECT_BYTES_MAX = 64 * 1024 * 1024;

export type StoreFaultKind =
  /** The credentials may not do this, or are wrong. */
  | 'denied'
  /** The credentials were good and have run out. */
  | 'expired'
  /** No bucket, repository or folder of that name. */
  | 'missing'
  /** No answer, or one that may be different in a moment: 5xx, a time-out, a conflict. */
  | 'unreachable'
  /** A permanent error: the store does not support the request, or the address is not a store. */
  | 'unsupported'
  /** Something that was written is gone or changed: a deleted ref, a rewritten history. */
  | 'altered';

/** A failed request to a store. The message holds no secrets. */
export class StoreFault extends Error {
  readonly kind: StoreFaultKind;

  constructor(kind: StoreFaultKind, message: string) {
    super(message);
    this.name = 'StoreFault';
    this.kind = kind;
  }
}
