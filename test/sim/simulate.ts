import { EXIT } from '../../src/core/errors.js';
import { runLockPath } from '../../src/lockfile/run-lock.js';
import { acceptable, accepting } from './accepting.js';
import { damageLockfile, putBackLockfile, settleDamage } from './damage.js';
import { IN_FLIGHT, isLeftToUser, judgeEnd } from './end.js';
import { exitCodeOf, launch } from './incarnation.js';
import { unlinkAll } from './outside.js';
import { lose, loseForGood, mangle, meddle, repairing, resolving, unlocking, unmangle } from './person.js';
import { KEYS, LOCKFILE } from './places.js';
import { pull } from './pull.js';
import { createRng } from './random.js';
import type { Scenario } from './scenario.js';
import { CALM_RUN, calmRates, drawRun, NO_DISK_FAULTS } from './scenario.js';
import { noTrouble } from './trouble.js';
import type { Incarnation, Program, SimOptions, SimResult, SimWorld } from './world.js';
import { createWorld, needsRepair } from './world.js';
import { isSalvaged, wear, wearNow } from './worn.js';

/** Bounds the runs after the faults stop: what has not ended by then never will. */
const CALM_RUNS_MAX = 8;
/** By then, all that was in flight has arrived. */
const QUIET_MS = 600_000;
const RUN_MS_MAX = 48 * 3_600_000;

/** One seed: runs with faults, killed and restarted. Then the faults stop, and everything has to finish. */
export async function simulate(
  seed: number,
  options: SimOptions,
  play: (world: SimWorld) => Promise<void> = playFaults,
  scenario: Partial<Scenario> = {},
): Promise<SimResult> {
  const world = createWorld(seed, options, scenario);
  const unhandled = (reason: unknown) =>
    world.judge.blame('o', `a rejection nobody handles: ${reason instanceof Error ? reason.stack : reason}`);
  process.on('unhandledRejection', unhandled);
  try {
    await play(world);
  } finally {
    process.off('unhandledRejection', unhandled);
  }
  return {
    seed,
    violations: world.judge.violations,
    runs: world.runs,
    crashes: world.crashes,
    charges: world.server.jobs.size,
    events: world.timeline.events(),
  };
}

async function playFaults(world: SimWorld): Promise<void> {
  for (let round = 0; round < world.scenario.rounds && isSound(world); round++) {
    if (round > 0) meddle(world);
    if (round > 0) pull(world);
    const draw = drawRun(world.rng, world.scenario, createRng(world.seed, `crash ${round}`));
    const program = await programOf(world, round);
    if (program === undefined) {
      const wearing = wearNow(world);
      // Requests of a killed run may still arrive: only then is it known which jobs the damaged lines named.
      if (wearing !== undefined) await pass(world, QUIET_MS);
      if (wearing !== undefined) wear(world, wearing);
      mangle(world);
      lose(world);
      damageLockfile(world);
      putBackLockfile(world);
    }
    const incarnation = launch(world, draw, program);
    await untilOver(world, incarnation);
    unlinkAll(world);
    settleDamage(world);
    if (isLocked(incarnation) && world.rng.chance(0.5))
      await untilOver(world, launch(world, CALM_RUN, unlocking(world)));
    unmangle(world);
    keepOldLockfile(world);
    await pass(world, world.rng.chance(0.1) ? 86_400_000 : world.rng.below(120_000));
  }
  if (isSound(world)) await calmDown(world);
}

/** Usually a run; sometimes the user repairs the lockfile, or accepts audio that failed the checks. */
async function programOf(world: SimWorld, round: number): Promise<Program | undefined> {
  const rng = createRng(world.seed, `accept before round ${round}`);
  if (!needsRepair(world) && acceptable(world).length > 0 && rng.chance(0.5)) return accepting(world, rng);
  const repairs = round > 0 && world.rng.chance(0.3);
  if (!repairs) return undefined;
  if (needsRepair(world)) return repairing(world);
  await pass(world, QUIET_MS);
  return resolving(world);
}

function keepOldLockfile(world: SimWorld): void {
  const entry = world.disk.entries.get(LOCKFILE);
  if (entry !== undefined && entry !== 'directory' && !needsRepair(world))
    world.oldLockfiles.push(entry.bytes);
}

/** After the first violation the rest would only be consequences. */
function isSound(world: SimWorld): boolean {
  return world.judge.violations.length === 0;
}

export async function untilOver(world: SimWorld, incarnation: Incarnation): Promise<void> {
  const limitMs = world.timeline.nowMs() + RUN_MS_MAX;
  const late = () => world.timeline.nowMs() > limitMs;
  const how = await world.timeline.runUntil(() => world.running.size === 0 || late() || !isSound(world));
  if (how !== 'done' || late()) world.judge.blame('o', `${incarnation.name} does not end (${how})`);
}

export async function pass(world: SimWorld, forMs: number): Promise<void> {
  let over = false;
  world.timeline.after(forMs, () => {
    over = true;
  });
  await world.timeline.runUntil(() => over);
}

