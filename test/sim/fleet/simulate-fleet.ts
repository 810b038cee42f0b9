import { EXIT } from '../../../src/core/errors.js';
import { isLeftToUser } from '../end.js';
import { launch } from '../incarnation.js';
import { repairing, resolving } from '../person.js';
import { createRng, type Rng } from '../random.js';
import { CALM_RUN, calmRates, drawRun, NO_DISK_FAULTS, type RunDraw } from '../scenario.js';
import type { Incarnation, Program, SimOptions, SimResult, SimWorld } from '../world.js';
import { wearCopy } from '../worn.js';
import { noBucketFaults } from './bucket-client.js';
import { damageAudio, removeDamaged } from './damaged-audio.js';
import { deleteEntries, restore } from './deletions.js';
import { createFleet, type Fleet, lose } from './fleet.js';
import { codeOf, judgeEnd, judgeFilesHere, judgeGivenUp } from './fleet-end.js';
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
    const { outdated, damages } = fleet.hardships;
    if (damages !== undefined) damageAudio(fleet, damages);
    if (outdated !== undefined) await settleOutdated(fleet, outdated);
    if (fleet.hardships.worn !== undefined) await wearCopies(fleet, fleet.hardships.worn);
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

/** Lockfiles are damaged, and their user repairs them, and mostly settles what is in doubt then. */
async function wearCopies(fleet: Fleet, rng: Rng): Promise<void> {
  for (const machine of [...fleet.machines]) {
    if (fleet.deleted !== undefined || !rng.chance(0.4) || !isSound(fleet)) continue;
    if (!wearCopy(machine, rng)) continue;
    await untilOver(fleet, machine, CALM_RUN, repairing(machine));
    if (rng.chance(0.5)) await untilOver(fleet, machine, CALM_RUN, resolving(machine));
  }
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
  if (fleet.hardships.damages !== undefined) removeDamaged(fleet);
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
  // Unless only they know that the log had more entries.
  if (fleet.deleted?.newest !== true) for (const machine of [...fleet.machines]) lose(fleet, machine);
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
  // A clock that is behind shows a run that ended as one that is alive. The user need not wait for it: collect does not.
  if (fleet.draw.skewed) await untilOver(fleet, machine, { ...CALM_RUN, mode: 'collect' });
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
  // What the service no longer has, and is kept here unverified, is asked for in every run: it may have been an outage.
  const asksAgain = [...fleet.judge.logReader.view.attempts.values()].some(({ latest }) =>
    isLeftToUser(latest),
  );
  if (again.paidRequests > 0 && !asksAgain)
    fleet.judge.blame('k', `${again.paidRequests} paid requests in a run with nothing to do`);
}

/** What a run without faults may still end with: the user has to act. */
const HUMAN: ReadonlySet<number> = new Set([
  EXIT.inDoubt,
  EXIT.balance,
  EXIT.budget,
  EXIT.tracks,
  EXIT.lockfile,
]);
