import type { State } from '../../../src/app/shared-state.js';
import type { Ports } from '../../../src/core/ports.js';
import { familyOf } from '../../../src/lockfile/fold-attempts.js';
import { attemptLine } from '../../../src/lockfile/line.js';
import type { ObjectStore } from '../../../src/shared-log/object-store.js';
import { openSharedLog } from '../../../src/shared-log/open-log.js';
import { createS3Audio } from '../../../src/shared-log/s3-audio.js';
import { createS3Store } from '../../../src/shared-log/s3-store.js';
import type { SharedLog } from '../../../src/shared-log/shared-log.js';
import { type Album, drawAlbum } from '../album.js';
import { createDisk } from '../disk.js';
import { leave } from '../incarnation.js';
import type { Witness } from '../judge.js';
import type { Machine } from '../machine.js';
import type { NetworkWorld } from '../network.js';
import { createOutside } from '../outside.js';
import { HOME, KEYS, LOCKFILE, PROJECT, RESCUE } from '../places.js';
import { createRng, type Rng } from '../random.js';
import { calmRates, drawScenario, type Scenario } from '../scenario.js';
import { createServer, type Server } from '../server.js';
import type { DiskWorld } from '../sim-files.js';
import { createTimeline, type Timeline } from '../timeline.js';
import { besetRecord, createTrouble, noTrouble, type TroubleRates } from '../trouble.js';
import type { Incarnation, SharedPlace, SimOptions, SimWorld } from '../world.js';
import { EVENTS_MAX, START_MS } from '../world.js';
import { type Bucket, type BucketKind, createBucket } from './bucket.js';
import { type BucketLine, createBucketClient, drawBucketRates, noBucketFaults } from './bucket-client.js';
import { createFleetJudge, type FleetJudge } from './fleet-judge.js';
import {
  createRefusals,
  drawHardships,
  type Hardships,
  KEPT_MS,
  LOST_SUBMITS,
  NO_HARDSHIPS,
  withHardships,
} from './hardships.js';

const ADDRESS = 's3://bucket/album';

/** Several machines, each with its own disk, and what they share: the service, the bucket, the manifest. */
export interface Fleet {
  readonly seed: number;
  readonly options: SimOptions;
  readonly rng: Rng;
  readonly scenario: Scenario;
  readonly draw: FleetDraw;
  readonly timeline: Timeline;
  readonly album: Album;
  readonly server: Server;
  readonly network: NetworkWorld;
  readonly bucket: Bucket;
  readonly line: BucketLine;
  readonly judge: FleetJudge;
  readonly budgetMicroUsd: number | undefined;
  readonly troubles: TroubleRates;
  readonly hardships: Hardships;
  readonly trace: (line: string) => void;
  /** What each process has read or written of the log. */
  readonly known: Map<Witness, Set<string>>;
  /** The keys of the newest list that each process got. */
  readonly listed: Map<Witness, readonly string[]>;
  /** Entries of the log that others delete, and when. */
  deleted: Deleted | undefined;
  tamperedMs: number | undefined;
  /** The current machines. A lost one is replaced by another with an empty disk. */
  readonly machines: SimWorld[];
  runs: number;
  crashes: number;
  machinesMade: number;
  lowPriceApproved: boolean;
  readonly allowances: SimWorld['allowances'];
  readonly waived: Set<string>;
  readonly verdicts: SimWorld['verdicts'];
}

export interface Deleted {
  readonly entries: ReadonlyMap<string, Uint8Array>;
  /** Only the lockfiles of the current machines know that there were more, so none of them is lost until they are restored. */
  readonly newest: boolean;
}

export interface FleetDraw {
  readonly machines: number;
  readonly kind: BucketKind;
  /** Whether audio is kept in the bucket. Otherwise it stays on the machine that fetched it, as with a log in git. */
  readonly keepsAudio: boolean;
  /** Chance that a machine whose run is killed is lost for good. */
  readonly lossShare: number;
  /** Chance, between two rounds, that others delete entries. */
  readonly deletes: number;
  readonly skewed: boolean;
  /** Chance that a run is for one track only, so that others spend money it does not know of. */
  readonly onlyShare: number;
}

