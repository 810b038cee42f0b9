import type { TransportRequest } from '../../src/core/ports.js';
import type { Attempt } from '../../src/lockfile/attempt.js';
import {
  judgeCharges,
  judgeCleanUp,
  judgeCoverage,
  judgeFiles,
  judgeHistory,
  judgePoll,
  judgePrice,
  judgeReceived,
  judgeSubmit,
  judgeSum,
  judgeSurrender,
  remember,
  spentUnder,
} from './checks.js';
import type { Disk } from './disk.js';
import type { LockReader, LockView } from './lock-view.js';
import { createLockReader } from './lock-view.js';
import type { Outside } from './outside.js';
import type { Server } from './server.js';

/** The promise, as checks: what may never be seen in any world, whatever fails. */
export const CHECKS = {
  a: 'each wanted take is charged at most once, and once more for each time a person asked for it',
  b: 'every charge is a queue_id in the lockfile, or an attempt in doubt',
  c: 'when the remote copy is deleted, the local one is verified, recorded and durable',
  d: 'a file that the lockfile calls stored is there, with the bytes that were served',
  e: 'charged, reserved and in doubt never pass the approved total or the budget',
  f: 'states go forward, and a queue_id never disappears',
  g: 'with a lockfile that cannot be read whole, nothing is bought',
  h: 'no submit leaves before its intent is durable, and no poll before its queue_id is',
  i: 'the API key is in no byte written or told',
  j: 'nothing is written outside the output folder, the lockfile and the rescue folders, nor over a file of the user',
  t: 'nothing outside of them is looked into',
  k: 'a run of a finished manifest asks the service for nothing that is paid for',
  l: 'once faults stop, every attempt that is not in doubt ends, and what is wanted is made',
  m: 'nothing is given up as lost or failed while the service still has it',
  n: 'one run at a time spends',
  u: 'a price is freed as refunded only where the service gave the charge back',
  q: 'a queue_id that arrived is in the lockfile, in a rescue file or on the screen when the run ends',
  r: 'a submit rests on a price that was asked for not long before',
  o: 'a run ends with a report or a told error, in bounded time',
  p: 'nothing is bought that no approval named',
  v: 'unattended, nothing is bought at a price far under the declared one',
  w: 'a job is given up as running on and on only after hours in which it did',
  x: 'after three lost answers in a row nothing is bought until a person settles one',
  y: 'what a run tells that it spent is what the lockfile says',
  A: 'nothing is submitted once the run was told to stop',
  s: 'a take with an attempt in doubt is not bought again',
  P: 'nothing is sent in the pause that an answer of 429 asks for',
  Q: 'a run stays far from the error budget: at most 20 answers of 4xx in 30 s',
  R: 'a request limit that is not told costs a few answers of 429 once, and none in the next run',
  S: 'where nothing fails, a run takes little longer than the request limits make it take',
  z: 'a seed plays the same way each time',
  // Of several machines that share a log:
  B: 'the shared log has no gap, and no entry is changed',
  C: 'a record that was acknowledged is in exactly one entry',
  D: 'a take has one live intent at most, in the order of the log',
  E: 'an intent gets into the log only within the budget',
  F: 'an intent is settled by the run that made it, by its machine once that run is over, or by a person',
  G: 'nothing is bought through a store that lets two writers win, nor by a log that lacks entries',
  H: 'the remote copy is deleted only when the audio is in the audio store and the log names it',
  J: 'an entry whose answer was lost is put again, the same bytes into the same slot, before anything else is put',
  I: 'a machine that begins with an empty folder ends with every file',
} as const;

export type Check = keyof typeof CHECKS;

export interface Violation {
  readonly check: Check;
  readonly message: string;
}

/** One run under way, as the judge sees it. */
export interface Witness {
  readonly name: string;
  readonly budgetMicroUsd: number | undefined;
  /** Prompts that the approved plan buys, each as often as it buys it. */
  readonly approved: string[];
  /** What was approved for each of them, micro-dollars. */
  readonly approvedPrices: Map<string, number>;
  /** Told to stop. */
  stopped: boolean;
  /** Ids that the lockfile had as it took the lock. */
  attemptsBefore: ReadonlySet<string>;
  /** A record could not be written to the lockfile. */
  recordsLost: boolean;
  /** A run, and no other command. */
  readonly buys: boolean;
  /** Of these, those at a price far under the declared one that no person has seen. */
  readonly unseenLow: Set<string>;
  /** What may be spent under the lockfile in all, by this run's approval. */
  approvedUpToMicroUsd: number;
  /** Ids of jobs whose acceptance arrived whole. */
  readonly received: string[];
  /** What a person was told in notices. */
  notices: string;
  /** When each price was told, by what was asked. */
  readonly quotedMs: Map<string, number>;
  /** Ended, or dead. */
  over: boolean;
}

export function newWitness(name: string, budgetMicroUsd: number | undefined, buys: boolean): Witness {
  return {
    name,
    budgetMicroUsd,
    approved: [],
    approvedPrices: new Map(),
    stopped: false,
    attemptsBefore: new Set(),
    recordsLost: false,
    buys,
    unseenLow: new Set(),
    approvedUpToMicroUsd: 0,
    received: [],
    notices: '',
    quotedMs: new Map(),
    over: false,
  };
}

