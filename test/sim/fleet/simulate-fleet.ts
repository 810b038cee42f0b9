import { EXIT } from '../../../src/core/errors.js';
import { promptOf } from '../album.js';
import { exitCodeOf, launch } from '../incarnation.js';
import { createLockReader } from '../lock-view.js';
import { sha256 } from '../media.js';
import { doubtful, resolving } from '../person.js';
import { HOME, LOCKFILE } from '../places.js';
import { createRng, type Rng } from '../random.js';
import { CALM_RUN, calmRates, drawRun, NO_DISK_FAULTS, type RunDraw } from '../scenario.js';
import type { Incarnation, Program, SimOptions, SimResult, SimWorld } from '../world.js';
import { noBucketFaults } from './bucket-client.js';
import { createFleet, type Fleet, lose } from './fleet.js';
import { awayMs, drawLatePlan } from './hardships.js';
import { resolvingOutdated } from './outdated.js';

const CALM_RUNS_MAX = 8;
/** By then, all that was in flight has arrived, and claims of ended runs count as stale. */
const QUIET_MS = 1_300_000;
const ROUND_MS_MAX = 96 * 3_600_000;
const APART_MS_MAX = 400_000;

/** Share of seeds without faults. */
const SHARED_SHARE = 0.15;
const SHARED_DRAW = {
  machines: 3,
  kind: 'strict',
  keepsAudio: true,
  lossShare: 0,
  deletes: 0,
  skewed: false,
  onlyShare: 0,
} as const;
const STARTS_WITHIN_MS = 300;
/** Share of these whose service never deletes anything: the runs must not wait for each other to do it. */
const ENDLESS_SHARE = 0.2;

/**
 * One seed: overlapping runs on several machines, some of them lost for good. Then the faults stop, and a machine with
 * an empty folder has to finish.
 */
export async function simulateFleet(seed: number, options: SimOptions): Promise<SimResult> {
  const shares = createRng(seed, 'shares').chance(SHARED_SHARE);
  const fleet = shares ? createFleet(seed, options, SHARED_DRAW) : createFleet(seed, options);
  const unhandled = (reason: unknown) =>
    fleet.judge.blame('o', `unhandled rejection: ${reason instanceof Error ? reason.stack : reason}`);
  process.on('unhandledRejection', unhandled);
  try {
    await (shares ? shareWork(fleet) : play(fleet));
  } finally {
    process.off('unhandledRejection', unhandled);
  }
  return {
    seed,
    violations: fleet.judge.violations,
    runs: fleet.runs,
    crashes: fleet.crashes,
    charges: fleet.server.jobs.size,
    events: fleet.timeline.events(),
  };
}

/** Runs that begin within seconds of one another, in a world without faults: each ends with every file. */
async function shareWork(fleet: Fleet): Promise<void> {
  const { rng, timeline, machines, judge } = fleet;
  calm(fleet);
  const endless = createRng(fleet.seed, 'fleet shared endless clean-ups').chance(ENDLESS_SHARE);
  if (endless) fleet.server.rates = { ...fleet.server.rates, completeFalse: 1 };
  const runs: Incarnation[] = [];
  for (const machine of machines)
    timeline.after(rng.below(STARTS_WITHIN_MS), () => runs.push(launch(machine, CALM_RUN)));
  await timeline.runUntil(() => runs.length === machines.length);
  await untilIdle(fleet, 'a shared batch');
  const codes = runs.map(codeOf);
  if (codes.some((code) => code === EXIT.budget || code === EXIT.balance)) return;
  for (const [at, code] of codes.entries())
    if (code !== EXIT.ok && !(endless && code === EXIT.inFlight))
      judge.blame('l', `${runs[at]!.name} ends with ${code}`);
  for (const machine of machines) judgeFilesHere(fleet, machine);
}

async function play(fleet: Fleet): Promise<void> {
  const { rng, scenario } = fleet;
  const deleting = createRng(fleet.seed, 'deleted while running');
  fleet.line.listed = () => {
    if (deleting.chance(fleet.draw.deletes / 4)) deleteEntries(fleet, deleting, 'running');
  };
  for (let round = 0; round < scenario.rounds && isSound(fleet); round++) {
    if (round > 0 && rng.chance(fleet.draw.deletes)) deleteEntries(fleet, rng);
    for (const [at, machine] of fleet.machines.entries()) {
      if (at > 0 && rng.chance(0.25)) continue;
      const draw = drawShared(fleet, `crash ${round} ${at}`);
      const resolves = round > 0 && rng.chance(0.15);
      const begin = () => {
        // It may be lost by then, and replaced.
        const place = fleet.machines[at] ?? machine;
        if (isSound(fleet)) launch(place, draw, resolves ? resolving(place) : undefined);
      };
      if (at === 0) begin();
      else fleet.timeline.after(Math.floor(APART_MS_MAX ** rng.next()) - 1, begin);
    }
    await pass(fleet, APART_MS_MAX);
    await untilIdle(fleet, `round ${round + 1}`);
    await pass(fleet, rng.chance(0.1) ? 86_400_000 : rng.below(400_000));
    const { outdated } = fleet.hardships;
    if (outdated !== undefined) await settleOutdated(fleet, outdated);
    const away = awayMs(fleet.hardships);
    if (away > 0) await pass(fleet, away);
  }
  const { latePlans } = fleet.hardships;
  if (latePlans !== undefined && fleet.draw.keepsAudio) await approveLate(fleet, latePlans);
  if (isSound(fleet)) await calmDown(fleet);
}

