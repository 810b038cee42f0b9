import { frozenBatch } from '../../src/app/frozen-batch.js';
import type { RunReport } from '../../src/app/summarise.js';
import type { BatchSettings, World } from '../../src/app/world.js';
import { BatchError } from '../../src/core/errors.js';
import type { Ports } from '../../src/core/ports.js';
import type { Purchase } from '../../src/plan/plan.js';
import { loadedOf, promptOf } from './album.js';
import { listPriceUsd } from './catalogue.js';
import { quoteKey } from './checks.js';
import { newWitness, type Witness } from './judge.js';
import { lockfileHere } from './lock-view.js';
import { identityOn, processesOf } from './machine.js';
import { createManners } from './manners.js';
import { simInspector } from './media.js';
import { movesDuring, putFolderBack } from './moved-folder.js';
import { createTransport } from './network.js';
import { LOCKFILE_PLACES, linkDuring, unlink } from './outside.js';
import { HOME, KEYS, LOCKFILE, RESCUE } from './places.js';
import { clockOf, createProcess, randomOf } from './process.js';
import type { Rng } from './random.js';
import { createRng } from './random.js';
import { CALM_RUN, type RunDraw } from './scenario.js';
import { createSimFiles } from './sim-files.js';
import { tamper, tamperLockfile } from './tamper.js';
import { beset, besetStored } from './trouble.js';
import type { Incarnation, Program, SimWorld } from './world.js';
import { isFor } from './worn.js';

/** Starts a program, usually a run. It proceeds with the timeline. */
export function launch(
  world: SimWorld,
  draw: RunDraw,
  program: Program = draw.mode === 'frozen' ? frozenBatch : world.options.runBatch,
): Incarnation {
  world.runs += 1;
  const name = `run ${world.runs}`;
  const rng = createRng(world.seed, name);
  const machine = world.machines[draw.elsewhere ? 1 : 0];
  const identity = identityOn(machine, { run: world.runs, container: draw.container, rng });
  const revert = reverting(world, name, draw);
  const move = program === world.options.runBatch ? movesDuring(world, name) : undefined;
  putFolderBack(world);
  const simProcess = createProcess({
    timeline: world.timeline,
    rng,
    identity,
    crash: draw.crash,
    onOperation: (operation) => {
      revert(operation, incarnation);
      move?.(operation, incarnation);
      // When idle: nothing is awaited between the last look and the request that relies on it.
      if (draw.tamperAt.includes(operation))
        world.timeline.after(0, () => {
          const tampered = tamper(world);
          if (tampered === 'guard') joinSoon(world, incarnation, draw);
          if (tampered === 'lockfile') killSoon(world, incarnation);
        });
    },
    onCrash: () => crash(world, incarnation, draw.crashIsPower),
  });
  machine.processes.set(identity.pid, simProcess);
  const incarnation: Incarnation = {
    name,
    machine,
    process: simProcess,
    witness: newWitness(name, world.budgetMicroUsd, program === world.options.runBatch),
    stop: new AbortController(),
    apiKey: KEYS[draw.otherKey ? 1 : 0],
    over: false,
    leapMs: 0,
    startedMs: world.timeline.nowMs(),
    sleptMs: 0,
    paidRequests: 0,
  };
  world.running.add(incarnation);
  permit(world, draw);
  disturb(world, incarnation, draw);
  beset(world, incarnation);
  for (const place of [HOME, ...LOCKFILE_PLACES]) unlink(world, place);
  linkDuring(world, incarnation);
  world.trace(`${name} starts (pid ${identity.pid}, ${identity.bootId}, ${draw.mode})`);
  const { tampering } = world.options;
  const settings = settingsOf(world, draw);
  program(worldOf(world, incarnation, draw, rng), tampering?.settings?.(settings) ?? settings).then(
    (report) => ended(world, incarnation, report === 'done' ? {} : { report }),
    (error) => ended(world, incarnation, { error }),
  );
  return incarnation;
}

