import path from 'node:path';
import type { State } from '../app/shared-state.js';
import { BatchError } from '../core/errors.js';
import type { Ports } from '../core/ports.js';
import { createRedactor } from '../core/redact.js';
import { systemGit } from '../node/git.js';
import { createWeb } from '../node/web.js';
import type { AudioStore } from '../shared-log/audio-store.js';
import { StoreFault } from '../shared-log/object-store.js';
import { openSharedLog } from '../shared-log/open-log.js';
import { openAudioStore, openObjectStore, type StoreWorld } from '../shared-log/open-object-store.js';
import type { Stopping } from '../shared-log/patience.js';
import { parseStateAddress, type StateAddress, stateAddressText } from '../shared-log/state-address.js';
import { MANIFEST_EXTENSION } from './manifest-link.js';
import type { Settings } from './settings.js';

/**
 * Opens the shared log's storage in the real world, without contacting it. Throws a `BatchError` for an unusable
 * address.
 */
export async function openState(
  text: string,
  ports: Ports,
  { manifestPath }: Pick<Settings, 'manifestPath'>,
  stopping?: Stopping,
): Promise<State> {
  const address = parseStateAddress(text);
  const world = {
    ...ports,
    environment: process.env,
    web: (secrets: readonly string[]) => createWeb(process.env, createRedactor(secrets)),
    git: systemGit,
    folder: path.dirname(manifestPath),
    name: path.basename(manifestPath).replace(MANIFEST_EXTENSION, ''),
  };
  return {
    address: stateAddressText(address),
    openLog: (options) => openSharedLog({ ...options, store: openObjectStore(address, world) }),
    audio: audioOf(address, world, stopping),
  };
}

/** Without credentials every request is refused, as with wrong ones, but paid audio is still collected. */
function audioOf(address: StateAddress, world: StoreWorld, stopping?: Stopping): AudioStore | undefined {
  try {
    return openAudioStore(address, world, stopping);
  } catch (error) {
    if (!(error instanceof BatchError)) throw error;
    const refuse = () => Promise.reject(new StoreFault('denied', error.message));
    return {
      address: stateAddressText(address),
      put: refuse,
      download: refuse,
      has: refuse,
      holds: refuse,
      close: async () => {},
    };
  }
}
