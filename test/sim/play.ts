import { Worker } from 'node:worker_threads';
import { build } from './build.js';
import { CHECKS } from './judge.js';
import { mutantNamed, patchesOf } from './mutants.js';
import type { Account, Order, WorkerData } from './worker.js';
import type { Family, SimResult } from './world.js';

export type Game = GameRules &
  ({ readonly from: number; readonly count: number } | { readonly seeds: readonly number[] });

interface GameRules {
  /** Default: `one`, or the mutant's own. */
  readonly family?: Family | undefined;
  readonly workers: number;
  readonly mutant?: string | undefined;
  /** Stop at the first failing seed. */
  readonly untilFailure?: boolean;
  /** Called with the progress. */
  readonly progress?: (line: string) => void;
  /** Called for each failing seed at once, so that it can be examined while others are played. */
  readonly failing?: (lines: readonly string[]) => void;
}

export interface Outcome {
  /** Sorted by seed. */
  readonly failed: readonly SimResult[];
  readonly seeds: number;
  readonly crashes: number;
  readonly seedsPerSecond: number;
  /** The lines to print. */
  readonly lines: readonly string[];
}

/** Small, so that an early failure is reported soon and both cores end together. */
const SEEDS_AN_ORDER = 50;
const TWICE_EVERY = 50;
/** A seed that takes this long hangs: most take some hundredths of a second, but other programs may use all of the CPU. */
const HANGS_AFTER_MS = 600_000;

/** Plays a range of seeds on several threads. */
export async function play(game: Game): Promise<Outcome> {
  const family = familyOf(game);
  const { entry, remove } = build('./worker.ts', patchesOf(family, game.mutant));
  const startedMs = performance.now();
  const total = { seeds: 0, runs: 0, crashes: 0, charges: 0, events: 0 };
  const failed: SimResult[] = [];
  const orders = ordersOf(game);
  let next = 0;
  const enough = () => next >= orders.length || (game.untilFailure === true && failed.length > 0);
  const thread = async () => {
    const seedWorker = startWorker(entry, family, game.mutant);
    try {
      while (!enough()) {
        const order = orders[next]!;
        next += 1;
        const account = await seedWorker.work(order);
        for (const key of Object.keys(total) as (keyof typeof total)[]) total[key] += account[key];
        failed.push(...account.failed);
        for (const result of account.failed) game.failing?.(reported(result, family, game.mutant));
        const perSecond = total.seeds / ((performance.now() - startedMs) / 1000);
        game.progress?.(`${total.seeds} seeds, ${failed.length} failed, ${perSecond.toFixed(0)} a second `);
      }
    } finally {
      await seedWorker.stop();
    }
  };
  try {
    await Promise.all(Array.from({ length: game.workers }, thread));
  } finally {
    remove();
  }
  failed.sort((a, b) => a.seed - b.seed);
  const seconds = (performance.now() - startedMs) / 1000;
  const seedsPerSecond = total.seeds / seconds;
  const lines = [
    `${total.seeds} seeds${'from' in game ? ` from ${game.from}` : ''}: ${total.runs} runs, ${total.crashes} crashes, ${total.charges} charges, ${total.events} events`,
    `${seedsPerSecond.toFixed(0)} seeds a second on ${game.workers} threads`,
    `${failed.length} with a violation`,
    ...failed.slice(0, 20).flatMap((result) => reported(result, family, game.mutant)),
  ];
  return { failed, seeds: total.seeds, crashes: total.crashes, seedsPerSecond, lines };
}

/** A mutant has to be caught by the family it was made for. */
export function familyOf({ family, mutant }: Pick<GameRules, 'family' | 'mutant'>): Family {
  return family ?? mutantNamed(mutant)?.family ?? 'one';
}

function ordersOf(game: Game): readonly Order[] {
  const untilFailure = game.untilFailure === true;
  if ('seeds' in game)
    return game.seeds.map((seed) => ({ from: seed, count: 1, twiceEvery: 1, untilFailure }));
  const orders: Order[] = [];
  const end = game.from + game.count;
  for (let from = game.from; from < end; from += SEEDS_AN_ORDER) {
    const count = Math.min(SEEDS_AN_ORDER, end - from);
    orders.push({ from, count, twiceEvery: TWICE_EVERY, untilFailure });
  }
  return orders;
}

function reported(
  { seed, violations }: SimResult,
  family: Family,
  mutant: string | undefined,
): readonly string[] {
  const first = violations[0];
  if (first === undefined) return [];
  const name = mutant === undefined ? (family === 'one' ? '' : ` --${family}`) : ` --mutant ${mutant}`;
  return [
    `seed ${seed}: ${first.check}) ${CHECKS[first.check]}`,
    `  ${first.message.split('\n')[0]}`,
    `  npm run sim -- --seed ${seed} --trace${name}`,
  ];
}

interface SeedWorker {
  work(order: Order): Promise<Account>;
  stop(): Promise<number>;
}

function startWorker(entry: string, family: Family, mutant: string | undefined): SeedWorker {
  const current = new SharedArrayBuffer(4);
  const playing = new Uint32Array(current);
  const worker = new Worker(entry, {
    workerData: { family, mutant, current } satisfies WorkerData,
    execArgv: [],
  });
  return {
    work: (order) =>
      new Promise((resolve, reject) => {
        playing[0] = 0;
        let seed: number | undefined;
        const hangs = setInterval(() => {
          if (playing[0] === seed) reject(new Error(`seed ${order.from + (seed ?? 0)} hangs`));
          seed = playing[0];
        }, HANGS_AFTER_MS);
        const settle = (action: () => void) => {
          clearInterval(hangs);
          worker.off('message', done);
          worker.off('error', failed);
          action();
        };
        const done = (account: Account) => settle(() => resolve(account));
        const failed = (error: unknown) => settle(() => reject(error));
        worker.on('message', done);
        worker.on('error', failed);
        worker.postMessage(order);
      }),
    stop: () => worker.terminate(),
  };
}