/** The charges that the user of this run asks for. */
function permit(world: SimWorld, draw: RunDraw): void {
  for (const track of world.album.tracks) {
    const prompt = promptOf(track);
    const allowance = world.allowances.get(prompt) ?? { wanted: 0, extra: 0 };
    allowance.wanted = Math.max(allowance.wanted, track.takes);
    if (draw.force) allowance.extra += track.takes;
    world.allowances.set(prompt, allowance);
  }
}

/**
 * What `--retry-failed` buys: known only when the run plans, as another may have ended while it waited for the lock.
 */
function permitRetries(world: SimWorld): void {
  for (const [prompt, allowance] of world.allowances) allowance.extra += givenUp(world, prompt);
}

/** Jobs for this prompt that failed or are gone, and abandoned attempts, which the user may buy again. */
function givenUp(world: SimWorld, prompt: string): number {
  const { server, judge, timeline, waived } = world;
  let count = 0;
  for (const job of server.jobs.values())
    if (job.prompt === prompt && (job.fails || timeline.nowMs() >= job.expiresMs)) count += 1;
  for (const { latest } of judge.seen().attempts.values())
    if (isFor(world, latest, prompt) && (latest.state === 'lost' || waived.has(latest.attempt))) count += 1;
  return count;
}

/** Whoever deletes the guard, as `git clean` does, also starts a run. */
function joinSoon(world: SimWorld, incarnation: Incarnation, draw: RunDraw): void {
  const rng = createRng(world.seed, `joins ${incarnation.name}`);
  if (rng.chance(0.5)) return;
  world.timeline.after(rng.below(10_000), () => {
    if (!incarnation.over) launch(world, { ...CALM_RUN, elsewhere: draw.elsewhere });
  });
}

/** Until the run has noticed what became of its lockfile, only its journal has the records. */
function killSoon(world: SimWorld, incarnation: Incarnation): void {
  const rng = createRng(world.seed, `kills ${incarnation.name}`);
  if (rng.chance(0.7)) return;
  world.timeline.after(rng.below(1_000), () => {
    if (!incarnation.over) crash(world, incarnation, false);
  });
}

/** Reverts the lockfile and kills the run at once: then only its journal knows of what was bought. */
function reverting(
  world: SimWorld,
  name: string,
  { revertFrom }: RunDraw,
): (operation: number, incarnation: Incarnation) => void {
  const rng = createRng(world.seed, `reverts during ${name}`);
  let done = revertFrom === undefined;
  return (operation, incarnation) => {
    if (done || operation < (revertFrom ?? 0)) return;
    world.timeline.after(0, () => {
      if (done || incarnation.over || !tamperLockfile(world)) return;
      done = true;
      world.timeline.after(rng.below(100), () => {
        if (!incarnation.over) crash(world, incarnation, false);
      });
    });
  };
}

function disturb(world: SimWorld, incarnation: Incarnation, draw: RunDraw): void {
  const { timeline } = world;
  const later = (afterMs: number | undefined, action: () => void) => {
    if (afterMs !== undefined) timeline.after(afterMs, () => !incarnation.over && action());
  };
  later(draw.stopAfterMs, () => {
    world.trace(`${incarnation.name} is asked to stop`);
    incarnation.witness.stopped = true;
    incarnation.stop.abort();
  });
  later(draw.pause?.afterMs, () => {
    world.trace(`${incarnation.name} is suspended`);
    incarnation.process.pause(draw.pause?.forMs ?? 0);
  });
  later(draw.secondAfterMs, () => {
    const elsewhere = world.scenario.systems.second && draw.secondElsewhere !== draw.elsewhere;
    launch(world, { ...draw, elsewhere, secondAfterMs: undefined, pause: undefined });
  });
}

