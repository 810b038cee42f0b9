import { fork } from 'node:child_process';
import { availableParallelism } from 'node:os';
import { fileURLToPath } from 'node:url';
import { type Cell, type Outcome, runCell } from './cell.js';

const WORKERS_MAX = 2;

/** Runs the cells in parallel processes, the longest first. @returns outcomes in the order of the cells */
export async function runCells(cells: readonly Cell[]): Promise<readonly Outcome[]> {
  const outcomes: Outcome[] = [];
  const queue = [...cells.keys()].sort((a, b) => workOf(cells[a]!) - workOf(cells[b]!));
  const work = (): Promise<void> =>
    new Promise((resolve, reject) => {
      const child = fork(fileURLToPath(import.meta.url), ['worker']);
      const give = (): void => {
        const index = queue.pop();
        if (index === undefined) child.disconnect();
        else child.send({ index, cell: cells[index] });
      };
      child.on('message', (message: { readonly index: number; readonly outcome: Outcome }) => {
        outcomes[message.index] = message.outcome;
        give();
      });
      child.on('exit', (code) => (code === 0 ? resolve() : reject(new Error(`a worker ended with ${code}`))));
      give();
    });
  await Promise.all(Array.from({ length: Math.min(WORKERS_MAX, availableParallelism()) }, work));
  return outcomes;
}

function workOf({ scene, seeds, policy }: Cell): number {
  return scene.tracks * seeds * (policy === 'ours' ? 2 : 1);
}

if (process.argv[2] === 'worker') {
  process.on('message', ({ index, cell }: { readonly index: number; readonly cell: Cell }) => {
    process.send?.({ index, outcome: runCell(cell) });
  });
}
