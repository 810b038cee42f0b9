/*
 * Kills real runs over the whole life of an album, and judges the result: `npm run kill -- --points 240`. Uses the
 * built program, with the simulated service in another process. See `life.ts`.
 *
 * `npm run kill -- --machines 50 --store folder|git|s3`: each killed run also loses its disk, and another machine, which
 * shares its log in that store, finishes. See `lost-machine.ts`.
 */
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { parseArgs } from 'node:util';
import { type PlaceKind, startPlace, whyNot } from '../shared-log/places.js';
import { createRng } from '../sim/random.js';
import { type Life, live, openPlace, type Place, runArgs, writeAlbum } from './life.js';
import { loseMachine, survey } from './lost-machine.js';
import { callWays, randomWay } from './points.js';
import { countCalls, hasStrace, nameOf, runAndKill, type Way } from './way.js';

const { values } = parseArgs({
  options: {
    machines: { type: 'string' },
    store: { type: 'string', default: 'folder' },
    points: { type: 'string', default: '240' },
    workers: { type: 'string', default: '3' },
    seed: { type: 'string', default: String(Date.now() % 1e9) },
  },
});
const points = Number(values.points);
const seed = Number(values.seed);
const root = mkdtempSync(path.join(os.tmpdir(), 'venice-batch-kill-'));
/** On a slow machine a simulator, which stops after ten minutes, outlives this many albums. */
const LIVES_A_PLACE = 40;

process.exitCode = await main().finally(() => rmSync(root, { recursive: true, force: true }));

async function main(): Promise<number> {
  const startedMs = Date.now();
  const lives =
    values.machines === undefined
      ? await killThem(await waysOfLives())
      : await loseMachines(Number(values.machines), values.store as PlaceKind);
  print(lives, Date.now() - startedMs);
  return lives.every(({ faults }) => faults.length === 0) ? 0 : 1;
}

/** Two moments for each life: one in the first run, one in the run that resumes it. */
async function waysOfLives(): Promise<(index: number) => readonly Way[]> {
  const rng = createRng(seed, 'kill');
  if (!hasStrace()) {
    console.log('strace is not installed: runs are killed at random times only');
    return () => [randomWay(rng), randomWay(rng)];
  }
  const place = await openPlace(folder('survey'));
  const fresh = callWays(await count(place, 'fresh'), Math.ceil(points / 2));
  const resumed = callWays(
    await count(place, 'resumed', { kind: 'event', nth: 12, delayMs: 0 }),
    Math.ceil(points / 2),
  );
  place.service.stop();
  console.log(`seed ${seed}; ${fresh.length} system calls in a run, ${resumed.length} in a resumed one`);
  return (index) => [
    fresh[index % fresh.length]!,
    // Shuffled against the first, and every third at random.
    rng.chance(1 / 3) ? randomWay(rng) : rng.pick(resumed),
  ];
}

async function count(place: Place, tag: string, first?: Way): Promise<ReadonlyMap<string, number>> {
  const cwd = folder(tag);
  writeAlbum(cwd, tag);
  if (first !== undefined) await runAndKill(first, runArgs(place.service), cwd, place.service.env);
  return countCalls(runArgs(place.service), cwd, place.service.env);
}

async function killThem(waysOf: (index: number) => readonly Way[]): Promise<readonly Life[]> {
  const lives: Life[] = [];
  let reached = 0;
  let next = 0;
  const worker = async (name: string) => {
    let place: Place | undefined;
    for (let lived = 0; reached < points && next < 4 * points; lived += 1) {
      if (lived % LIVES_A_PLACE === 0) {
        place?.service.stop();
        place = await openPlace(folder(`${name}-${lived}`));
      }
      const index = next++;
      const cwd = folder(`life-${index}`);
      const life = await live(place!, cwd, `life ${index}.`, waysOf(index));
      rmSync(cwd, { recursive: true });
      lives.push(life);
      reached += life.reached.length;
      for (const fault of life.faults) console.error(fault);
      if (lives.length % 10 === 0) console.log(`${reached} points`);
    }
    place?.service.stop();
  };
  await Promise.all(Array.from({ length: Number(values.workers) }, (_, index) => worker(`lane-${index}`)));
  return lives;
}

/** Until so many runs were killed; those that ended before their moment do not count. */
async function loseMachines(count: number, kind: PlaceKind): Promise<readonly Life[]> {
  const why = whyNot(kind);
  if (why !== undefined) throw new Error(why);
  const rng = createRng(seed, 'lost machines');
  const [store, place] = [await startPlace(kind), await openPlace(folder('service'))];
  const lives: Life[] = [];
  try {
    const size = await survey(place, store);
    console.log(`${kind}, seed ${seed}; a run has ${size.events} events and takes ${size.ms} ms`);
    for (let reached = 0; reached < count && lives.length < 2 * count; ) {
      const life = await loseMachine(place, store, `life ${lives.length}.`, randomWay(rng, size));
      lives.push(life);
      reached += life.reached.length;
      for (const fault of life.faults) console.error(fault);
      if (lives.length % 10 === 0) console.log(`${reached} machines lost`);
    }
  } finally {
    place.service.stop();
    await store.stop();
  }
  return lives;
}

function folder(name: string): string {
  const made = path.join(root, name);
  mkdirSync(made);
  return made;
}

function print(lives: readonly Life[], tookMs: number): void {
  const byName = new Map<string, number>();
  for (const way of lives.flatMap(({ reached }) => reached))
    byName.set(nameOf(way), (byName.get(nameOf(way)) ?? 0) + 1);
  const sum = (of: (life: Life) => number) => lives.reduce((total, life) => total + of(life), 0);
  const row = (name: string, value: number | string) => console.log(`${name.padEnd(28)}${value}`);
  console.log('\nkilled at');
  for (const [name, number] of [...byName].sort(([, a], [, b]) => b - a)) row(`  ${name}`, number);
  row(
    'points',
    sum(({ reached }) => reached.length),
  );
  row('albums', lives.length);
  row(
    'left in doubt, settled',
    sum(({ inDoubt }) => inDoubt),
  );
  row(
    'double charges',
    sum(({ doubleCharges }) => doubleCharges),
  );
  row(
    'lost ids',
    sum(({ lostIds }) => lostIds),
  );
  row('runs finished', `${sum(({ finished }) => Number(finished))} of ${lives.length}`);
  row(
    'other faults',
    sum(({ faults }) => faults.length),
  );
  row('seconds', Math.round(tookMs / 1000));
}