function settingsOf(world: SimWorld, draw: RunDraw): BatchSettings {
  return {
    lockfilePath: LOCKFILE,
    outputRoot: HOME,
    endpoint: 'https://api.example/v1',
    sandbox: false,
    version: '0.0.0',
    selection: {
      retryFailed: draw.retryFailed,
      force: draw.force ? ['*'] : [],
      ...(draw.only === false ? {} : { only: [trackAt(world, draw.only)] }),
    },
    mode: draw.mode,
    keep: world.scenario.keep,
    failFast: draw.failFast,
    detach: draw.detach,
    rescuePlaces: { keyFile: `${RESCUE}/key`, directories: [`${RESCUE}/kept`] },
    openPlaces: [],
    ...(world.shared === undefined ? {} : { state: world.shared.address }),
    ...(draw.timeoutMs === undefined ? {} : { timeoutMs: draw.timeoutMs }),
    ...(draw.concurrency === undefined ? {} : { concurrency: draw.concurrency }),
    command: (verb) => `venice-batch ${verb} album.yaml`,
  };
}

function trackAt({ album: { tracks } }: SimWorld, only: true | number): string {
  return tracks[only === true ? 0 : only % tracks.length]?.id ?? '*';
}

function worldOf(world: SimWorld, incarnation: Incarnation, draw: RunDraw, rng: Rng): World {
  const { judge, timeline } = world;
  const { process: simProcess, witness } = incarnation;
  const approvalRng = createRng(world.seed, `${witness.name} approval`);
  const bare: Ports = {
    clock: clockOf(simProcess, timeline, () => incarnation.machine.skewMs + draw.skewMs + incarnation.leapMs),
    random: randomOf(rng),
    files: createSimFiles(world.diskWorld, simProcess),
    processes: processesOf(simProcess, incarnation.machine, world.scenario.systems, world.beacons),
    inspectMedia: simInspector(world.scenario.thorough),
  };
  const ports = world.options.tampering?.ports?.(bare) ?? bare;
  const manners = createManners(incarnation, judge.blame, timeline.nowMs);
  const direct = createTransport({
    world: world.network,
    process: simProcess,
    apiKey: incarnation.apiKey,
    onSend: (request) => {
      world.trace(`${witness.name} sends ${request.path} ${request.body ?? ''}`);
      if (PAID_ROUTES.has(request.path)) incarnation.paidRequests += 1;
      judge.sent(witness, request);
      manners.sent(request);
    },
    onRead: (request, answer) => {
      manners.read(request, answer);
      if (request.path === '/audio/queue' && answer.status === 200)
        witness.received.push(
          (JSON.parse(Buffer.from(answer.body).toString()) as { queue_id: string }).queue_id,
        );
    },
    onHandled: (request, answer) => {
      if (request.path === '/audio/quote')
        witness.quotedMs.set(quoteKey(JSON.parse(request.body ?? '{}')), timeline.nowMs());
      world.trace(`service ${request.path} ${answer.status}`);
      manners.handled(request, answer);
      judge.handled();
    },
  });
  const transport = world.options.tampering?.transport?.(direct, ports) ?? direct;
  const reported = (value: unknown) => {
    if (!simProcess.alive()) return;
    const text = JSON.stringify(value);
    world.trace(`${witness.name} prints ${text}`);
    judge.reported(text);
  };
  return {
    ports,
    transport,
    account: { kind: 'api_key', id: incarnation.apiKey },
    openState: world.shared?.openState(incarnation, ports),
    load: () => simProcess.act(0, () => loadedOf(world.album, HOME, world.budgetMicroUsd)),
    emit: (event) => {
      // By far the most frequent, and only numbers.
      if (event.type === 'notice') witness.notices += event.message;
      if (event.type === 'notice' && /^(record|lockfile|rescue)-/.test(event.code))
        witness.recordsLost = true;
      // The run holds the lock from here on.
      if (event.type === 'phase' && event.phase === 'check')
        witness.attemptsBefore = new Set(judge.seen().attempts.keys());
      if (event.type === 'summary') judge.summed(witness, event.spent_micro_usd);
      if (event.type === 'take' && event.state === 'stored') besetStored(world, event.attempt, event.path);
      const awakeMs = timeline.nowMs() - incarnation.startedMs - incarnation.sleptMs;
      if (
        event.type === 'notice' &&
        event.code === 'still-running' &&
        awakeMs < PATIENCE_MS - (incarnation.leapMs > 0 ? 2 : 1) * GAP_COUNTED_MS_MAX
      )
        judge.blame('w', `${event.message}, after ${awakeMs} ms`);
      if (event.type !== 'progress' || world.options.trace !== undefined) reported(event);
    },
    show: (diagnostics) => reported(diagnostics),
    approve: (plan) => {
      if (draw.force) noteForced(world, witness);
      return simProcess.act(draw.thinkMs, () => {
        const unattended = approvalRng.chance(0.5);
        const low = plan.purchases.filter(isFarUnder).map(({ request }) => request.prompt);
        world.trace(`${witness.name} asks to approve ${plan.totalMicroUsd}`);
        if (draw.declines) return 'declined';
        if (draw.retryFailed) permitRetries(world);
        witness.approved.push(...plan.purchases.map(({ request }) => request.prompt));
        for (const { request, quote } of plan.purchases)
          witness.approvedPrices.set(request.prompt, quote.microUsd);
        witness.approvedUpToMicroUsd = judge.spentMicroUsd() + plan.totalMicroUsd;
        if (unattended) for (const prompt of low) witness.unseenLow.add(prompt);
        else world.lowPriceApproved ||= low.length > 0;
        return unattended ? 'unattended' : 'approved';
      });
    },
    stop: incarnation.stop.signal,
  };
}

