import type { TransportRequest } from '../../src/core/ports.js';
import type { Attempt } from '../../src/lockfile/attempt.js';
import {
  forgetUnsynced,
  judgeCharges,
  judgeCleanUp,
  judgeCoverage,
  judgeFiles,
  judgeFinalStates,
  judgeHistory,
  judgePoll,
  judgePrice,
  judgeReceived,
  judgeSubmit,
  judgeSum,
  remember,
  spentUnder,
} from './checks.js';
import type { Disk } from './disk.js';
import type { LockReader, LockView } from './lock-view.js';
import { createLockReader } from './lock-view.js';
import type { Outside } from './outside.js';
import type { Server } from './server.js';

/** The promise as checks: what must never be seen in any world, whatever fails. */
export const CHECKS = {
  a: 'each wanted take is charged at most once, plus once for each time the user asked to buy it again',
  b: 'every charge is a queue_id in the lockfile, or an attempt in doubt',
  c: 'the remote copy is deleted only once the local one is verified, recorded and durable',
  d: 'a file that the lockfile records as stored exists, with the bytes that were served',
  e: 'charges, reservations and attempts in doubt together never exceed the approved total or the budget',
  f: 'states only move forward, and a queue_id never disappears',
  g: 'nothing is bought while the lockfile cannot be read in full',
  h: 'no submit is sent before its intent is durable, and no poll before its queue_id is',
  i: 'the API key is never written or printed',
  j: "nothing is written outside the output folder, the lockfile and the rescue folders, nor over the user's own files",
  t: 'nothing outside of them is read',
  k: 'a run of a finished manifest sends no paid request',
  l: 'once faults stop, every attempt that is not in doubt ends, and every wanted take is made',
  m: 'nothing is recorded as lost or failed while the service still has it',
  n: 'only one run at a time spends money',
  u: 'a price counts as refunded only if the service refunded the charge',
  q: 'a queue_id that arrived is in the lockfile, in a rescue file or on the screen when the run ends',
  r: 'a submit relies on a price that was quoted recently',
  o: 'a run ends with a report or an error message, in bounded time',
  p: 'nothing is bought that was not approved',
  v: 'nothing is bought unattended at a price far below the declared one',
  w: 'a job is given up on as endless only after hours of running',
  x: 'after three lost answers in a row nothing is bought until the user settles one',
  y: 'the amount that a run reports as spent is the one in the lockfile',
  A: 'nothing is submitted once the run was asked to stop',
  s: 'a take with an attempt in doubt is not bought again',
  P: 'nothing is sent during the pause that a 429 asks for',
  Q: 'a run stays far from the error limit: at most 20 answers of 4xx in 30 s',
  R: 'an unstated request limit costs a few 429s once, and none in the next run',
  S: 'if nothing fails, a run takes little longer than the request limits require',
  z: 'a seed plays the same way each time',
  // For several machines that share a log:
  B: 'the shared log has no gap, and no entry is changed',
  C: 'a record that was acknowledged is in exactly one entry',
  D: 'a take has at most one live intent, in the order of the log',
  E: 'an intent is logged only within the budget',
  F: 'an intent is settled only by the run that made it, by its machine once that run is over, or by the user',
  G: 'nothing is bought through a store that lets two writers win, or with entries missing from the log',
  H: 'the remote copy is deleted only when the audio is in the audio store and the log names it',
  J: 'after a lost response the same bytes are put into the same slot before anything else is put',
  I: 'a machine that starts in an empty folder ends with every file',
  K: 'a late doubt does not overrule what the user said of an attempt',
  L: 'nothing stays given up while a machine that has run since has its audio',
} as const;

export type Check = keyof typeof CHECKS;

export interface Violation {
  readonly check: Check;
  readonly message: string;
}

