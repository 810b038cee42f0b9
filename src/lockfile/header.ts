/** The version that is written. */
export const LOCK_VERSION = 2;

export interface LockHeader {
  readonly format: 'venice-batch-lock';
  /** As it is written: an older one is brought up to it when it is read. */
  readonly version: typeof LOCK_VERSION;
  /** Base URL of the API that all attempts went to. */
  readonly endpoint: string;
  /** Random, for the lockfile's whole life: 32 hex digits. Salts the key fingerprints. */
  readonly lineage: string;
}
