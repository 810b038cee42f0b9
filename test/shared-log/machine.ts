import type { Clock } from '../../src/core/ports.js';
import type { ObjectStore } from '../../src/shared-log/object-store.js';
import { openSharedLog } from '../../src/shared-log/open-log.js';
import type { OpenLogOptions, SharedLog } from '../../src/shared-log/shared-log.js';
import { command, header, id, random } from '../lockfile/build.js';

/** Time passes only by sleeping. */
export function createTestClock(turn: () => Promise<void> = async () => {}): Clock {
  let nowMs = Date.parse('2026-01-02T03:04:05.678Z');
  return {
    nowMs: () => nowMs,
    sleep: async (delayMs) => {
      nowMs += delayMs;
      await turn();
    },
  };
}

/** Opens a log as the run with that name would. */
export function openAs(
  run: string,
  store: ObjectStore,
  more: Partial<OpenLogOptions> = {},
): Promise<SharedLog> {
  return openSharedLog({
    store,
    runId: id(run),
    endpoint: header.endpoint,
    newLineage: () => id(`lineage of ${run}`),
    access: 'write',
    clock: createTestClock(),
    random,
    command,
    ...more,
  });
}
