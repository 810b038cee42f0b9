/*
 * One machine of the stress test, in its own process, which may be killed at any moment: claims takes, and records
 * their outcomes. Reports what it was told about each append.
 */
import { writeSync } from 'node:fs';
import { createClock } from '../../src/node/clock.js';
import { systemRandom } from '../../src/node/random.js';
import { openSharedLog } from '../../src/shared-log/open-log.js';
import type { SharedLog } from '../../src/shared-log/shared-log.js';
import { attempt } from '../lockfile/build.js';
import { storeAt } from '../shared-log/places.js';
import { createRng, type Rng } from '../sim/random.js';
import { withFaults } from './faulty-store.js';

/** The arguments of a worker, as JSON on its command line. */
export interface Task {
  readonly address: string;
  readonly folder: string;
  readonly environment: Readonly<Record<string, string>>;
  readonly seed: number;
  readonly appends: number;
  readonly takes: number;
  readonly priceMicroUsd: number;
  readonly budgetMicroUsd: number;
}

const task = JSON.parse(process.argv[2] ?? '') as Task;
const rng = createRng(task.seed, 'worker');
let left = task.appends;
/**
 * Appends at once, which share entries: as many as a run has, with four submits and the results of earlier ones. Fewer in a
 * short test, so that there are several entries to be killed in.
 */
const workers = Math.max(3, Math.min(8, Math.floor(left / 8)));

const log = await openSharedLog({
  store: withFaults(storeAt(task.address, task.folder, task.environment), rng),
  runId: hex(16),
  endpoint: 'https://api.venice.ai/api/v1',
  newLineage: () => hex(16),
  access: 'write',
  clock: createClock(),
  random: systemRandom,
  command: (verb) => verb,
});
await Promise.all(Array.from({ length: workers }, () => worker(log, rng)));
await log.close();
writeSync(1, 'done\n');
process.exit(0);

async function worker(shared: SharedLog, chance: Rng): Promise<void> {
  while (left > 0) {
    const intent = attempt({
      attempt: hex(16),
      track: `take-${chance.below(task.takes)}`,
      quote_micro_usd: task.priceMicroUsd,
    });
    const answer = await append(shared, intent);
    if (answer !== 'recorded' || left <= 0) continue;
    const rejected = chance.chance(0.3);
    await append(shared, {
      ...intent,
      rev: 2,
      ...(rejected ? { state: 'rejected' } : { state: 'queued', queue_id: `job ${intent.attempt}` }),
    });
  }
}

async function append(shared: SharedLog, record: Parameters<SharedLog['append']>[0]) {
  left -= 1;
  const startMs = performance.now();
  const answer = await shared.append(record, { budgetMicroUsd: task.budgetMicroUsd });
  const ms = (performance.now() - startMs).toFixed(1);
  writeSync(1, `${record.attempt} ${record.rev} ${answer} ${ms}\n`);
  return answer;
}

function hex(bytes: number): string {
  return Buffer.from(systemRandom.bytes(bytes)).toString('hex');
}
