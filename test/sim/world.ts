import type { Resolution } from '../../src/app/resolution.js';
import type { OpenState } from '../../src/app/shared-state.js';
import type { RunReport } from '../../src/app/summarise.js';
import type { BatchSettings, World } from '../../src/app/world.js';
import type { Ports, Transport } from '../../src/core/ports.js';
import type { Album } from './album.js';
import { drawAlbum } from './album.js';
import type { Disk } from './disk.js';
import { createDisk } from './disk.js';
import type { Judge, Violation, Witness } from './judge.js';
import { createJudge } from './judge.js';
import { createLimits, drawLimitRule } from './limits.js';
import type { Beacons, Machine } from './machine.js';
import { drawMachines } from './machine.js';
import { GHOSTS, type MovedFolder } from './moved-folder.js';
import type { NetworkWorld } from './network.js';
import { createOutside, type Outside } from './outside.js';
import { ELSEWHERE, HOME, KEYS, LOCKFILE, PROJECT, RESCUE } from './places.js';
import type { SimProcess } from './process.js';
import type { Rng } from './random.js';
import { createRng } from './random.js';
import type { Scenario } from './scenario.js';
import { drawScenario } from './scenario.js';
import type { Server } from './server.js';
import { createServer } from './server.js';
import type { DiskWorld } from './sim-files.js';
import { durableJournals } from './tamper.js';
import type { Timeline } from './timeline.js';
import { createTimeline } from './timeline.js';
import { besetRecord, createTrouble, ODD_NUMBERS, type Trouble } from './trouble.js';
import { isCovered, isWorn, mayBeWorn, type Worn } from './worn.js';

export type RunBatch = (world: World, settings: BatchSettings) => Promise<RunReport>;
/** The program that a simulated process runs. */
export type Program = (world: World, settings: BatchSettings) => Promise<RunReport | 'done'>;

/**
 * The scratch folder is checked once a run: a link that replaces it, or the lockfile's folder, later leads scratch files
 * elsewhere, under names that nobody else uses, and a `.gitignore` if there is none. A link that appears between the last
 * look at the lockfile and its replacement leads the new one elsewhere, too.
 */
const SCRATCH_ELSEWHERE = ['album.lock.jsonl', '.venice-batch', '.gitignore'].map(
  (name) => `${ELSEWHERE}/${name}`,
);

/** Wraps the run's world: how mutants change it. */
export interface Tampering {
  readonly ports?: (ports: Ports) => Ports;
  readonly transport?: (transport: Transport, ports: Ports) => Transport;
  readonly settings?: (settings: BatchSettings) => BatchSettings;
  /** Makes events frequent that only together reveal the mutant. */
  readonly world?: (world: SimWorld) => void;
}

export interface SimOptions {
  readonly runBatch: RunBatch;
  readonly tampering?: Tampering;
  readonly trace?: (line: string) => void;
}

/** One simulated world, and everything in it that outlives a process. */
export interface SimWorld {
  readonly options: SimOptions;
  readonly scenario: Scenario;
  readonly rng: Rng;
  readonly timeline: Timeline;
  readonly disk: Disk;
  readonly diskWorld: DiskWorld;
  readonly server: Server;
  readonly network: NetworkWorld;
  readonly album: Album;
  readonly judge: Judge;
  readonly budgetMicroUsd: number | undefined;
  readonly machines: readonly [Machine, Machine];
  readonly beacons: Beacons;
  readonly running: Set<Incarnation>;
  /** How often each prompt may be charged: once per take, plus once for each time the user asked to buy it again. */
  readonly allowances: Map<string, { wanted: number; extra: number }>;
  readonly waived: Set<string>;
  /** Accepted attempts, each with the hash of the bytes that were kept. */
  readonly accepted: Map<string, string>;
  readonly trouble: Trouble;
  readonly outside: Outside;
  readonly movedFolder: MovedFolder;
  /** The lockfile after earlier runs, which another branch may still have. */
  readonly oldLockfiles: Uint8Array[];
  /** The lockfile before it was damaged, until the user restores it. */
  backup?: Uint8Array | undefined;
  worn?: Worn;
  /** The lockfile is gone, not damaged. */
  lost?: boolean;
  /** The lockfile was merged or damaged, and repair has not begun. */
  damaged: boolean;
  /** The lockfile was replaced during a run: journals count as well from then on. */
  tampered: boolean;
  /** The user has approved a price far below the declared one. */
  lowPriceApproved: boolean;
  /** What the user has found out about attempts in doubt, by attempt id. */
  readonly verdicts: Map<string, Resolution>;
  /** Set if this machine shares a log with others. */
  readonly shared?: SharedPlace;
  readonly trace: (line: string) => void;
  readonly seed: number;
  runs: number;
  crashes: number;
}

