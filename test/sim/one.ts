import { runBatch } from '../../src/commands/run-batch.js';
import { simulate } from './simulate.js';

const from = Number(process.argv[2] ?? 1);
const count = Number(process.argv[3] ?? 1);
const trace = process.argv[4] === 'trace';
const t = performance.now();
let bad = 0;
const tot = { runs: 0, crashes: 0, charges: 0, events: 0 };
for (let seed = from; seed < from + count; seed++) {
  process.stderr.write(`${seed} `);
  const r = await simulate(seed, { runBatch, ...(trace ? { trace: (l: string) => console.log(l) } : {}) });
  tot.runs += r.runs;
  tot.crashes += r.crashes;
  tot.charges += r.charges;
  tot.events += r.events;
  if (r.violations.length) {
    bad++;
    if (bad < 30) console.log(seed, r.violations[0]!.check, r.violations[0]!.message.slice(0, 600));
  }
}
console.log({ bad, ...tot, perSecond: (count / (performance.now() - t)) * 1000 });
