/**
 * What the shared log needs from a store: objects that are written once and never changed. Keys are relative, with
 * `/`-separated parts of `[a-z0-9._-]`: `log/00000042.jsonl`.
 *
 * A store must be strongly consistent: once one machine knows that an object is written, every other machine can read
 * it.
 */
export interface ObjectStore {
  /** For display, without secrets: `s3://bucket/prefix`. */
  readonly address: string;
  /** Writers of one process take turns, so that a test with several at once would show nothing. */
  readonly takesTurns?: true;
  /** Writes an object unless the key exists. Throws a `StoreFault` only if it is certain that nothing was written. */
  putIfAbsent(key: string, bytes: Uint8Array): Promise<PutAnswer>;
  /** The object's bytes; `undefined` if it does not exist. Throws a `StoreFault`. */
  get(key: string): Promise<Uint8Array | undefined>;
  /** The keys that begin with the prefix, sorted. Throws a `StoreFault`. */
  list(prefix: string): Promise<readonly string[]>;
  /**
   * Describes a rule of the store that will delete what is written here; `undefined` if none is known. Absent: the
   * store has no rules.
   */
  expiry?(): Promise<string | undefined>;
  /** Ends requests without an answer, whose outcome stays unknown. Absent: `close` does not wait for them. */
  abandon?(): void;
  /** Releases connections and files. */
  close(): Promise<void>;
}

export type PutAnswer =
  | { readonly kind: 'created' }
  | { readonly kind: 'exists' }
  /** It may have been written, or may still be written. Only putting the same bytes again settles it. */
  | { readonly kind: 'unknown'; readonly why: StoreFault };

/** Objects are small: a group of records, or a checkpoint. */
export const OBJECT_BYTES_MAX = 64 * 1024 * 1024;

export type StoreFaultKind =
  /** The credentials lack a permission, or are wrong. */
  | 'denied'
  /** The credentials have expired. */
  | 'expired'
  /** No such bucket, repository or folder. */
  | 'missing'
  /** No response, or a temporary failure: 5xx, a time-out, a conflict. */
  | 'unreachable'
  /** A permanent error: the store does not support the request, or the address is not a store. */
  | 'unsupported'
  /** This object existed and was deleted: a bucket that keeps versions says so. */
  | 'deleted'
  /** Something that venice-batch did not write is in the place of an object. */
  | 'foreign'
  /** Something that was written is gone or changed: a deleted ref, a rewritten history. */
  | 'altered';

/** A failed request to a store. The message contains no secrets. */
export class StoreFault extends Error {
  readonly kind: StoreFaultKind;

  constructor(kind: StoreFaultKind, message: string) {
    super(message);
    this.name = 'StoreFault';
    this.kind = kind;
  }
}