/** A log that several machines share, as used by one of them. */
export interface SharedPlace {
  readonly address: string;
  openState(incarnation: Incarnation, ports: Ports): OpenState;
  /** Whether the process that made the intent is known to be gone: only then does the user settle the attempt. */
  mayResolve(attempt: string): boolean;
  /** A process was killed, or its machine lost power. */
  crashed(): void;
}

export interface Incarnation {
  readonly name: string;
  readonly machine: Machine;
  readonly process: SimProcess;
  readonly witness: Witness;
  readonly stop: AbortController;
  readonly apiKey: string;
  report?: RunReport;
  error?: unknown;
  over: boolean;
  readonly startedMs: number;
  /** How long it was suspended. */
  sleptMs: number;
  /** How far its clock has jumped ahead. */
  leapMs: number;
  /** Requests to routes that need an account, other than the balance and the limits. */
  paidRequests: number;
}

/** For a job that takes hours: it may not be given up on sooner. */
const LONG_MS_MIN = 6 * 3_600_000;
/** Share of worlds whose service always limits requests. */
const LIMITED_SHARE = 0.25;
export const START_MS = Date.UTC(2026, 0, 1);
const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;
export const EVENTS_MAX = 200_000;

export function createWorld(seed: number, options: SimOptions, given: Partial<Scenario> = {}): SimWorld {
  const stream = (name: string) => createRng(seed, name);
  const rng = stream('scenario');
  const pricesRng = stream('prices');
  const waysRng = stream('ways');
  const scenario = { ...drawScenario(rng, pricesRng, waysRng), ...given };
  // Refunds depend on the UTC day, so half of all worlds begin shortly before it ends.
  const startMs =
    START_MS + (waysRng.chance(0.5) ? DAY_MS - waysRng.between(0, HOUR_MS) : waysRng.between(0, DAY_MS));
  const timeline = createTimeline(startMs, EVENTS_MAX);
  const nowMs = timeline.nowMs;
  const album = drawAlbum(rng);
  const listMicroUsd = album.tracks.reduce((sum, track) => sum + track.takes * 50_000, 0);
  const disk = createDisk(stream('disk'));
  const balance = Math.round(listMicroUsd * scenario.balanceShare);
  const limitsRng = stream('limits');
  const server = createServer(
    stream('server'),
    pricesRng,
    scenario.server,
    new Map(KEYS.map((key) => [key, balance])),
    { rng: waysRng, today: scenario.today },
  );
  if (limitsRng.chance(LIMITED_SHARE))
    server.limits = createLimits(drawLimitRule(limitsRng, 'small'), limitsRng.below(60_000));
  const allowances: SimWorld['allowances'] = new Map();
  const waived = new Set<string>();
  const accepted: SimWorld['accepted'] = new Map();
  const outside = createOutside(seed);
  const trace =
    options.trace === undefined
      ? () => {}
      : (line: string) => options.trace?.(`${nowMs() - startMs} ${line}`);
  const trouble = createTrouble(seed);
  const leaps = trouble.rates.leap > 0;
  const judge = createJudge({
    disk,
    server,
    lockfilePath: LOCKFILE,
    clocksAgree: scenario.meddling === 0 && !scenario.systems.second && !leaps,
    outputRoot: HOME,
    writable: [PROJECT, `${PROJECT}/`, HOME, `${HOME}/`, RESCUE, `${GHOSTS}/`, ...SCRATCH_ELSEWHERE],
    outside,
    secrets: KEYS,
    thorough: scenario.thorough,
    pricesMove: () =>
      scenario.server.priceChange > 0 || leaps || world.lowPriceApproved || world.worn !== undefined,
    nowMs,
    digestOf: (prompt) => album.digests.get(prompt),
    allowed: (prompt) => {
      const { wanted, extra } = allowances.get(prompt) ?? { wanted: 0, extra: 0 };
      return wanted + extra;
    },
    damaged: () => (world.damaged && !isRestored(world)) || outside.damage?.flipped === true || isWorn(world),
    covered: (queueId, view) => isCovered(world, queueId, view),
    uncertain: () => outside.damage !== undefined || mayBeWorn(world),
    journals: () => (world.tampered ? durableJournals(disk) : []),
    waived,
    accepted,
  });
  const movedFolder: MovedFolder = {};
  const diskWorld: DiskWorld = {
    disk,
    rng: stream('files'),
    movedFolder,
    nowMs,
    rates: scenario.disk,
    fullUntilMs: new Map(),
    readOnlyUntilMs: new Map(),
    onChange: (path, bytes) => {
      trace(`disk ${path} ${bytes?.length ?? ''}`);
      judge.changed(path, bytes);
      if (path === LOCKFILE && bytes !== undefined) besetRecord(world);
    },
    onRead: judge.looked,
    onRoot: (simProcess) => outside.rooted.add(simProcess),
  };
  server.alike = createRng(seed, 'alike').chance(0.3);
  const oddNumber = trouble.rng.pick(ODD_NUMBERS);
  // Some services never give a plausible number. Drawn apart, so that all other draws stay as they are.
  const always = createRng(seed, 'odd numbers').chance(0.05) ? '1e-10' : undefined;
  server.oddNumber = () => (trouble.rng.chance(trouble.rates.oddNumbers) ? oddNumber : always);
  server.extraMs = () =>
    trouble.rng.chance(trouble.rates.longJob / 2) ? trouble.rng.between(2 * LONG_MS_MIN, 4 * LONG_MS_MIN) : 0;
  for (const directory of [HOME, PROJECT, RESCUE, ELSEWHERE]) disk.makeDirectory(directory);
  const world: SimWorld = {
    options,
    scenario,
    rng,
    timeline,
    disk,
    diskWorld,
    server,
    network: {
      timeline,
      rng: stream('network'),
      server,
      rates: scenario.network,
      unframed: scenario.unframed,
      replays: () => replayed(world),
      cutsSilently: () => trouble.rng.chance(trouble.rates.silentCut),
    },
    album,
    judge,
    budgetMicroUsd:
      scenario.budgetShare === undefined ? undefined : Math.round(listMicroUsd * scenario.budgetShare),
    machines: drawMachines(stream('machines')),
    beacons: new Map(),
    running: new Set(),
    allowances,
    waived,
    accepted,
    trouble,
    outside,
    movedFolder,
    verdicts: new Map(),
    oldLockfiles: [],
    damaged: false,
    tampered: false,
    lowPriceApproved: false,
    trace,
    seed,
    runs: 0,
    crashes: 0,
  };
  options.tampering?.world?.(world);
  return world;
}