function drawFleet(rng: Rng): FleetDraw {
  return {
    machines: rng.pick([2, 2, 2, 3, 3, 4]),
    kind: rng.chance(0.08) ? rng.pick(['careless', 'racing'] as const) : 'strict',
    keepsAudio: rng.chance(0.85),
    lossShare: rng.pick([0.3, 0.7, 1]),
    deletes: rng.chance(0.1) ? 0.5 : 0,
    skewed: rng.chance(0.5),
    onlyShare: rng.pick([0, 0, 0.5, 0.9]),
  };
}

/** Half of what can happen to one machine, as the other half of these worlds is what happens between machines. */
function drawFleetScenario(seed: number): Scenario {
  const rng = createRng(seed, 'scenario');
  const drawn = drawScenario(rng, createRng(seed, 'prices'), createRng(seed, 'ways'));
  const calm = rng.chance(0.5);
  return {
    ...drawn,
    disk: rng.chance(0.6) ? calmRates(drawn.disk) : drawn.disk,
    network: calm ? calmRates(drawn.network) : drawn.network,
    server: rng.chance(0.5) ? calmRates(drawn.server) : drawn.server,
    // Runs for one track each: together they want more than this.
    budgetShare: rng.chance(0.25) ? 0.3 : drawn.budgetShare,
    systems: { claims: true, beacons: true, containers: false, second: false },
  };
}

const TROUBLES = ['sleep', 'sleepAtRecord', 'stopAtRecord', 'longJob'] as const;

/** @param chosen Overrides what the seed draws. */
export function createFleet(seed: number, options: SimOptions, chosen?: FleetDraw): Fleet {
  const stream = (name: string) => createRng(seed, `fleet ${name}`);
  const rng = stream('fleet');
  const drawn = drawFleet(rng);
  const draw = chosen ?? drawn;
  const hardships = chosen === undefined ? drawHardships(seed) : NO_HARDSHIPS;
  const scenario = withHardships(drawFleetScenario(seed), hardships);
  const startMs = START_MS + rng.between(0, 86_400_000);
  const timeline = createTimeline(startMs, 2 * EVENTS_MAX);
  const album = drawAlbum(rng);
  // Takes of one request: the user cannot tell whose a job is.
  if (hardships.outdated !== undefined) for (const track of album.tracks) track.takes = 2;
  const listMicroUsd = album.tracks.reduce((sum, track) => sum + track.takes * 50_000, 0);
  const balance = Math.round(listMicroUsd * scenario.balanceShare);
  const waysRng = stream('ways');
  const server = createServer(
    stream('server'),
    stream('prices'),
    scenario.server,
    new Map(KEYS.map((key) => [key, balance])),
    { rng: waysRng, today: scenario.today },
  );
  if (hardships.forgets !== undefined) server.keepsMs = KEPT_MS;
  const troubles = createTrouble(seed).rates;
  const longRng = stream('long');
  server.extraMs = () => (longRng.chance(troubles.longJob / 4) ? longRng.between(600_000, 7_200_000) : 0);
  const bucket = createBucket({
    kind: draw.kind,
    timeline,
    rng: stream('bucket'),
    onPut: (put) => {
      fleet.trace(`bucket ${put.key} by ${put.by.name}`);
      fleet.judge.wrote(put);
    },
  });
  const lineRng = stream('line');
  const parts: Parts = {
    album,
    server,
    timeline,
    scenario,
    draw,
    allowances: new Map(),
    waived: new Set(),
    budgetMicroUsd:
      scenario.budgetShare === undefined ? undefined : Math.round(listMicroUsd * scenario.budgetShare),
  };
  const fleet: Fleet = {
    ...parts,
    seed,
    options,
    rng,
    network: {
      timeline,
      rng: stream('network'),
      server,
      rates: scenario.network,
      unframed: scenario.unframed,
      submitRates: hardships.outdated === undefined ? undefined : LOST_SUBMITS,
    },
    bucket,
    line: {
      blame: (message) => {
        if (draw.kind === 'strict') fleet.judge.blame('J', message);
      },
      knows: ({ witness }, key) => {
        const known = fleet.known.get(witness) ?? new Set();
        fleet.known.set(witness, known.add(key));
        // A checkpoint has the content of all entries before it.
        const listed = fleet.listed.get(witness) ?? [];
        if (key.endsWith('.checkpoint')) for (const entry of listed) if (entry < key) known.add(entry);
      },
      lists: ({ witness }, keys) => {
        fleet.listed.set(witness, keys);
        // It has begun to read the log, also if that was empty.
        if (!fleet.known.has(witness)) fleet.known.set(witness, new Set());
      },
      listed: () => {},
      bucket,
      timeline,
      rng: lineRng,
      refuses: createRefusals(seed, hardships),
      rates: hardships.refusals === undefined ? drawBucketRates(lineRng) : noBucketFaults(),
      outageUntilMs: 0,
      deniedUntilMs: 0,
    },
    judge: judgeOf(parts, () => fleet),
    troubles: { ...noTrouble(), ...Object.fromEntries(TROUBLES.map((name) => [name, troubles[name]])) },
    hardships,
    trace:
      options.trace === undefined
        ? () => {}
        : (line) => options.trace?.(`${Math.round(timeline.nowMs() - startMs)} ${line}`),
    known: new Map(),
    listed: new Map(),
    deleted: undefined,
    tamperedMs: undefined,
    machines: [],
    runs: 0,
    crashes: 0,
    machinesMade: 0,
    lowPriceApproved: false,
    verdicts: new Map(),
  };
  for (let count = 0; count < draw.machines; count++) fleet.machines.push(createMachine(fleet));
  return fleet;
}

