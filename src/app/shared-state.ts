import type { AudioStore } from '../shared-log/audio-store.js';
import type { Stopping } from '../shared-log/patience.js';
import type { OpenLogOptions, SharedLog } from '../shared-log/shared-log.js';

/** Storage outside this machine that holds the log, and perhaps the audio. Not contacted before its first use. */
export interface State {
  /** Normalised, without secrets, as stored in the lockfile's header. */
  readonly address: string;
  openLog(options: Omit<OpenLogOptions, 'store'>): Promise<SharedLog>;
  /** Absent if it cannot hold audio (`git:`). */
  readonly audio?: AudioStore | undefined;
}

/**
 * Opens the storage at an address. Throws a `BatchError` (2) for an invalid address.
 *
 * @param stopping of the audio store; the log has its own in `OpenLogOptions`
 */
export type OpenState = (address: string, stopping?: Stopping) => Promise<State>;
