import { availableParallelism } from 'node:os';
import { parseArgs } from 'node:util';
import { build } from './build.js';
import { patchesOf } from './mutants.js';
import { playMutants } from './mutation.js';
import { familyOf, play } from './play.js';
import type * as Trace from './trace.js';

/**
 * npm run sim -- --seeds N [--from S] [--mutant NAME]   plays N seeds from S, or from a random seed
 * npm run sim -- --mutants all [--seeds N]              plays each mutant until it is caught, N seeds at most
 * npm run sim -- --seed S [--trace] [--mutant NAME]     plays one seed again, and shows what happens in it
 *
 * With --machines: worlds of several machines that share a log, instead of one machine.
 * With --losses: one run, whose machine is lost for good at a random point, and the next one in an empty folder.
 */
const { values } = parseArgs({
  options: {
    seeds: { type: 'string', default: '10000' },
    from: { type: 'string' },
    seed: { type: 'string' },
    trace: { type: 'boolean', default: false },
    mutant: { type: 'string' },
    mutants: { type: 'string' },
    machines: { type: 'boolean', default: false },
    losses: { type: 'boolean', default: false },
    workers: { type: 'string', default: String(Math.min(8, availableParallelism())) },
  },
});

const family = values.losses ? 'losses' : values.machines ? 'machines' : undefined;
if (values.mutants !== undefined) {
  const survivors = await playMutants({
    from: values.from === undefined ? 1 : Number(values.from),
    seedsMax: Number(values.seeds),
    workers: Number(values.workers),
    names: values.mutants === 'all' ? [] : values.mutants.split(','),
    reported: (line) => console.log(line),
  });
  process.exitCode = survivors.length === 0 ? 0 : 1;
} else if (values.seed !== undefined) {
  const its = familyOf({ family, mutant: values.mutant });
  const { entry, remove } = build('./trace.ts', patchesOf(its, values.mutant));
  const { traceSeed } = (await import(entry)) as typeof Trace;
  remove();
  process.exitCode = (await traceSeed(
    familyOf({ family, mutant: values.mutant }),
    Number(values.seed),
    values.trace,
    values.mutant,
  ))
    ? 0
    : 1;
} else {
  const from = values.from === undefined ? 1 + Math.floor(Math.random() * 2 ** 31) : Number(values.from);
  const outcome = await play({
    from,
    count: Number(values.seeds),
    workers: Number(values.workers),
    family,
    mutant: values.mutant,
    ...(process.stderr.isTTY ? { progress: (line: string) => process.stderr.write(`\r${line}`) } : {}),
    failing: (lines) => process.stderr.write(`\n${lines.join('\n')}\n`),
  });
  if (process.stderr.isTTY) process.stderr.write('\n');
  for (const line of outcome.lines) console.log(line);
  process.exitCode = outcome.failed.length === 0 ? 0 : 1;
}
