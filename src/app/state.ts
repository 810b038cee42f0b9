import type { AudioStore } from '../shared-log/audio-store.js';
import type { OpenLogOptions, SharedLog } from '../shared-log/shared-log.js';

/**
 * Storage outside this machine that holds the log, and perhaps the audio. Not contacted before its
 * first use.
 */
export interface State {
  /** In one form, without secrets: what the lockfile's header says. */
  readonly address: string;
  openLog(options: Omit<OpenLogOptions, 'store'>): Promise<SharedLog>;
  /** Absent where it cannot hold audio (`git:`). */
  readonly audio?: AudioStore | undefined;
}

/** Opens the place of an address. Throws a `BatchError` (2) for one that cannot be read. */
export type OpenState = (address: string) => Promise<State>;
