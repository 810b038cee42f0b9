import type { Cell, Outcome } from './cell.js';
import { allTables, routeTables, type Table, usualTables } from './cells.js';
import { schedulerCostUs } from './cost.js';
import { runCells } from './pool.js';
import { type Find, isMet, nameOf, routeTargetsOf, type Target, targetsOf } from './targets.js';

const full = process.argv.includes('--full');
/** Only today's limits: a quarter of the time. */
const today = process.argv.includes('--today');
const tables = today ? routeTables() : full ? allTables() : usualTables();
const cells = tables.flatMap(cellsOf);
const began = performance.now();
const costUs = schedulerCostUs({
  law: 'ln20',
  tracks: 10_000,
  concurrency: 64,
  p80Factor: 1,
  limit: { kind: 'window', perMinute: 60 },
  seed: 1,
});
const outcomes = await runCells(cells);
console.log(
  'over bound: makespan over the lower bound; wait: from ready to the download, which takes 0.3 s more',
);
for (const table of tables) printTable(table);
const older = today
  ? []
  : targetsOf(find, within(/, (60|120) a minute/, /another client|in mid-run|headers/), costUs);
printTargets([...routeTargetsOf(find), ...older]);
console.log(`\n${cells.length} cells in ${((performance.now() - began) / 1_000).toFixed(0)} s`);

function cellsOf({ name, scene, concurrencies, policies, seeds }: Table): readonly Cell[] {
  return concurrencies.flatMap((concurrency) =>
    policies.map((policy) => ({ table: name, scene, concurrency, policy, seeds })),
  );
}

function find(table: string, concurrency: number, policy: Cell['policy'] = 'ours'): ReturnType<Find> {
  const index = cells.findIndex(
    (cell) => cell.table === table && cell.concurrency === concurrency && cell.policy === policy,
  );
  const outcome = outcomes[index];
  if (outcome === undefined) throw new Error(`no such cell: ${table}, ${concurrency}, ${policy}`);
  return outcome;
}

/** Our outcomes in the tables whose name matches. */
function within(named: RegExp, butNot: RegExp): readonly Outcome[] {
  return outcomes.filter((_, index) => {
    const { table, policy } = cells[index]!;
    return policy === 'ours' && named.test(table) && !butNot.test(table);
  });
}

function printTable({ name, concurrencies, policies, seeds }: Table): void {
  console.log(`\n${name}; mean of ${seeds} ${seeds === 1 ? 'run' : 'runs'}`);
  console.log('   C  policy                    over bound  requests/track  wait s  p95 s      429  blocked');
  for (const concurrency of concurrencies) {
    for (const policy of policies) {
      const outcome = find(name, concurrency, policy);
      const width = policy === policies[0] ? nameOf(concurrency) : '';
      console.log(
        `${width.padStart(4)}  ${policy.padEnd(25)}` +
          outcome.ratio.toFixed(3).padStart(11) +
          outcome.requestsPerTrack.toFixed(2).padStart(16) +
          (outcome.waitMs / 1_000).toFixed(1).padStart(8) +
          (outcome.waitP95Ms / 1_000).toFixed(1).padStart(7) +
          decimals(outcome.refusals).padStart(9) +
          decimals(outcome.blocks).padStart(9),
      );
    }
  }
}

/** Without a dot if there are no decimals. */
function decimals(value: number): string {
  return Number.isInteger(value) ? String(value) : value.toFixed(1);
}

function printTargets(targets: readonly Target[]): void {
  console.log('\nTargets');
  for (const target of targets) {
    const { says, value, bound, atLeast } = target;
    const met = isMet(target);
    if (!met) process.exitCode = 1;
    console.log(
      `  ${met ? 'met   ' : 'MISSED'}  ${says}: ${Number(value.toFixed(3))} (at ${atLeast ? 'least' : 'most'} ${Number(bound.toFixed(3))})`,
    );
  }
}
