import type { Attempt } from '../../src/lock/attempt.js';
import { countsAsSpent } from '../../src/lock/attempt.js';
import type { TransportRequest } from '../../src/ports.js';
import type { Disk } from './disk.js';
import type { LockReader, LockView } from './lock-view.js';
import { createLockReader } from './lock-view.js';
import { sha256 } from './media.js';
import type { Server, ServerJob } from './server.js';

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
  j: 'nothing is written outside the output folder, the lockfile and the rescue folders',
  k: 'a run of a finished manifest asks the service for nothing that is paid for',
  l: 'once faults stop, every attempt that is not in doubt ends, and what is wanted is made',
  m: 'nothing is given up as lost or failed while the service still has it',
  n: 'one run at a time spends',
  q: 'a queue_id that arrived is in the lockfile, in a rescue file or on the screen when the run ends',
  r: 'a submit rests on a price that was asked for not long before',
  o: 'a run ends with a report or a told error, in bounded time',
  p: 'nothing is bought that no approval named',
  s: 'a take with an attempt in doubt is not bought again',
  z: 'a seed plays the same way each time',
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

export interface JudgeWorld {
  readonly disk: Disk;
  readonly server: Server;
  readonly lockfilePath: string;
  readonly outputRoot: string;
  /** Paths below these may be written. */
  readonly writable: readonly string[];
  readonly secrets: readonly string[];
  /** Whether the checks of the audio find any damage. */
  readonly thorough: boolean;
  /** Whether prices ever change after the catalogue was told. */
  readonly pricesMove: boolean;
  readonly nowMs: () => number;
  /** Digest of the request that this prompt belongs to. */
  readonly digestOf: (prompt: string) => string | undefined;
  /** How often this prompt may be charged. */
  readonly allowed: (prompt: string) => number;
  /** The lockfile was merged or damaged, and nobody has begun to mend it. */
  readonly damaged: () => boolean;
  /** A file that a person deleted, or a job whose fate a person settled. */
  readonly waived: ReadonlySet<string>;
}

export interface Judge {
  readonly violations: readonly Violation[];
  blame(check: Check, message: string): void;
  changed(path: string, bytes?: Uint8Array): void;
  told(text: string): void;
  sent(witness: Witness, request: TransportRequest): void;
  handled(): void;
  /** As a run ends by itself. */
  ended(witness: Witness): void;
  /** At rest: after a crash, at the end of a run, at the end of all. */
  look(): void;
  /** The lockfile as a process or a person sees it now. */
  seen(): LockView;
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

  return {
    violations,
    blame,
    seen: () => {
      const entry = world.disk.entries.get(world.lockfilePath);
      return seenReader.read(entry === 'directory' ? undefined : entry?.bytes);
    },
    changed: (path, bytes) => {
      if (!world.writable.some((allowed) => path === allowed || path.startsWith(allowed)))
        blame('j', `writes ${path}`);
      if (
        bytes !== undefined &&
        secrets.some((secret) => Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).includes(secret))
      )
        blame('i', `the key in ${path}`);
    },
    told: (text) => {
      if (world.secrets.some((secret) => text.includes(secret)))
        blame('i', `the key is told: ${text.slice(0, 200)}`);
    },
    sent: (witness, request) => {
      const body = request.body === undefined ? {} : (JSON.parse(request.body) as Record<string, unknown>);
      if (request.path === '/audio/queue') judgePrice(world, blame, witness, body);
      for (const view of possible()) {
        if (request.path === '/audio/queue')
          judgeSubmit(world, blame, { witness, spenders, armed }, String(body.prompt), view);
        else if (request.path === '/audio/retrieve') judgePoll(world, blame, body, view);
        else if (request.path === '/audio/complete') judgeCleanUp(world, blame, String(body.queue_id), view);
      }
    },
    handled: () => {
      if (world.server.jobs.size === jobsSeen) return;
      jobsSeen = world.server.jobs.size;
      judgeCharges(world, blame);
    },
    ended: (witness) => judgeReceived(world, blame, witness),
    look: () => {
      if (world.damaged()) return;
      const views = possible();
      for (const seen of views) {
        judgeHistory(blame, seen, known, knownIds, armed);
        if (views.length === 1) remember(seen, known, knownIds);
        judgeCoverage(world, blame, seen);
        judgeFiles(world, blame, seen);
        judgeSurrender(world, blame, seen);
      }
    },
  };
}

type Blame = Judge['blame'];

