/*
 * Many processes on one shared log in a real store, with faults and kills: `npm run stress -- folder|git|s3`. Starts the store
 * itself; S3 needs Ceph (see test/tools/ceph.ts).
 */
import { parseArgs } from 'node:util';
import { type PlaceKind, startPlace, whyNot } from '../shared-log/places.js';
import { stress } from './stress.js';

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    processes: { type: 'string', default: '8' },
    appends: { type: 'string', default: '200' },
    kills: { type: 'string', default: '40' },
    seed: { type: 'string', default: String(Date.now() % 1e9) },
  },
});

const kind = (positionals[0] ?? 'folder') as PlaceKind;
const why = whyNot(kind);
if (why === undefined) process.exitCode = await main();
else {
  console.error(why);
  process.exitCode = 2;
}

async function main(): Promise<number> {
  const place = await startPlace(kind);
  try {
    const seed = Number(values.seed);
    const [processes, appends, kills] = [values.processes, values.appends, values.kills].map(Number);
    const result = await stress(place, { processes: processes!, appends: appends!, kills: kills!, seed });
    const { faults, answers, entries, killed, seconds, latenciesMs } = result;
    const at = (share: number) => latenciesMs[Math.floor(latenciesMs.length * share)]?.toFixed(0);
    console.log(`${kind}, seed ${seed}: ${JSON.stringify(answers)}, ${entries} entries, ${killed} killed`);
    console.log(
      `${seconds.toFixed(1)} s, ${(latenciesMs.length / seconds).toFixed(1)} appends/s, p50 ${at(0.5)} ms, p95 ${at(0.95)} ms`,
    );
    for (const fault of faults.slice(0, 20)) console.log(fault);
    console.log(`${faults.length} violations`);
    return faults.length === 0 ? 0 : 1;
  } finally {
    await place.stop();
  }
}