/** Ends all faults. */
export function calm(world: SimWorld): void {
  world.diskWorld.rates = NO_DISK_FAULTS;
  world.diskWorld.fullUntilMs.clear();
  world.diskWorld.readOnlyUntilMs.clear();
  world.outside.rates = calmRates(world.outside.rates);
  world.network.rates = calmRates(world.network.rates);
  world.server.rates = calmRates(world.server.rates);
  world.trouble.rates = noTrouble();
  world.server.calm();
  world.trace('all is calm');
}

async function calmDown(world: SimWorld): Promise<void> {
  calm(world);
  await pass(world, QUIET_MS);
  if (mayBeLeftLocked(world)) await untilOver(world, launch(world, CALM_RUN, unlocking(world)));
  if (needsRepair(world)) await untilOver(world, launch(world, CALM_RUN, repairing(world)));
  const resolves = world.rng.chance(0.5);
  if (resolves || hasSalvaged(world)) await untilOver(world, launch(world, CALM_RUN, resolving(world)));
  let last: Incarnation | undefined;
  for (let run = 0; run < CALM_RUNS_MAX && isSound(world); run++) {
    last = launch(world, { ...CALM_RUN, otherKey: hasOtherAccountsJobs(world) && run % 2 === 0 });
    await untilOver(world, last);
    if (isSettled(world, last)) break;
    await pass(world, 60_000);
  }
  if (!isSound(world) || last === undefined) return;
  judgeEnd(world, last);
  if (last.report?.exitCode === EXIT.ok) await judgeRest(world);
}

function hasSalvaged({ judge }: SimWorld): boolean {
  return [...judge.seen().attempts.values()].some(({ latest }) => isSalvaged(latest));
}

function isLocked({ error }: Incarnation): boolean {
  return exitCodeOf(error) === EXIT.locked;
}

const LINE_FEED = 10;

/** Whether a run may have died without proof of it. Otherwise its lock is taken over automatically. */
function mayBeLeftLocked({ disk, scenario: { systems }, machines: [{ machineId }] }: SimWorld): boolean {
  // Where they cannot be linked into place, a run that is killed while writing the lock file, or that of a successor,
  // leaves it without its holder.
  const torn = [...disk.entries].some(
    ([path, entry]) =>
      path.startsWith(runLockPath(LOCKFILE)) && entry !== 'directory' && entry.bytes.at(-1) !== LINE_FEED,
  );
  return systems.second || systems.containers || machineId === '' || torn;
}

/** Jobs in flight under the other account's key are collected with that key. */
function hasOtherAccountsJobs(world: SimWorld): boolean {
  return [...world.judge.seen().attempts.values()].some(
    ({ latest }) =>
      IN_FLIGHT.has(latest.state) && world.server.jobs.get(latest.queue_id ?? '')?.account === KEYS[1],
  );
}

/** A run leaves a job that takes hours to the next one. */
function isStillRunning({ judge, server, timeline }: SimWorld, { startedMs }: Incarnation): boolean {
  const seenMs = Math.min(timeline.nowMs() - 60_000, startedMs + LEFT_AFTER_MS);
  return [...judge.seen().attempts.values()].some(
    ({ latest }) =>
      latest.state === 'queued' && (server.jobs.get(latest.queue_id ?? '')?.readyMs ?? 0) > seenMs,
  );
}

/** Source: run/poll.ts. */
const LEFT_AFTER_MS = 6 * 3_600_000;

/** What a run without faults may still end with: the user has to act. */
const HUMAN: ReadonlySet<number> = new Set([
  EXIT.inDoubt,
  EXIT.balance,
  EXIT.budget,
  EXIT.tracks,
  EXIT.lockfile,
  EXIT.invalid,
]);

function isSettled(world: SimWorld, last: Incarnation): boolean {
  const { report, error, apiKey } = last;
  const code = report?.exitCode ?? exitCodeOf(error);
  if (isStillRunning(world, last) || hasOtherAccountsJobs(world) || apiKey !== KEYS[0]) return false;
  return code === EXIT.ok || (code !== undefined && HUMAN.has(code));
}

/** Invariant k: one more run, which sends no paid request. */
async function judgeRest(world: SimWorld): Promise<void> {
  const again = launch(world, CALM_RUN);
  await untilOver(world, again);
  // What the service no longer has, and is kept here unverified, is asked for in every run: it may have been an outage.
  // So is a forged job that another key submitted.
  const tracks = new Set(world.album.tracks.map(({ id }) => id));
  const asksAgain = [...world.judge.seen().attempts.values()].some(
    ({ latest }) => isLeftToUser(latest) || (IN_FLIGHT.has(latest.state) && !tracks.has(latest.track)),
  );
  if (again.paidRequests > 0 && !asksAgain)
    world.judge.blame('k', `${again.paidRequests} paid requests in a run with nothing to do`);
  if (isSound(world) && createRng(world.seed, 'lost for good').chance(0.3)) {
    loseForGood(world);
    await untilOver(world, launch(world, CALM_RUN));
  }
}