/** Whether the lockfile is one that `run` refuses. */
export function needsRepair(world: SimWorld): boolean {
  const { headers, badLines } = world.judge.seen();
  return headers > 1 || badLines > 0 || isWorn(world);
}

/**
 * - `one`: one album folder, and what happens to it
 * - `machines`: machines with folders of their own, and a shared log
 * - `losses`: the same, with a single fault: the machine of a run is lost for good at a random point
 */
export type Family = 'one' | 'machines' | 'losses';

export interface SimResult {
  readonly seed: number;
  readonly violations: readonly Violation[];
  readonly runs: number;
  readonly crashes: number;
  readonly charges: number;
  readonly events: number;
}

/** The id of a job that the lockfile knows, as any other could be the new one's. */
function replayed({ trouble, judge }: SimWorld): string | undefined {
  if (!trouble.rng.chance(trouble.rates.replayed)) return undefined;
  const known = [...judge.seen().attempts.values()].flatMap(({ queueIds }) => [...queueIds]);
  return known.length === 0 ? undefined : trouble.rng.pick(known);
}

/**
 * Whether journals and the copy of the last clean end have restored the lockfile that was lost: the run goes on from
 * there. A new one has another lineage in its header.
 */
export function isRestored(world: SimWorld): boolean {
  const now = world.disk.entries.get(LOCKFILE);
  if (!world.lost || world.backup === undefined || now === undefined || now === 'directory') return false;
  const header = (text: Uint8Array) => text.subarray(0, text.indexOf(0x0a));
  return Buffer.compare(header(now.bytes), header(world.backup)) === 0;
}
