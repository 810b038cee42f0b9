import { type Attempt, countsAsSpent } from '../../src/lockfile/attempt.js';
import type { Judge, JudgeWorld, Witness } from './judge.js';
import { filesOf, type LockView } from './lock-view.js';
import { sha256 } from './media.js';
import type { ServerJob } from './server.js';
import { isSalvaged } from './worn.js';

type Blame = Judge['blame'];

export function judgeSubmit(
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
  if ([...view.attempts.values()].some(({ latest }) => isSalvaged(latest)))
    blame('g', `${witness.name} submits before the user has settled what damaged lines named`);
  const digest = world.digestOf(prompt);
  const intents = [...view.attempts.values()].filter(
    ({ latest }) => latest.state === 'intent' && latest.digest === digest,
  );
  for (const { latest } of intents) armed.add(latest.attempt);
  if (intents.length === 0) blame('h', `no durable intent for ${prompt}`);
  if (intents.length > 0 && intents.every(({ latest }) => hasOtherDoubt(view, latest)))
    blame('s', `${prompt} is in doubt, and bought again`);
  if (witness.stopped) blame('A', `${prompt} is submitted after the run was asked to stop`);
  // Times of two clocks cannot be compared.
  if (world.clocksAgree && lostInARow(view) >= 3) blame('x', `${prompt} is bought after three lost answers`);
  judgeApproval(
    blame,
    witness,
    prompt,
    intents.map(({ latest }) => latest),
  );
  const spent = spentUnder(view);
  if (spent > witness.approvedUpToMicroUsd)
    blame('e', `${spent} spent, ${witness.approvedUpToMicroUsd} approved`);
  if (witness.budgetMicroUsd !== undefined && spent > witness.budgetMicroUsd)
    blame('e', `${spent} spent of a budget of ${witness.budgetMicroUsd}`);
}

