import path from 'node:path';

/** Counts the syncs of one file on their way through. */
export function countSyncs(files, file) {
  let syncs = 0;
  const open = async (opened, mode) => {
    const handle = await files.open(opened, mode);
    if (opened !== file) return handle;
    const sync = async () => {
      syncs += 1;
      await handle.sync();
    };
    return { write: (bytes) => handle.write(bytes), sync, close: () => handle.close() };
  };
  return { files: { ...files, open }, syncs: () => syncs };
}

/**
 * The lockfile of a finished run once more, alone: the same records, as many of them to a sync.
 *
 * @returns CPU, ms
 */
export async function replayLock({ openLock, readLock }, files, file, syncs) {
  const { header, attempts: known } = await readLock(files, file);
  const attempts = [...known.values()];
  const again = await openLock(files, path.join(path.dirname(file), 'again.lock.jsonl'), {
    endpoint: header.endpoint,
    command: (verb) => verb,
    lineage: () => header.lineage,
    // So that all lanes are in each sync.
    gather: () => new Promise((resolve) => setImmediate(resolve)),
  });
  const lanes = Math.max(1, Math.round((4 * attempts.length) / syncs));
  const before = process.cpuUsage();
  let next = 0;
  const lane = async () => {
    for (let attempt = attempts[next++]; attempt !== undefined; attempt = attempts[next++])
      for (const record of recordsOf(attempt)) await again.store.record(record);
  };
  await Promise.all(Array.from({ length: lanes }, lane));
  await again.store.close();
  const { user, system } = process.cpuUsage(before);
  return (user + system) / 1000;
}

/** What was recorded on the way to a done attempt. */
function recordsOf(done) {
  const { queue_id, file, run_ms: _runMs, at, ...common } = done;
  const { done: _done, ...untilStored } = at;
  return [
    { ...common, rev: 1, state: 'intent', at: { intent: at.intent } },
    { ...common, rev: 2, state: 'queued', queue_id, at: { intent: at.intent, queued: at.queued } },
    { ...common, rev: 3, state: 'stored', queue_id, file, at: untilStored },
    { ...done, rev: 4 },
  ];
}