type Parts = Pick<
  Fleet,
  'album' | 'server' | 'timeline' | 'scenario' | 'draw' | 'allowances' | 'waived' | 'budgetMicroUsd'
>;

function judgeOf(parts: Parts, fleet: () => Fleet): FleetJudge {
  const { album, server, timeline, scenario, draw, allowances, waived, budgetMicroUsd } = parts;
  return createFleetJudge({
    server,
    lockfilePath: LOCKFILE,
    clocksAgree: false,
    outputRoot: HOME,
    writable: [PROJECT, HOME, RESCUE],
    outside: createOutside(0),
    secrets: KEYS,
    thorough: scenario.thorough,
    pricesMove: () => scenario.server.priceChange > 0 || fleet().lowPriceApproved,
    nowMs: timeline.nowMs,
    digestOf: (prompt) => album.digests.get(prompt),
    allowed: (prompt) => {
      const { wanted, extra } = allowances.get(prompt) ?? { wanted: 0, extra: 0 };
      return wanted + extra + givenTwo(fleet(), prompt);
    },
    damaged: () => false,
    uncertain: () => false,
    journals: () => [],
    waived,
    accepted: new Map(),
    bucket: () => fleet().bucket,
    keepsAudio: draw.keepsAudio,
    budgetMicroUsd,
    tamperedMs: () => fleet().tamperedMs,
    settledByUser: (attempt) => fleet().verdicts.has(attempt),
    lacksEntries: (witness) => {
      const { known, deleted } = fleet();
      return [...(deleted?.entries.keys() ?? [])].some((key) => known.get(witness)?.has(key) !== true);
    },
  });
}

/**
 * Attempts that got a second job because the user named one while another machine had theirs: the attempt that the named
 * job was made by is then bought again.
 */
function givenTwo({ judge, verdicts, album }: Fleet, prompt: string): number {
  const jobs = new Map<string, Set<string>>();
  for (const { latest, queueIds } of judge.logReader.view.attempts.values()) {
    if (latest.digest !== album.digests.get(prompt)) continue;
    const family = familyOf(latest);
    jobs.set(family, new Set([...(jobs.get(family) ?? []), ...queueIds]));
  }
  const named = new Set(
    [...verdicts].flatMap(([attempt, { kind }]) => (kind === 'queue_id' ? [familyOf({ attempt })] : [])),
  );
  return [...jobs].filter(([family, ids]) => ids.size > 1 && named.has(family)).length;
}

