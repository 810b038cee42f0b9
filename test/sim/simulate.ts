import { EXIT } from '../../src/core/errors.js';
import type { Attempt } from '../../src/lockfile/attempt.js';
import { runLockPath } from '../../src/lockfile/run-lock.js';
import { acceptable, accepting } from './accepting.js';
import { promptOf } from './album.js';
import { damageLockfile, putBackLockfile, settleDamage } from './damage.js';
import { exitCodeOf, launch } from './incarnation.js';
import { sha256 } from './media.js';
import { unlinkAll } from './outside.js';
import {
  doubtful,
  lose,
  loseForGood,
  mangle,
  meddle,
  repairing,
  resolving,
  unlocking,
  unmangle,
} from './person.js';
import { HOME, KEYS, LOCKFILE } from './places.js';
import { pull } from './pull.js';
import { createRng } from './random.js';
import type { Scenario } from './scenario.js';
import { CALM_RUN, calmRates, drawRun, NO_DISK_FAULTS } from './scenario.js';
import { noTrouble } from './trouble.js';
import type { Incarnation, Program, SimOptions, SimResult, SimWorld } from './world.js';
import { createWorld, needsRepair } from './world.js';
import { isFor, isSalvaged, wear, wearNow } from './worn.js';

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

const IN_FLIGHT: ReadonlySet<string> = new Set(['queued', 'stored', 'unverified']);
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

/** Invariant l, and that the run reports its own end correctly. */
function judgeEnd(world: SimWorld, { report, error }: Incarnation): void {
  const { judge } = world;
  const view = judge.seen();
  const code = report?.exitCode ?? exitCodeOf(error);
  if (code === EXIT.lockfile) {
    if (view.badLines === 0 && hasWholeLine(world) && !hasHole(world))
      judge.blame('l', 'the lockfile is refused and can be read');
    return;
  }
  // What becomes of a forged job, under whatever key, is not covered by the promise.
  for (const { latest } of view.attempts.values())
    if (
      IN_FLIGHT.has(latest.state) &&
      !isLeftToUser(latest) &&
      !world.waived.has(latest.attempt) &&
      !isStillMade(world, latest)
    )
      judge.blame('l', `${latest.attempt} is still ${latest.state} (exit ${code})`);
  const made = (prompt: string) =>
    [...view.attempts.values()].filter(
      ({ latest }) => latest.state === 'done' && isFor(world, latest, prompt),
    ).length;
  const unmade = world.album.tracks.filter((track) => made(promptOf(track)) < track.takes);
  if (code === EXIT.ok && unmade.length > 0)
    judge.blame('l', `exit 0, and ${unmade.map(promptOf).join(', ')} not made`);
  for (const { key, state, attempt = '' } of report?.takes ?? [])
    if (state === 'missing' && isThere(world, view.attempts.get(attempt)?.latest))
      judge.blame('l', `${key} is reported as missing, and its file is there`);
  const excused =
    world.waived.size > 0 ||
    [...view.attempts.values()].some(({ latest }) => EXCUSES.has(latest.state) || isLeftToUser(latest));
  if (code !== EXIT.ok && unmade.length === 0 && doubtful(world).length === 0 && !excused)
    judge.blame('l', `all is made, and the run ends with ${code}`);
  if (code === EXIT.tracks && !excused) judge.blame('l', 'exit 100, and nothing has failed');
  if (code === EXIT.inDoubt && doubtful(world).length === 0)
    judge.blame('l', 'exit 8, and nothing is in doubt');
}

/** Some jobs take longer than all runs together. */
function isStillMade({ server, timeline }: SimWorld, { queue_id: queueId }: Attempt): boolean {
  const job = queueId === undefined ? undefined : server.jobs.get(queueId);
  return job !== undefined && job.readyMs > timeline.nowMs();
}

/**
 * Without links, a part of the first line remains on a disk that fails both as it is written and as the file is
 * removed.
 */
function hasWholeLine({ disk }: SimWorld): boolean {
  const entry = disk.entries.get(LOCKFILE);
  return entry !== undefined && entry !== 'directory' && entry.bytes.includes(0x0a);
}

/** A failed sync and a loss of power may leave zeros within the last line: others could have cut it, so a person decides. */
function hasHole({ disk }: SimWorld): boolean {
  const entry = disk.entries.get(LOCKFILE);
  if (entry === undefined || entry === 'directory') return false;
  return entry.bytes.subarray(entry.bytes.lastIndexOf(0x0a) + 1).includes(0);
}

function isThere({ disk }: SimWorld, attempt: Attempt | undefined): boolean {
  const entry = disk.entries.get(`${HOME}/${attempt?.file?.path}`);
  return entry !== undefined && entry !== 'directory' && sha256(entry.bytes) === attempt?.file?.sha256;
}

/** The service no longer has the audio, and a download that failed the check is kept: the user accepts it or not. */
export function isLeftToUser({ state, reason }: Attempt): boolean {
  return state === 'unverified' && reason?.code === 'not_found';
}

const EXCUSES: ReadonlySet<string> = new Set(['failed', 'lost', 'rejected', 'in_doubt', 'intent']);

/** Invariant k: one more run, which sends no paid request. */
async function judgeRest(world: SimWorld): Promise<void> {
  const again = launch(world, CALM_RUN);
  await untilOver(world, again);
  // What the service no longer has, and is kept here unverified, is asked for in every run: it may have been an outage.
  const asksAgain = [...world.judge.seen().attempts.values()].some(({ latest }) => isLeftToUser(latest));
  if (again.paidRequests > 0 && !asksAgain)
    world.judge.blame('k', `${again.paidRequests} paid requests in a run with nothing to do`);
  if (isSound(world) && createRng(world.seed, 'lost for good').chance(0.3)) {
    loseForGood(world);
    await untilOver(world, launch(world, CALM_RUN));
  }
}
