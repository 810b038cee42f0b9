import type { Ports } from '../core/ports.js';
import { readLock } from '../lockfile/read.js';
import { againOf, checkLog, type Notify, type OpenedStore, type OpenSettings, openFile } from './opening.js';

/** Opens the lockfile and its shared log, if any. Requires the run lock. Throws a `BatchError`. */
export async function openStore(ports: Ports, settings: OpenSettings, report: Notify): Promise<OpenedStore> {
  const { files } = ports;
  const { lockfilePath } = settings;
  const state = await settings.findState?.(async () => {
    const read = await readLock(files, lockfilePath);
    return read.ok ? read.header?.log : undefined;
  });
  if (state !== undefined) {
    const { openTogether } = await import('./open-shared.js');
    return openTogether(ports, settings, state, report);
  }
  const { store, notes } = await openFile(ports, settings);
  try {
    checkLog(store.header, undefined, lockfilePath, againOf(settings));
  } catch (error) {
    await store.abandon();
    throw error;
  }
  return { store, notes };
}