/** @param intents Open intents for the prompt: one of them is being submitted. */
export function judgeApproval(
  blame: Blame,
  witness: Witness,
  prompt: string,
  intents: readonly Attempt[],
): void {
  const price = witness.approvedPrices.get(prompt) ?? 0;
  if (intents.length > 0 && intents.every(({ quote_micro_usd }) => quote_micro_usd > price))
    blame('p', `${prompt} is bought for more than the ${price} that were approved`);
  if (!witness.approved.includes(prompt)) blame('p', `${prompt} was not approved`);
  if (witness.unseenLow.has(prompt)) blame('v', `${prompt} is bought at a price that the user has not seen`);
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

export function judgeSum(blame: Blame, witness: Witness, view: LockView, reportedMicroUsd: number): void {
  let sum = 0;
  for (const [id, { latest }] of view.attempts)
    if (!witness.attemptsBefore.has(id) && latest.state !== 'rejected') sum += latest.quote_micro_usd;
  if (sum !== reportedMicroUsd)
    blame('y', `${witness.name} reports ${reportedMicroUsd} spent, the lockfile says ${sum}`);
}

/** The longest series of lost responses that nobody has settled. */
function lostInARow(view: LockView): number {
  const ends = [...view.attempts.values()].flatMap(({ latest }) => {
    if (latest.state === 'in_doubt') return [`${latest.at.in_doubt} lost`];
    return latest.at.queued === undefined ? [] : [`${acceptedAt(latest)} accepted`];
  });
  const row = ends.sort().map((end) => (end.endsWith('lost') ? 'l' : ' '));
  return Math.max(
    ...row
      .join('')
      .split(' ')
      .map(({ length }) => length),
  );
}

/** A job whose file is downloaded again is queued anew; it was accepted after its intent. */
function acceptedAt({ at: { intent, queued, stored } }: Attempt): string | undefined {
  return stored !== undefined && queued !== undefined && queued >= stored ? intent : queued;
}

export function spentUnder(view: LockView): number {
  let spent = 0;
  for (const { latest } of view.attempts.values()) if (countsAsSpent(latest)) spent += latest.quote_micro_usd;
  return spent;
}

/** Ten minutes are allowed. A slow disk may delay the request a little longer. */
const QUOTE_AGE_MS_MAX = 20 * 60_000;

export function judgePrice(
  world: JudgeWorld,
  blame: Blame,
  witness: Witness,
  body: Record<string, unknown>,
): void {
  const quotedMs = witness.quotedMs.get(quoteKey(body)) ?? Number.NEGATIVE_INFINITY;
  const ageMs = world.nowMs() - quotedMs;
  if (ageMs > QUOTE_AGE_MS_MAX)
    blame('r', `${String(body.prompt)} is bought at a price asked for ${ageMs} ms ago`);
}

/** The same for a quote request and for the submit that relies on it. */
export function quoteKey(body: Readonly<Record<string, unknown>>): string {
  const characters = typeof body.prompt === 'string' ? body.prompt.length : body.character_count;
  return `${body.model} ${body.duration_seconds ?? ''} ${body.model === 'sim-voice' ? characters : ''}`;
}

export function judgeReceived(world: JudgeWorld, blame: Blame, witness: Witness): void {
  // A file that is being replaced may be either one.
  const isIn = (path: string, queueId: string) =>
    world.disk.possible(path).every((bytes) => Buffer.from(bytes ?? []).includes(queueId));
  for (const queueId of witness.received) {
    const kept = [...world.disk.entries.keys()].some(
      (path) =>
        (path === world.lockfilePath || path.endsWith('.journal') || path.includes('venice-batch-rescue')) &&
        isIn(path, queueId),
    );
    if (!kept && !witness.notices.includes(queueId))
      blame('q', `${queueId} arrived at ${witness.name} and was not kept`);
  }
}

export function judgePoll(
  world: JudgeWorld,
  blame: Blame,
  body: Record<string, unknown>,
  view: LockView,
): void {
  const queueId = String(body.queue_id);
  if (body.delete_media_on_completion === true) judgeCleanUp(world, blame, queueId, view);
  for (const { queueIds } of view.attempts.values()) if (queueIds.has(queueId)) return;
  blame('h', `${queueId} is polled and is not durable`);
}

export function judgeCleanUp(world: JudgeWorld, blame: Blame, queueId: string, view: LockView): void {
  const job = world.server.jobs.get(queueId);
  const attempt = [...view.attempts.values()].find(({ queueIds }) => queueIds.has(queueId))?.latest;
  if (job === undefined || job.deletedMs !== undefined) return;
  if (world.outside.foreignJobs.has(queueId)) blame('c', `${queueId} of another album is deleted`);
  if (attempt?.file === undefined || attempt.state !== 'stored') {
    blame('c', `${queueId} is deleted while it is ${attempt?.state ?? 'unknown'}`);
    return;
  }
  if (!isDurable(world, attempt)) blame('c', `${queueId} is deleted and ${attempt.file.path} is not durable`);
  else if (!isServed(world, job, attempt, attempt.file.sha256))
    blame('c', `${queueId} is deleted and ${attempt.file.path} is not what was served`);
}

/** An accepted file is the one that was kept. Only the user can tell whether it is whole. */
function isServed(world: JudgeWorld, job: ServerJob, { attempt, accepted }: Attempt, hash: string): boolean {
  // Also if it was gone for a while: found again, it is recorded as any other file.
  if (hash === world.accepted.get(attempt)) return true;
  if (accepted === true) return false;
  return world.thorough ? hash === job.sha256 : job.served.has(hash);
}

/** Whether the file would survive a power loss now. It may be at either end of a recorded move. */
function isDurable({ disk, outputRoot, outcome }: JudgeWorld, attempt: Attempt): boolean {
  const { file, move_to } = attempt;
  if (file === undefined) return false;
  if (outcome !== undefined) return outcome(attempt);
  const places = move_to === undefined ? [file.path] : [file.path, move_to];
  return disk.survives(
    places.map((place) => `${outputRoot}/${place}`),
    (synced) => sha256(synced) === file.sha256,
  );
}

export function judgeCharges(world: JudgeWorld, blame: Blame): void {
  const charges = new Map<string, number>();
  for (const { prompt } of world.server.jobs.values()) charges.set(prompt, (charges.get(prompt) ?? 0) + 1);
  for (const [prompt, count] of charges)
    if (count > world.allowed(prompt))
      blame('a', `${prompt} is charged ${count} times, ${world.allowed(prompt)} are wanted`);
}

export function judgeHistory(
  world: JudgeWorld,
  blame: Blame,
  view: LockView,
  known: ReadonlyMap<string, Attempt>,
  knownIds: ReadonlySet<string>,
  armed: ReadonlySet<string>,
): void {
  for (const step of view.illegalSteps) blame('f', step);
  // Damaged files are covered by check g.
  if (view.badLines > 0) return;
  const ids = new Set([...view.attempts.values()].flatMap(({ queueIds }) => [...queueIds]));
  // Lines of a pull request are in no journal: they are lost with the lockfile.
  const { foreignJobs } = world.outside;
  for (const queueId of knownIds)
    if (!ids.has(queueId) && !isRescued(world, queueId) && !foreignJobs.has(queueId))
      blame('f', `${queueId} disappeared`);
  for (const [id, before] of known) {
    const now = view.attempts.get(id)?.latest;
    // Refused attempts may be removed. An intent whose record failed was never sent, and is withdrawn.
    const may = before.state === 'rejected' || (before.state === 'intent' && !armed.has(id));
    if (now === undefined && foreignJobs.has(before.queue_id ?? '')) continue;
    if (now === undefined && !may) blame('f', `${id} (${before.state}) disappeared`);
    // A record that the lockfile did not take may be in a rescue file, for the next run.
    if (now === undefined || now.rev >= before.rev || namesMore(before, now)) continue;
    if (!isRescued(world, id) && !isOfMove(before, now))
      blame('f', `${id} went back from ${before.state} (${before.rev}) to ${now.state} (${now.rev})`);
  }
}

/** A machine that could not get the audio gave it up in a later revision than that of the machine that has it. */
function namesMore(before: Attempt, now: Attempt): boolean {
  return before.queue_id === now.queue_id && filesOf(now) > filesOf(before);
}

/** A move that could not be recorded is made again by the next run. Until then only the path is outdated. */
function isOfMove(before: Attempt, now: Attempt): boolean {
  return (
    before.state === now.state &&
    before.queue_id === now.queue_id &&
    before.file !== undefined &&
    before.file.sha256 === now.file?.sha256
  );
}

/** @param id of an attempt or a job */
function isRescued({ disk }: JudgeWorld, id: string): boolean {
  return [...disk.entries].some(
    ([path, entry]) =>
      entry !== 'directory' && path.includes('-rescue-') && Buffer.from(entry.bytes).includes(id),
  );
}

export function remember(view: LockView, known: Map<string, Attempt>, knownIds: Set<string>): void {
  for (const [id, { latest, queueIds }] of view.attempts) {
    known.set(id, latest);
    for (const queueId of queueIds) knownIds.add(queueId);
  }
}

/** Forgets what only a lockfile had that survived a power loss by luck, and that others replaced before a run read it. */
export function forgetUnsynced(journals: LockView, known: Map<string, Attempt>, knownIds: Set<string>): void {
  for (const [id, { latest, queueIds }] of journals.attempts) {
    const before = known.get(id);
    if (before === undefined || before.rev <= latest.rev) continue;
    known.set(id, latest);
    if (before.queue_id !== undefined && !queueIds.has(before.queue_id)) knownIds.delete(before.queue_id);
  }
}

export function judgeCoverage(world: JudgeWorld, blame: Blame, view: LockView): void {
  const ids = new Set<string>();
  const doubts = new Map<string, number>();
  for (const { latest, queueIds } of view.attempts.values()) {
    // The user may have given one attempt the job of another, which only the other's machine knew.
    const isShared = [...queueIds].some((queueId) => ids.has(queueId));
    for (const queueId of queueIds) ids.add(queueId);
    if (isShared || (queueIds.size === 0 && mayBeCharged(latest)))
      doubts.set(latest.digest, (doubts.get(latest.digest) ?? 0) + 1);
  }
  for (const job of world.server.jobs.values()) {
    if (ids.has(job.queueId) || world.waived.has(job.queueId)) continue;
    if (world.covered?.(job.queueId, view)) continue;
    const digest = world.digestOf(job.prompt) ?? '';
    const left = doubts.get(digest) ?? 0;
    if (left === 0) blame('b', `the charge of ${job.queueId} (${job.prompt}) is not recorded`);
    doubts.set(digest, left - 1);
  }
  const charged = [...world.server.jobs.values()].reduce((sum, job) => sum + job.priceMicroUsd, 0);
  if (!world.pricesMove() && charged > spentUnder(view) + refunds(view))
    blame('e', `${charged} charged, ${spentUnder(view)} known as spent`);
}

/** A job of its request may exist whose id nobody has recorded: in doubt, or given up by the user without its id. */
function mayBeCharged({ state, reason }: Attempt): boolean {
  if (state === 'intent' || state === 'in_doubt') return true;
  return state === 'lost' && (reason?.code === 'resolved_charged' || reason?.code === 'requeued');
}

function refunds(view: LockView): number {
  let sum = 0;
  for (const { latest } of view.attempts.values())
    if (latest.refunded === true) sum += latest.quote_micro_usd;
  return sum;
}

export function judgeFiles(world: JudgeWorld, blame: Blame, view: LockView): void {
  for (const { latest } of view.attempts.values()) {
    if (latest.file === undefined || (latest.state !== 'stored' && latest.state !== 'done')) continue;
    if (world.waived.has(latest.attempt)) continue;
    const what = `${latest.file.path} of ${latest.attempt} (${latest.state})`;
    if (!isDurable(world, latest)) blame('d', `${what} is not durable`);
    const job = world.server.jobs.get(latest.queue_id ?? '');
    if (job !== undefined && !isServed(world, job, latest, latest.file.sha256))
      blame('d', `${what} is not what was served`);
  }
}

export function judgeFinalStates(world: JudgeWorld, blame: Blame, view: LockView): void {
  for (const { latest } of view.attempts.values()) {
    const job = world.server.jobs.get(latest.queue_id ?? '');
    if (job === undefined) continue;
    const gone = job.deletedMs !== undefined || world.nowMs() >= job.expiresMs;
    // Of a failed job, nothing can be fetched, and its answer may have been unreadable.
    if (latest.state === 'lost' && !gone && !job.fails)
      blame('m', `${job.queueId} is called lost and is there`);
    if (latest.state === 'failed' && !job.fails) blame('m', `${job.queueId} is called failed and is not`);
    if (
      latest.state === 'failed' &&
      latest.refunded === true &&
      job.refunded !== true &&
      // If the clock jumped, an earlier day may look like today.
      (world.clocksAgree || job.verdict === 'json')
    )
      blame('u', `${job.queueId} is called refunded and stays charged`);
    if (latest.state === 'rejected' && !isHeldByOther(view, latest, job))
      blame('m', `${job.queueId} is called rejected and was charged`);
  }
}

/** A damaged line may name a job that is recorded under its own attempt: not charged is then only the line. */
function isHeldByOther({ attempts }: LockView, { attempt }: Attempt, { queueId }: ServerJob): boolean {
  return [...attempts.values()].some(
    ({ latest, queueIds }) => latest.attempt !== attempt && queueIds.has(queueId),
  );
}