/** One active run, as the judge sees it. */
export interface Witness {
  readonly name: string;
  readonly budgetMicroUsd: number | undefined;
  /** Prompts that the approved plan buys, one for each purchase. */
  readonly approved: string[];
  /** The approved price of each, micro-dollars. */
  readonly approvedPrices: Map<string, number>;
  /** Asked to stop. */
  stopped: boolean;
  /** The ids in the lockfile when the run took the lock. */
  attemptsBefore: ReadonlySet<string>;
  /** A record could not be written to the lockfile. */
  recordsLost: boolean;
  /** Finished attempts that the user asked to make again, as their lockfile had them when the run planned. */
  readonly forcedOver: Set<string>;
  /** A run, not another command. */
  readonly buys: boolean;
  /** Of these, those at a price far below the declared one that the user has not seen. */
  readonly unseenLow: Set<string>;
  /** The total that this run's approval allows for the lockfile. */
  approvedUpToMicroUsd: number;
  /** Ids of jobs whose acceptance arrived in full. */
  readonly received: string[];
  /** What the user was told in notices. */
  notices: string;
  /** When each price was quoted, by request. */
  readonly quotedMs: Map<string, number>;
  /** Ended or dead. */
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
    forcedOver: new Set(),
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
  /** Whether the clocks of all runs agree with the service's. */
  readonly clocksAgree: boolean;
  readonly outputRoot: string;
  /** Paths below these may be written. */
  readonly writable: readonly string[];
  readonly secrets: readonly string[];
  /** Whether the container checks notice any damage. */
  readonly thorough: boolean;
  /** Whether charges may exceed quotes. */
  readonly pricesMove: () => boolean;
  readonly nowMs: () => number;
  /** Digest of the request that has this prompt. */
  readonly digestOf: (prompt: string) => string | undefined;
  /** How often this prompt may be charged. */
  readonly allowed: (prompt: string) => number;
  /** The lockfile was merged or damaged, and repair has not begun. */
  readonly damaged: () => boolean;
  /** Whether a job that only damaged lines named is still in doubt. */
  readonly covered?: (queueId: string, view: LockView) => boolean;
  /** The lockfile was damaged, and no run has yet accepted or refused it. */
  readonly uncertain: () => boolean;
  readonly outside: Pick<Outside, 'foreignJobs' | 'ownFiles'>;
  /** Whether finished audio of an attempt is kept beyond this machine. Absent: it has to be on disk. */
  readonly outcome?: (attempt: Attempt) => boolean;
  /** Durable texts that hold records beside the lockfile; none unless the lockfile was changed from outside. */
  readonly journals: () => readonly Uint8Array[];
  /** A file that the user deleted, or a job that the user settled. */
  readonly waived: ReadonlySet<string>;
  /** Accepted attempts, each with the hash of the bytes that were kept. */
  readonly accepted: ReadonlyMap<string, string>;
}

export interface Judge {
  readonly violations: readonly Violation[];
  blame(check: Check, message: string): void;
  changed(path: string, bytes?: Uint8Array): void;
  looked(path: string): void;
  reported(text: string): void;
  sent(witness: Witness, request: TransportRequest): void;
  /** Called when a run reports what it spent, micro-dollars. */
  summed(witness: Witness, spentMicroUsd: number): void;
  handled(): void;
  /** Called when a run ends by itself. */
  ended(witness: Witness): void;
  /** Called when records are lost for good: this is what is left. Absent: a shared log keeps all. */
  forget?(view: LockView): void;
  /** Called when idle: after a crash, at the end of a run, and at the very end. */
  look(): void;
  /** The lockfile as a process or the user sees it now. */
  seen(): LockView;
  /** All that the next run would count as spent, micro-dollars, even while the lockfile is missing. */
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
  /** Intents that were durable when a submit for their request was sent. */
  const armed = new Set<string>();
  let jobsSeen = 0;

  const blame = (check: Check, message: string) => {
    violations.push({ check, message });
  };
  /** The durable lockfile; either of two while it is being replaced. */
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

  /** What a run has surely recorded: a lockfile put back by others may hold records that are still being synced. */
  const recorded = (seen: LockView) => {
    const journals = world.journals();
    return journals.length === 0 ? seen : createLockReader().read(Buffer.concat(journals));
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
        blame('i', `the key is in ${path}`);
    },
    reported: (text) => {
      if (world.secrets.some((secret) => text.includes(secret)))
        blame('i', `the key is printed: ${text.slice(0, 200)}`);
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
      // A frozen run takes no lock, so others may buy while it is running.
      if (!witness.buys && spentMicroUsd === 0) return;
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
    forget: (view) => {
      known.clear();
      knownIds.clear();
      remember(view, known, knownIds);
    },
    look: () => {
      if (world.damaged() || world.uncertain()) return;
      const views = knowable();
      const journals = world.journals();
      if (journals.length > 0)
        forgetUnsynced(createLockReader().read(Buffer.concat(journals)), known, knownIds);
      for (const seen of views) {
        judgeHistory(world, blame, seen, known, knownIds, armed);
        if (views.length === 1) remember(recorded(seen), known, knownIds);
        judgeCoverage(world, blame, seen);
        judgeFiles(world, blame, seen);
        judgeFinalStates(world, blame, seen);
      }
    },
  };
}