function judgeSubmit(
  world: JudgeWorld,
  blame: Blame,
  { witness, spenders, armed }: { witness: Witness; spenders: Set<Witness>; armed: Set<string> },
  prompt: string,
  view: LockView,
): void {
  for (const other of spenders)
    if (other !== witness && !other.over) blame('n', `${witness.name} and ${other.name} both submit`);
  spenders.add(witness);
  if (world.damaged() || view.badLines > 0) blame('g', `${witness.name} submits over a damaged lockfile`);
  const digest = world.digestOf(prompt);
  const intents = [...view.attempts.values()].filter(
    ({ latest }) => latest.state === 'intent' && latest.digest === digest,
  );
  for (const { latest } of intents) armed.add(latest.attempt);
  if (intents.length === 0) blame('h', `no durable intent for ${prompt}`);
  if (intents.length > 0 && intents.every(({ latest }) => hasOtherDoubt(view, latest)))
    blame('s', `${prompt} is in doubt, and bought again`);
  const at = witness.approved.indexOf(prompt);
  if (at < 0) blame('p', `${prompt} was not approved`);
  const spent = spentUnder(view);
  if (spent > witness.approvedUpToMicroUsd)
    blame('e', `${spent} spent, ${witness.approvedUpToMicroUsd} approved`);
  if (witness.budgetMicroUsd !== undefined && spent > witness.budgetMicroUsd)
    blame('e', `${spent} spent of a budget of ${witness.budgetMicroUsd}`);
}

function hasOtherDoubt(view: LockView, intent: Attempt): boolean {
  return [...view.attempts.values()].some(
    ({ latest: { attempt, track, take, state } }) =>
      attempt !== intent.attempt &&
      track === intent.track &&
      take === intent.take &&
      (state === 'intent' || state === 'in_doubt'),
  );
}

export function spentUnder(view: LockView): number {
  let spent = 0;
  for (const { latest } of view.attempts.values()) if (countsAsSpent(latest)) spent += latest.quote_micro_usd;
  return spent;
}

/** Ten minutes are allowed; a slow disk may add some until the request leaves. */
const QUOTE_AGE_MS_MAX = 20 * 60_000;

function judgePrice(world: JudgeWorld, blame: Blame, witness: Witness, body: Record<string, unknown>): void {
  const quotedMs = witness.quotedMs.get(quoteKey(body)) ?? Number.NEGATIVE_INFINITY;
  const ageMs = world.nowMs() - quotedMs;
  if (ageMs > QUOTE_AGE_MS_MAX)
    blame('r', `${String(body.prompt)} is bought at a price asked for ${ageMs} ms ago`);
}

/** The same for a quote's question and for the submit that rests on it. */
export function quoteKey(body: Readonly<Record<string, unknown>>): string {
  const characters = typeof body.prompt === 'string' ? body.prompt.length : body.character_count;
  return `${body.model} ${body.duration_seconds ?? ''} ${body.model === 'sim-voice' ? characters : ''}`;
}

function judgeReceived(world: JudgeWorld, blame: Blame, witness: Witness): void {
  // A file that is just being replaced may be the one or the other.
  const isIn = (path: string, queueId: string) =>
    world.disk.possible(path).every((bytes) => Buffer.from(bytes ?? []).includes(queueId));
  for (const queueId of witness.received) {
    const kept = [...world.disk.entries.keys()].some(
      (path) => (path === world.lockfilePath || path.includes('venice-batch-rescue')) && isIn(path, queueId),
    );
    if (!kept && !witness.notices.includes(queueId))
      blame('q', `${queueId} arrived at ${witness.name} and is kept nowhere`);
  }
}

function judgePoll(world: JudgeWorld, blame: Blame, body: Record<string, unknown>, view: LockView): void {
  const queueId = String(body.queue_id);
  if (body.delete_media_on_completion === true) judgeCleanUp(world, blame, queueId, view);
  for (const { queueIds } of view.attempts.values()) if (queueIds.has(queueId)) return;
  blame('h', `${queueId} is asked for and is not durable`);
}

function judgeCleanUp(world: JudgeWorld, blame: Blame, queueId: string, view: LockView): void {
  const job = world.server.jobs.get(queueId);
  const attempt = [...view.attempts.values()].find(({ queueIds }) => queueIds.has(queueId))?.latest;
  if (job === undefined || job.deletedMs !== undefined) return;
  if (attempt?.file === undefined || attempt.state !== 'stored') {
    blame('c', `${queueId} is deleted while it is ${attempt?.state ?? 'unknown'}`);
    return;
  }
  if (!isDurable(world, attempt)) blame('c', `${queueId} is deleted and ${attempt.file.path} is not durable`);
  else if (!isServed(world, job, attempt.file.sha256))
    blame('c', `${queueId} is deleted and ${attempt.file.path} is not what was served`);
}

function isServed(world: JudgeWorld, job: ServerJob, hash: string): boolean {
  return world.thorough ? hash === job.sha256 : job.served.has(hash);
}