/** What the user sees as finished, and asks to make again. */
function noteForced({ disk }: SimWorld, { forcedOver }: Witness): void {
  for (const { latest } of lockfileHere(disk, LOCKFILE).attempts.values())
    if (latest.state === 'done') forcedOver.add(latest.attempt);
}

function isFarUnder({ request, quote }: Purchase): boolean {
  return quote.microUsd < ((listPriceUsd({ ...request }) ?? 0) * 1e6) / 2;
}

/** A job that runs longer may be left for the next run. */
const PATIENCE_MS = 6 * 3_600_000;
/** This much of a sleep or a leap of the clock counts as work: a run cannot tell it from a long pause between two looks. */
const GAP_COUNTED_MS_MAX = 2 * 60_000;
const PAID_ROUTES: ReadonlySet<string> = new Set(['/audio/queue', '/audio/retrieve', '/audio/complete']);

function ended(
  world: SimWorld,
  incarnation: Incarnation,
  how: { report?: RunReport; error?: unknown },
): void {
  if (!incarnation.process.alive()) return;
  Object.assign(incarnation, how);
  leave(world, incarnation);
  const { error } = how;
  const code = error === undefined ? (how.report?.exitCode ?? 0) : exitCodeOf(error);
  world.trace(
    `${incarnation.name} ends with ${code ?? String(error)}${error instanceof Error ? `: ${error.message}` : ''}`,
  );
  if (code === undefined || code === 1) {
    const reported = error instanceof Error ? (error.stack ?? error.message) : String(error);
    world.judge.blame('o', `${incarnation.name} ends with ${reported}`);
  }
  world.judge.ended(incarnation.witness);
  world.judge.look();
}

export function exitCodeOf(error: unknown): number | undefined {
  return error instanceof BatchError ? error.exitCode : undefined;
}

export function leave(world: SimWorld, incarnation: Incarnation): void {
  incarnation.over = true;
  incarnation.witness.over = true;
  incarnation.process.kill();
  world.running.delete(incarnation);
  putFolderBack(world);
}

function crash(world: SimWorld, incarnation: Incarnation, power: boolean): void {
  world.crashes += 1;
  world.trace(
    `${incarnation.name} ${power ? 'loses power' : 'is killed'} at operation ${incarnation.process.operations()}`,
  );
  for (const victim of power ? [...world.running] : [incarnation]) leave(world, victim);
  if (power) {
    for (const machine of world.machines) machine.boots += 1;
    world.disk.losePower();
  }
  world.shared?.crashed();
  world.judge.look();
}