/**
 * On one machine the user asks to buy again what it could not collect, and approves that late: other machines, which may
 * have the files, run meanwhile.
 */
async function approveLate(fleet: Fleet, rng: Rng): Promise<void> {
  const { timeline, machines } = fleet;
  const at = rng.below(machines.length);
  const draw = drawLatePlan(rng);
  const begin = (place: number, how: RunDraw) => {
    const machine = fleet.machines[place];
    if (isSound(fleet) && machine !== undefined) launch(machine, how);
  };
  fleet.line.refuses = () => false;
  begin(at, { ...CALM_RUN, mode: 'collect' });
  await untilIdle(fleet, 'the run before a late approval');
  begin(at, draw);
  for (const other of machines.keys())
    if (other !== at) timeline.after(rng.below(draw.thinkMs), () => begin(other, CALM_RUN));
  await pass(fleet, draw.thinkMs);
  await untilIdle(fleet, 'a late approval');
}

/** The user looks at lockfiles that have not been brought up to date, and settles what is in doubt there. */
async function settleOutdated(fleet: Fleet, rng: Rng): Promise<void> {
  for (const machine of [...fleet.machines])
    if (rng.chance(0.5) && isSound(fleet))
      await untilOver(fleet, machine, CALM_RUN, resolvingOutdated(machine, rng));
}

/** Nothing that only the simulation of one machine can judge: removed files, replaced lockfiles, takes forced again. */
function drawShared(fleet: Fleet, crash: string): RunDraw {
  const {
    rng,
    scenario,
    seed,
    draw: { onlyShare, keepsAudio },
  } = fleet;
  const draw = drawRun(rng, scenario, createRng(seed, crash));
  const mode = draw.mode === 'frozen' ? 'collect' : draw.mode;
  const only = rng.chance(onlyShare) ? rng.below(4) : draw.only;
  // Without an audio store, files of other machines are missing here, and the user knows not to buy them again.
  const retryFailed = draw.retryFailed && keepsAudio;
  return {
    ...draw,
    mode,
    only,
    retryFailed,
    tamperAt: [],
    revertFrom: undefined,
    force: false,
    otherKey: false,
  };
}

/** A lifecycle rule of the bucket deletes objects, or an older copy of it is put in its place. */
function deleteEntries(fleet: Fleet, rng: Rng, when: 'idle' | 'running' = 'idle'): void {
  const { bucket, timeline } = fleet;
  const keys = bucket.list('log/').filter((key) => key.endsWith('.jsonl'));
  if (fleet.deleted !== undefined || keys.length < 2) return;
  const newest = when === 'idle' && rng.chance(0.5);
  const older = newest ? newestOf(fleet, rng, keys) : olderOf(rng, keys);
  const gone = when === 'idle' ? older : older.filter((key) => isKnownToAll(fleet, key));
  if (gone.length === 0) return;
  fleet.trace(`others delete ${gone.join(', ')}`);
  fleet.tamperedMs = timeline.nowMs();
  fleet.deleted = {
    entries: new Map(gone.map((key) => [key, bucket.objects.get(key)!])),
    newest,
  };
  for (const key of gone) bucket.remove(key);
}

/**
 * Whether every process that has begun to read the log has read this entry. Otherwise it might write in its place, which
 * nobody can notice in time.
 */
function isKnownToAll({ machines, known }: Fleet, key: string): boolean {
  const runs = machines.flatMap(({ running }) => [...running]);
  return runs.every(({ witness }) => known.get(witness)?.has(key) ?? true);
}

function olderOf(rng: Rng, keys: readonly string[]): readonly string[] {
  const from = rng.chance(0.5) ? 0 : rng.below(keys.length - 1);
  return keys.slice(from, rng.between(from + 1, keys.length - 1));
}