/** Whether the file outlives a loss of power now. A journaled move may have come to either place. */
function isDurable({ disk, outputRoot }: JudgeWorld, { file, move_to }: Attempt): boolean {
  if (file === undefined) return false;
  const places = move_to === undefined ? [file.path] : [file.path, move_to];
  return disk.survives(
    places.map((place) => `${outputRoot}/${place}`),
    (synced) => sha256(synced) === file.sha256,
  );
}

function judgeCharges(world: JudgeWorld, blame: Blame): void {
  const charges = new Map<string, number>();
  for (const { prompt } of world.server.jobs.values()) charges.set(prompt, (charges.get(prompt) ?? 0) + 1);
  for (const [prompt, count] of charges)
    if (count > world.allowed(prompt))
      blame('a', `${prompt} is charged ${count} times, ${world.allowed(prompt)} are wanted`);
}

function judgeHistory(
  blame: Blame,
  view: LockView,
  known: ReadonlyMap<string, Attempt>,
  knownIds: ReadonlySet<string>,
  armed: ReadonlySet<string>,
): void {
  for (const step of view.illegalSteps) blame('f', step);
  // A damaged file is another matter: see g.
  if (view.badLines > 0) return;
  const ids = new Set([...view.attempts.values()].flatMap(({ queueIds }) => [...queueIds]));
  for (const queueId of knownIds) if (!ids.has(queueId)) blame('f', `${queueId} disappeared`);
  for (const [id, before] of known) {
    const now = view.attempts.get(id)?.latest;
    // Refused ones are tidied away; an intent whose record failed, so that nothing was sent, is taken back.
    const may = before.state === 'rejected' || (before.state === 'intent' && !armed.has(id));
    if (now === undefined && !may) blame('f', `${id} (${before.state}) disappeared`);
    if (now !== undefined && now.rev < before.rev)
      blame('f', `${id} went back from ${before.state} (${before.rev}) to ${now.state} (${now.rev})`);
  }
}

function remember(view: LockView, known: Map<string, Attempt>, knownIds: Set<string>): void {
  for (const [id, { latest, queueIds }] of view.attempts) {
    known.set(id, latest);
    for (const queueId of queueIds) knownIds.add(queueId);
  }
}

function judgeCoverage(world: JudgeWorld, blame: Blame, view: LockView): void {
  const ids = new Set<string>();
  const doubts = new Map<string, number>();
  for (const { latest, queueIds } of view.attempts.values()) {
    for (const queueId of queueIds) ids.add(queueId);
    if (queueIds.size === 0 && (latest.state === 'intent' || latest.state === 'in_doubt'))
      doubts.set(latest.digest, (doubts.get(latest.digest) ?? 0) + 1);
  }
  for (const job of world.server.jobs.values()) {
    if (ids.has(job.queueId) || world.waived.has(job.queueId)) continue;
    const digest = world.digestOf(job.prompt) ?? '';
    const left = doubts.get(digest) ?? 0;
    if (left === 0) blame('b', `the charge of ${job.queueId} (${job.prompt}) is recorded nowhere`);
    doubts.set(digest, left - 1);
  }
  const charged = [...world.server.jobs.values()].reduce((sum, job) => sum + job.priceMicroUsd, 0);
  if (!world.pricesMove && charged > spentUnder(view) + refunds(view))
    blame('e', `${charged} charged, ${spentUnder(view)} known as spent`);
}

function refunds(view: LockView): number {
  let sum = 0;
  for (const { latest } of view.attempts.values())
    if (latest.refunded === true) sum += latest.quote_micro_usd;
  return sum;
}

function judgeFiles(world: JudgeWorld, blame: Blame, view: LockView): void {
  for (const { latest } of view.attempts.values()) {
    if (latest.file === undefined || (latest.state !== 'stored' && latest.state !== 'done')) continue;
    if (world.waived.has(latest.attempt)) continue;
    const what = `${latest.file.path} of ${latest.attempt} (${latest.state})`;
    if (!isDurable(world, latest)) blame('d', `${what} is not durable`);
    const job = world.server.jobs.get(latest.queue_id ?? '');
    if (job !== undefined && !isServed(world, job, latest.file.sha256))
      blame('d', `${what} is not what was served`);
  }
}

function judgeSurrender(world: JudgeWorld, blame: Blame, view: LockView): void {
  for (const { latest } of view.attempts.values()) {
    const job = world.server.jobs.get(latest.queue_id ?? '');
    if (job === undefined) continue;
    const gone = job.deletedMs !== undefined || world.nowMs() >= job.expiresMs;
    if (latest.state === 'lost' && !gone) blame('m', `${job.queueId} is called lost and is there`);
    if (latest.state === 'failed' && !job.fails) blame('m', `${job.queueId} is called failed and is not`);
    if (latest.state === 'rejected') blame('m', `${job.queueId} is called rejected and was charged`);
  }
}
