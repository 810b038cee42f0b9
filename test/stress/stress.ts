import { type ChildProcess, spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import { type Acknowledged, faultsOfLog } from '../shared-log/check-log.js';
import { type Place, storeAt } from '../shared-log/places.js';
import { build, type Patch } from '../sim/build.js';
import { createRng, type Rng } from '../sim/random.js';
import type { Task } from './worker.js';

export interface StressOptions {
  readonly processes: number;
  /** Appends per process, over all its lives. */
  readonly appends: number;
  /** By SIGKILL, spread over the whole run. The process then starts again with what is left to do. */
  readonly kills: number;
  readonly seed: number;
  /** The program with a safety step switched off. */
  readonly patches?: readonly Patch[];
}

export interface StressResult {
  /** What is wrong with the resulting log. */
  readonly faults: readonly string[];
  readonly answers: Readonly<Record<string, number>>;
  readonly entries: number;
  readonly killed: number;
  readonly seconds: number;
  /** Of one append, sorted. */
  readonly latenciesMs: readonly number[];
}

const PRICE = 100;

/** Many processes on one log, with faults and kills. Afterwards the log is judged by its entries alone. */
export async function stress(place: Place, options: StressOptions): Promise<StressResult> {
  const { processes, appends, kills, seed } = options;
  const startMs = performance.now();
  const program = build('../stress/worker.ts', options.patches);
  const rng = createRng(seed, 'stress');
  const takes = Math.ceil(processes * appends * 0.6);
  const run: Run = {
    program: program.entry,
    rng,
    answers: {},
    acknowledged: [],
    latenciesMs: [],
    living: new Set(),
    killsAt: momentsOf(rng, kills, Math.floor(processes * appends * 0.9)),
    count: 0,
    killed: 0,
  };
  const task = {
    address: place.address(),
    environment: place.environment,
    takes,
    priceMicroUsd: PRICE,
    budgetMicroUsd: Math.ceil(takes * 0.6) * PRICE,
  };
  try {
    await Promise.all(
      Array.from({ length: processes }, () =>
        workUntilDone(run, { ...task, folder: place.machine(), appends, seed: 0 }),
      ),
    );
  } finally {
    for (const child of run.living) child.kill('SIGKILL');
    program.remove();
  }
  const objects = await readAll(storeAt(task.address, place.machine(), place.environment));
  const { answers, killed } = run;
  return {
    faults: faultsOfLog(objects, run.acknowledged, task.budgetMicroUsd),
    answers,
    killed,
    entries: [...objects.keys()].filter((key) => key.endsWith('.jsonl')).length,
    seconds: (performance.now() - startMs) / 1_000,
    latenciesMs: run.latenciesMs.sort((a, b) => a - b),
  };
}

interface Run {
  readonly program: string;
  readonly rng: Rng;
  readonly answers: Record<string, number>;
  readonly acknowledged: Acknowledged[];
  readonly latenciesMs: number[];
  readonly living: Set<ChildProcess>;
  /** The number of responses after which a process is killed. */
  readonly killsAt: ReadonlySet<number>;
  count: number;
  killed: number;
}

/** Distinct random numbers from 1 to a maximum. */
function momentsOf(rng: Rng, count: number, max: number): ReadonlySet<number> {
  const moments = new Set<number>();
  while (moments.size < Math.min(count, max)) moments.add(rng.between(1, max));
  return moments;
}

/** One process after another, until all its appends are answered. */
async function workUntilDone(run: Run, task: Task): Promise<void> {
  let left = task.appends;
  while (left > 0) {
    const lines = await oneLife(run, { ...task, appends: left, seed: run.rng.below(2 ** 31) });
    left -= lines;
  }
}

function oneLife(run: Run, task: Task): Promise<number> {
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, [run.program, JSON.stringify(task)], {
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    run.living.add(child);
    let lines = 0;
    let said = '';
    child.stderr.on('data', (piece: Buffer) => {
      said += piece.toString();
    });
    createInterface({ input: child.stdout }).on('line', (line) => {
      if (line === 'done') return;
      lines += 1;
      note(run, line);
    });
    child.on('error', reject);
    child.on('close', (code, signal) => {
      run.living.delete(child);
      if (code === 0 || signal === 'SIGKILL') resolve(code === 0 ? task.appends : lines);
      else reject(new Error(`a worker ended with ${code}: ${said}`));
    });
  });
}

function note(run: Run, line: string): void {
  const [attempt = '', rev, answer = '', ms] = line.split(' ');
  run.answers[answer] = (run.answers[answer] ?? 0) + 1;
  run.latenciesMs.push(Number(ms));
  if (answer === 'recorded') run.acknowledged.push({ attempt, rev: Number(rev) });
  run.count += 1;
  if (!run.killsAt.has(run.count)) return;
  const victim = run.rng.pick([...run.living]);
  if (victim.kill('SIGKILL')) run.killed += 1;
}

async function readAll(store: ReturnType<typeof storeAt>): Promise<ReadonlyMap<string, Uint8Array>> {
  const objects = new Map<string, Uint8Array>();
  for (const key of await store.list('log/')) {
    const bytes = await store.get(key);
    if (bytes !== undefined) objects.set(key, bytes);
  }
  await store.close();
  return objects;
}