export interface JudgeWorld {
  readonly disk: Disk;
  readonly server: Server;
  readonly lockfilePath: string;
  /** Whether the clocks of all runs are the service's. */
  readonly clocksAgree: boolean;
  readonly outputRoot: string;
  /** Paths below these may be written. */
  readonly writable: readonly string[];
  readonly secrets: readonly string[];
  /** Whether the checks of the audio find any damage. */
  readonly thorough: boolean;
  /** Whether what is charged may be more than what was quoted. */
  readonly pricesMove: () => boolean;
  readonly nowMs: () => number;
  /** Digest of the request that this prompt belongs to. */
  readonly digestOf: (prompt: string) => string | undefined;
  /** How often this prompt may be charged. */
  readonly allowed: (prompt: string) => number;
  /** The lockfile was merged or damaged, and nobody has begun to mend it. */
  readonly damaged: () => boolean;
  /** Others damaged the lockfile, and whether a run takes it for whole is not known yet. */
  readonly uncertain: () => boolean;
  readonly outside: Pick<Outside, 'foreignJobs' | 'ownFiles'>;
  /** Where finished audio is kept beyond this machine: whether it has the file of an attempt. Absent: the disk has to have it. */
  readonly outcome?: (attempt: Attempt) => boolean;
  /** Durable texts that hold records beside the lockfile; none while nobody else touched it. */
  readonly journals: () => readonly Uint8Array[];
  /** A file that a person deleted, or a job whose fate a person settled. */
  readonly waived: ReadonlySet<string>;
  /** Attempts that a person accepted, each with the hash of the bytes that were kept of it. */
  readonly accepted: ReadonlyMap<string, string>;
}

export interface Judge {
  readonly violations: readonly Violation[];
  blame(check: Check, message: string): void;
  changed(path: string, bytes?: Uint8Array): void;
  looked(path: string): void;
  reported(text: string): void;
  sent(witness: Witness, request: TransportRequest): void;
  /** As a run tells what it spent, micro-dollars. */
  summed(witness: Witness, spentMicroUsd: number): void;
  handled(): void;
  /** As a run ends by itself. */
  ended(witness: Witness): void;
  /** At rest: after a crash, at the end of a run, at the end of all. */
  look(): void;
  /** The lockfile as a process or a person sees it now. */
  seen(): LockView;
  /** All that counts as spent by what the next run would know, micro-dollars: also while the lockfile is taken away. */
  spentMicroUsd(): number;
}

export function createJudge(world: JudgeWorld): Judge {
  const violations: Violation[] = [];
  const readers: LockReader[] = [];
  const seenReader = createLockReader();
  const secrets = world.secrets.map((secret) => Buffer.from(secret));
  const spenders = new Set<Witness>();
  const known = new Map<string, Attempt>();
  const knownIds = new Set<string>();
  /** Intents that were durable as a submit for their request left. */
  const armed = new Set<string>();
  let jobsSeen = 0;

  const blame = (check: Check, message: string) => {
    violations.push({ check, message });
  };
  /** The durable lockfile: while it is being replaced, either of two. */
  const possible = () =>
    world.disk.possible(world.lockfilePath).map((bytes, at) => {
      readers[at] ??= createLockReader();
      return readers[at].read(bytes);
    });
  /** What the next run would know. */
  const knowable = () => {
    const journals = world.journals();
    if (journals.length === 0) return possible();
    return world.disk
      .possible(world.lockfilePath)
      .map((bytes) => createLockReader().read(Buffer.concat([bytes ?? new Uint8Array(0), ...journals])));
  };

  const isAllowed = (path: string) =>
    world.writable.some((allowed) => path === allowed || path.startsWith(allowed));

  return {
    violations,
    blame,
    seen: () => {
      const entry = world.disk.entries.get(world.lockfilePath);
      return seenReader.read(entry === 'directory' ? undefined : entry?.bytes);
    },
    spentMicroUsd: () => Math.max(0, ...knowable().map(spentUnder)),
    looked: (path) => {
      if (!isAllowed(path)) blame('t', `reads ${path}`);
    },
    changed: (path, bytes) => {
      if (!isAllowed(path)) blame('j', `writes ${path}`);
      if (world.outside.ownFiles.has(path)) blame('j', `changes ${path}, a file of the user's own`);
      if (
        bytes !== undefined &&
        secrets.some((secret) => Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).includes(secret))
      )
        blame('i', `the key in ${path}`);
    },
    reported: (text) => {
      if (world.secrets.some((secret) => text.includes(secret)))
        blame('i', `the key is told: ${text.slice(0, 200)}`);
    },
    sent: (witness, request) => {
      const body = request.body === undefined ? {} : (JSON.parse(request.body) as Record<string, unknown>);
      if (request.path === '/audio/queue') judgePrice(world, blame, witness, body);
      for (const view of request.path === '/audio/queue' ? possible() : knowable()) {
        if (request.path === '/audio/queue')
          judgeSubmit(world, blame, { witness, spenders, armed }, String(body.prompt), view);
        else if (request.path === '/audio/retrieve' && witness.buys) judgePoll(world, blame, body, view);
        else if (request.path === '/audio/complete') judgeCleanUp(world, blame, String(body.queue_id), view);
      }
    },
    summed: (witness, spentMicroUsd) => {
      if (world.damaged() || world.uncertain() || witness.recordsLost) return;
      const views = possible();
      if (views.length === 1) judgeSum(blame, witness, views[0]!, spentMicroUsd);
    },
    handled: () => {
      if (world.server.jobs.size === jobsSeen) return;
      jobsSeen = world.server.jobs.size;
      judgeCharges(world, blame);
    },
    ended: (witness) => judgeReceived(world, blame, witness),
    look: () => {
      if (world.damaged() || world.uncertain()) return;
      const views = knowable();
      for (const seen of views) {
        judgeHistory(world, blame, seen, known, knownIds, armed);
        if (views.length === 1) remember(seen, known, knownIds);
        judgeCoverage(world, blame, seen);
        judgeFiles(world, blame, seen);
        judgeSurrender(world, blame, seen);
      }
    },
  };
}