/** The newest entries and checkpoints: enough that every machine's lockfile has an attempt that the log no longer has. */
function newestOf({ bucket, machines }: Fleet, rng: Rng, keys: readonly string[]): readonly string[] {
  const firstIn = new Map<string, number>();
  for (const [entry, key] of keys.entries())
    for (const line of Buffer.from(bucket.objects.get(key)!).toString().split('\n')) {
      const attempt = /"attempt":"(\w+)"/.exec(line)?.[1];
      if (attempt !== undefined && !firstIn.has(attempt)) firstIn.set(attempt, entry);
    }
  const known = machines.map(({ disk }) => {
    const lockfile = disk.entries.get(LOCKFILE);
    const { attempts } = createLockReader().read(lockfile === 'directory' ? undefined : lockfile?.bytes);
    const shared = [...attempts.values()].filter(({ latest }) => latest.log_rev !== undefined);
    return Math.max(0, ...shared.map(({ latest }) => firstIn.get(latest.attempt) ?? 0));
  });
  const fromMax = Math.min(...known);
  if (fromMax === 0) return [];
  const first = keys[rng.between(1, fromMax)]!;
  return bucket.list('log/').filter((key) => key >= first);
}

function isSound({ judge }: Fleet): boolean {
  return judge.violations.length === 0;
}

export async function untilIdle(fleet: Fleet, what: string): Promise<void> {
  const { timeline, judge } = fleet;
  const limitMs = timeline.nowMs() + ROUND_MS_MAX;
  const late = () => timeline.nowMs() > limitMs;
  const idle = () => fleet.machines.every(({ running }) => running.size === 0);
  const how = await timeline.runUntil(() => idle() || late() || !isSound(fleet));
  if (how !== 'done' || late()) judge.blame('o', `${what} does not end (${how})`);
}

async function pass({ timeline }: Fleet, forMs: number): Promise<void> {
  let over = false;
  timeline.after(forMs, () => {
    over = true;
  });
  await timeline.runUntil(() => over);
}

export function calm(fleet: Fleet): void {
  for (const machine of fleet.machines) {
    machine.diskWorld.rates = NO_DISK_FAULTS;
    machine.diskWorld.fullUntilMs.clear();
    machine.diskWorld.readOnlyUntilMs.clear();
    machine.trouble.rates = calmRates(machine.trouble.rates);
  }
  fleet.network.rates = calmRates(fleet.network.rates);
  fleet.network.submitRates = undefined;
  fleet.server.rates = calmRates(fleet.server.rates);
  fleet.server.calm();
  fleet.line.rates = noBucketFaults();
  fleet.line.refuses = () => false;
  fleet.line.listed = () => {};
  fleet.line.outageUntilMs = 0;
  fleet.line.deniedUntilMs = 0;
}

async function calmDown(fleet: Fleet): Promise<void> {
  const { rng, deleted } = fleet;
  fleet.trace('faults stop');
  calm(fleet);
  await pass(fleet, QUIET_MS);
  const restored = deleted !== undefined && (deleted.newest || rng.chance(0.7));
  if (restored) restore(fleet);
  // Remaining machines may still have records that the log could not take.
  const ran: SimWorld[] = [];
  for (const machine of fleet.machines)
    if (rng.chance(0.5) || fleet.hardships.refusals !== undefined) {
      await untilOver(fleet, machine, { ...CALM_RUN, mode: 'collect' });
      ran.push(machine);
    }
  if (fleet.deleted === undefined) for (const machine of ran) judgeGivenUp(fleet, machine);
  for (const machine of [...fleet.machines]) lose(fleet, machine);
  calm(fleet);
  await endOnEmptyFolder(fleet);
}

/** The user settles the intents that nothing else can settle, and runs until nothing is left to do. */
export async function endOnEmptyFolder(fleet: Fleet): Promise<void> {
  const [last] = fleet.machines;
  if (last === undefined) return;
  await pass(fleet, QUIET_MS);
  await untilOver(fleet, last, CALM_RUN, resolving(last));
  await finish(fleet, last);
}

function restore(fleet: Fleet): void {
  fleet.trace('what was deleted is restored');
  for (const [key, bytes] of fleet.deleted?.entries ?? []) fleet.bucket.restore(key, bytes);
  fleet.deleted = undefined;
}

async function untilOver(
  fleet: Fleet,
  machine: SimWorld,
  draw: RunDraw,
  program?: Program,
): Promise<Incarnation> {
  const incarnation = launch(machine, draw, program);
  await untilIdle(fleet, incarnation.name);
  return incarnation;
}

