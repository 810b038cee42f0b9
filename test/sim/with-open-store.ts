import { openForRun } from '../../src/app/open-lockfile.js';
import type { BatchSettings, World } from '../../src/app/world.js';
import type { LockStore } from '../../src/lockfile/lock-store.js';
import { recover } from '../../src/run/recover.js';
import { openOutput } from '../../src/storage/output.js';

/** Opens the lockfile as a command that settles attempts does. `work` closes it, unless it changes nothing. */
export async function withOpenStore(
  { ports, emit, openState }: World,
  settings: BatchSettings,
  work: (store: LockStore) => Promise<void>,
): Promise<void> {
  const { state } = settings;
  const findState = async () => (state === undefined ? undefined : openState?.(state));
  const opened = await openForRun(ports, { ...settings, findState }, emit);
  try {
    const { store } = opened;
    const output = await openOutput(ports.files, settings.outputRoot);
    await recover({ output, store }, ports.clock.nowMs());
    await work(store);
  } finally {
    await opened.store.abandon();
    await opened.release();
  }
}