/** A machine with an empty disk. */
export function createMachine(fleet: Fleet): SimWorld {
  fleet.machinesMade += 1;
  const name = `machine ${fleet.machinesMade}`;
  const { seed, timeline, scenario, draw, judge } = fleet;
  const rng = createRng(seed, name);
  const machine: Machine = {
    name,
    hostname: rng.chance(0.7) ? 'runner' : name,
    machineId: `id of ${name}`,
    skewMs: draw.skewed ? rng.between(-7_200_000, 7_200_000) : 0,
    processes: new Map(),
    claims: new Map(),
    boots: 1,
  };
  const disk = createDisk(createRng(seed, `${name} disk`));
  const diskWorld: DiskWorld = {
    disk,
    rng: createRng(seed, `${name} files`),
    movedFolder: {},
    nowMs: timeline.nowMs,
    rates: scenario.disk,
    fullUntilMs: new Map(),
    readOnlyUntilMs: new Map(),
    onChange: (path, bytes) => {
      fleet.trace(`${name} ${path} ${bytes?.length ?? ''}`);
      world.judge.changed(path, bytes);
      if (path === LOCKFILE && bytes !== undefined) besetRecord(world);
    },
    onRead: (path) => world.judge.looked(path),
    onRoot: () => {},
  };
  for (const directory of [HOME, PROJECT, RESCUE]) disk.makeDirectory(directory);
  const outside = createOutside(seed);
  outside.rates = calmRates(outside.rates);
  const world: SimWorld = {
    ...fleet,
    disk,
    diskWorld,
    judge: judge.ofMachine(disk),
    machines: [machine, machine],
    beacons: new Map(),
    running: new Set(),
    trouble: { rng: createRng(seed, `${name} trouble`), rates: fleet.troubles },
    outside,
    movedFolder: diskWorld.movedFolder,
    accepted: new Map(),
    oldLockfiles: [],
    damaged: false,
    tampered: false,
    shared: placeOf(fleet, () => {
      if (fleet.deleted?.newest !== true && rng.chance(draw.lossShare)) lose(fleet, world);
    }),
    get lowPriceApproved() {
      return fleet.lowPriceApproved;
    },
    set lowPriceApproved(value) {
      fleet.lowPriceApproved = value;
    },
    get runs() {
      return fleet.runs;
    },
    set runs(value) {
      fleet.runs = value;
    },
    get crashes() {
      return fleet.crashes;
    },
    set crashes(value) {
      fleet.crashes = value;
    },
  };
  return world;
}

/** The machine is gone for good, with its disk and all that runs on it. Another takes its place. */
export function lose(fleet: Fleet, machine: SimWorld): void {
  const at = fleet.machines.indexOf(machine);
  if (at < 0) return;
  fleet.trace(`${machine.machines[0].name} is lost`);
  for (const incarnation of [...machine.running]) leave(machine, incarnation);
  fleet.machines[at] = createMachine(fleet);
}

function placeOf(fleet: Fleet, crashed: () => void): SharedPlace {
  const { judge } = fleet;
  return {
    address: ADDRESS,
    openState: (incarnation, ports) => async () => stateOf(fleet, incarnation, ports),
    mayResolve: (attempt) => judge.logReader.makerOf(attempt)?.over !== false,
    crashed,
  };
}

function stateOf(fleet: Fleet, incarnation: Incarnation, { files, clock, random }: Ports): State {
  const client = createBucketClient(fleet.line, incarnation);
  const place = { address: ADDRESS, prefix: '', close: async () => {} };
  const store: ObjectStore = createS3Store(client, place);
  const audio = fleet.draw.keepsAudio ? createS3Audio(client, files, { clock, random }, place) : undefined;
  return {
    address: ADDRESS,
    openLog: async (options) => witnessed(fleet, incarnation, await openSharedLog({ ...options, store })),
    ...(audio === undefined ? {} : { audio }),
  };
}

/** The log, watched by the judge. */
function witnessed({ judge }: Fleet, { name }: Incarnation, log: SharedLog): SharedLog {
  return Object.create(log, {
    append: {
      value: async (...[attempt, limits]: Parameters<SharedLog['append']>) => {
        const answer = await log.append(attempt, limits);
        if (answer === 'recorded') judge.acknowledged(name, attemptLine(attempt));
        return answer;
      },
    },
  }) as SharedLog;
}