async function finish(fleet: Fleet, machine: SimWorld): Promise<void> {
  let last: Incarnation | undefined;
  for (let run = 0; run < CALM_RUNS_MAX && isSound(fleet); run++) {
    last = await untilOver(fleet, machine, CALM_RUN);
    const code = codeOf(last);
    if (code === EXIT.ok || HUMAN.has(code ?? -1)) break;
    await pass(fleet, 3_600_000);
  }
  if (!isSound(fleet) || last === undefined) return;
  judgeEnd(fleet, machine, last);
  if (codeOf(last) !== EXIT.ok) return;
  const again = await untilOver(fleet, machine, CALM_RUN);
  if (again.paidRequests > 0)
    fleet.judge.blame('k', `${again.paidRequests} paid requests in a run with nothing to do`);
}

function codeOf({ report, error }: Incarnation): number | undefined {
  return report?.exitCode ?? exitCodeOf(error);
}

/** What a run without faults may still end with: the user has to act. */
const HUMAN: ReadonlySet<number> = new Set([
  EXIT.inDoubt,
  EXIT.balance,
  EXIT.budget,
  EXIT.tracks,
  EXIT.lockfile,
]);
const IN_FLIGHT: ReadonlySet<string> = new Set(['queued', 'stored', 'unverified']);
const EXCUSES: ReadonlySet<string> = new Set(['failed', 'lost', 'rejected', 'in_doubt', 'intent']);

function judgeEnd(fleet: Fleet, machine: SimWorld, last: Incarnation): void {
  const { judge, draw, bucket, deleted } = fleet;
  const code = codeOf(last);
  const attempts = [...judge.logReader.view.attempts.values()].map(({ latest }) => latest);
  if (bucket.kind !== 'strict' || deleted !== undefined) {
    // Buying is over, which is checked at each submit.
    if (code === EXIT.ok && unmade(fleet).length > 0) judge.blame('l', 'exit 0, and not everything is made');
    return;
  }
  for (const { attempt, state } of attempts)
    if (IN_FLIGHT.has(state)) judge.blame('l', `${attempt} is still ${state} (exit ${code})`);
  const missing = unmade(fleet);
  if (code === EXIT.ok && missing.length > 0) judge.blame('l', `exit 0, and ${missing.join(', ')} not made`);
  const excused = fleet.waived.size > 0 || attempts.some(({ state }) => EXCUSES.has(state));
  if (code === EXIT.lockfile) judge.blame('l', `the log is refused: ${String(last.error)}`);
  if (code !== EXIT.ok && missing.length === 0 && !excused && draw.keepsAudio)
    judge.blame('l', `everything is made, and the run ends with ${code}`);
  if (code === EXIT.inDoubt && doubtful(machine).length === 0)
    judge.blame('l', 'exit 8, and nothing is in doubt');
  if (draw.keepsAudio) judgeFilesHere(fleet, machine);
}

const GIVEN_UP: ReadonlySet<string> = new Set(['lost', 'failed', 'unverified']);
/** Downloads that no run has finished or could check. */
const UNFINISHED = /\.(?:part|unverified)$/;

/** Whether an attempt is given up although this machine, which has run since, has exactly what the service served. */
function judgeGivenUp({ judge, server, bucket }: Fleet, machine: SimWorld): void {
  if (bucket.kind !== 'strict') return;
  const here = filesOn(machine, (path) => !UNFINISHED.test(path));
  for (const { latest, queueIds } of judge.logReader.view.attempts.values())
    for (const queueId of GIVEN_UP.has(latest.state) ? queueIds : []) {
      const job = server.jobs.get(queueId);
      // The user may have named the job of another attempt.
      const newest = judge.logReader.view.jobs.get(queueId)?.state ?? latest.state;
      if (job !== undefined && here.has(job.sha256) && GIVEN_UP.has(newest))
        judge.blame(
          'L',
          `${latest.attempt} is ${latest.state}, and ${machine.machines[0].name} has its file`,
        );
    }
}

/** The hashes of the files in the output folder. */
function filesOn({ disk }: SimWorld, counts: (path: string) => boolean = () => true): ReadonlySet<string> {
  return new Set(
    [...disk.entries].flatMap(([path, entry]) =>
      entry !== 'directory' && path.startsWith(`${HOME}/`) && counts(path) ? [sha256(entry.bytes)] : [],
    ),
  );
}

/** Whether every finished file is on the machine. */
function judgeFilesHere({ judge }: Fleet, machine: SimWorld): void {
  const here = filesOn(machine);
  for (const { latest } of judge.logReader.view.attempts.values())
    if (latest.state === 'done' && !here.has(latest.file?.sha256 ?? ''))
      judge.blame('I', `the file of ${latest.attempt} is not here`);
}

function unmade({ judge, album }: Fleet): readonly string[] {
  const made = (prompt: string) =>
    [...judge.logReader.view.attempts.values()].filter(
      ({ latest }) => latest.state === 'done' && latest.digest === album.digests.get(prompt),
    ).length;
  return album.tracks.filter((track) => made(promptOf(track)) < track.takes).map(promptOf);
}
