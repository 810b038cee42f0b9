import { isNewJob, type Resolution, resolveAttempt } from '../app/resolution.js';
import { takeStatusesOf } from '../app/take-status.js';
import { BatchError, EXIT, usageError } from '../core/errors.js';
import { takeKey } from '../core/take-key.js';
import type { Attempt } from '../lockfile/attempt.js';
import type { LockStore } from '../lockfile/lock-store.js';
import { readLock } from '../lockfile/read.js';
import { isSalvaged, withoutNamedFile } from '../lockfile/salvage.js';
import { compareNewest, isInDoubt } from '../plan/history.js';
import { rowsOfRun } from '../plan/latest-attempts.js';
import { forcedOf, type NextStep, nextStep } from '../plan/next-step.js';
import type { PlanRow } from '../plan/plan.js';
import { retryFlags } from '../plan/selection.js';
import { escapeForeign } from '../report/escape.js';
import { resolutionOf, stateName, utcTime } from '../report/phrases.js';
import { type Looked, lookAtJob } from '../run/look-at-job.js';
import { recover } from '../run/recover.js';
import { openOutput } from '../storage/output.js';
import { createClient } from '../venice/create-client.js';
import { newJobError, supersededError } from './changed-meanwhile.js';
import { elsewhereNote } from './elsewhere-note.js';
import { withNamedFile } from './named-file.js';
import type { OpenBatch } from './open-batch.js';
import { printFileWarnings, readableManifest, warnUnreadable } from './unreadable.js';
import { attemptsNamed, sealedBy, shortId, withStore } from './with-store.js';

export interface Settled {
  /** As now recorded. */
  readonly attempt: Attempt;
  /** The command to run next. */
  readonly next: string;
}

/**
 * Records what the user says became of an attempt. Throws `BatchError` (2) if that is not possible for the attempt, or if
 * other machines recorded something that the user may not know.
 */
export async function settleAttempt(
  session: OpenBatch,
  id: string,
  resolution: Resolution,
): Promise<Settled> {
  const { settings, ports } = session;
  const view = { output: await openOutput(ports.files, settings.outputRoot.value) };
  const seen = await attemptsHere(session);
  return withStore(session, 'resolve', async ({ store, formerPlaces }) => {
    const nowMs = ports.clock.nowMs();
    await recover({ ...view, store }, nowMs, { former: formerPlaces });
    const elsewhere = store.attempts.size === 0 ? await elsewhereNote(session, ['resolve']) : undefined;
    const found = find(session, [...store.attempts.values()], seen, id, elsewhere);
    const filed = await withNamedFile(session, { ...view, store }, found, resolution);
    const attempt =
      filed ?? (await checked(session, [...store.attempts.values()], withoutNamedFile(found), resolution));
    const resolved = resolveAttempt(attempt, filed === undefined ? resolution : { kind: 'found' }, nowMs);
    if (!resolved.ok && resolved.why === 'settled')
      throw settledError(session, [...store.attempts.values()], attempt);
    if (!resolved.ok)
      throw usageError(
        'this is not a queue_id: a queue_id has 1 to 200 printable characters',
        `see: ${session.command('status')}`,
        'not-in-doubt',
      );
    const before = seen.get(attempt.attempt);
    if (isNewJob(before, attempt)) throw newJobError(session, before, attempt, resolution);
    const isQueued = attempt.state === 'queued' && store.sharing === undefined;
    if (resolution.kind === 'requeue' && isQueued) await checkGone(session, attempt, [attempt.model]);
    await recordByPerson(session, store, sealedBy(session, store.header, attempt, resolved.attempt));
    const attempts = [...store.attempts.values()];
    const { rows, warnings } = await takeStatusesOf(view, attempts, await readableManifest(session), {
      unreadable: warnUnreadable(session),
      placeOf: session.placeOf,
      command: session.command,
      nowMs,
    });
    printFileWarnings(session, warnings);
    // If a take was to be made again but was not, report that, although an earlier file exists.
    const final = rowsOfRun(rows, attempts, [], nowMs);
    const step = nextStep(final, attempts);
    // A damaged line may have named the wrong take: look before buying.
    const isBuying = final.some(({ decision }) => decision.kind === 'buy');
    const next = isSalvaged(attempt) && isBuying ? session.command('plan') : undefined;
    return { attempt: resolved.attempt, next: next ?? nextCommand(session, step, final) };
  });
}

/**
 * What this machine knows before it reads what others recorded: all that the user can have decided by. An unusable
 * lockfile is reported when it is opened.
 */
async function attemptsHere({ ports, settings }: OpenBatch): Promise<ReadonlyMap<string, Attempt>> {
  const read = await readLock(ports.files, settings.lockfilePath.value);
  return read.ok ? read.attempts : new Map();
}

/**
 * A damaged line may not say which model made the job: then it is the one that the manifest names for the take, or if
 * the take is unknown, any of the manifest's.
 */
async function modelsOf(session: OpenBatch, attempt: Attempt): Promise<readonly string[]> {
  if (!isSalvaged(attempt)) return [attempt.model];
  const takes = (await readableManifest(session))?.takes ?? [];
  const named = new Set(takes.map(({ request }) => request.model));
  if (named.size === 0 || named.has(attempt.model)) return [attempt.model];
  const take = takes.find((one) => one.track === attempt.track && one.take === attempt.take);
  return take === undefined ? [...named].slice(0, MODELS_MAX) : [take.request.model];
}

/** Too many errors block the key. */
const MODELS_MAX = 8;

/**
 * The user's statement takes precedence over what the run that made the intent may still find out, unless the shared
 * log cannot be reached. Throws `BatchError` (2) if the log has a newer record that the statement does not fit.
 */
async function recordByPerson(session: OpenBatch, store: LockStore, attempt: Attempt): Promise<void> {
  const fault = store.fault();
  if (fault?.kind === 'log') throw fault.error;
  const recorded = await store.record(attempt, { byPerson: true });
  if (recorded === 'superseded') throw supersededError(session, store.newest(attempt.attempt) ?? attempt);
}

/** @param seen what was in doubt there may be named by its take, although its job was found since */
function find(
  session: OpenBatch,
  attempts: readonly Attempt[],
  seen: ReadonlyMap<string, Attempt>,
  id: string,
  elsewhere: string | undefined,
): Attempt {
  const byId = attemptsNamed(attempts, id);
  const isNamed = (one: Attempt) => takeKey(one) === id || `${one.track}#${one.take}` === id;
  const isMeant = (one: Attempt) =>
    isNamed(one) && (isInDoubt(one) || isInDoubt(seen.get(one.attempt) ?? one));
  const byTake = attempts.filter(isMeant);
  // The name of a take can look like the first digits of an id: then neither is meant for certain.
  const named = [...new Set([...byId, ...byTake])];
  const [attempt] = named;
  if (attempt !== undefined && named.length === 1) return attempt;
  const [newest] = attempts.filter(isNamed).sort(compareNewest);
  if (newest !== undefined && named.length === 0) throw settledError(session, attempts, newest);
  throw usageError(
    `${escapeForeign(id)} matches ${named.length === 0 ? 'no attempt' : 'several attempts'}`,
    elsewhere ??
      `give the id of an attempt or the name of a take in doubt, as listed by: ${session.command('resolve')}`,
    'unknown-attempt',
  );
}

/** What became of an attempt that is not in doubt, when, and what can still be done. */
function settledError({ command }: OpenBatch, attempts: readonly Attempt[], attempt: Attempt): BatchError {
  const { state, reason, at } = attempt;
  const said = reason?.code === 'requeued' ? 'requeued' : resolutionOf(reason?.code);
  const when = at[state] === undefined ? '' : ` on ${utcTime(at[state])}`;
  const id = shortId(attempts, attempt);
  return usageError(
    `${escapeForeign(takeKey(attempt))} is not in doubt: ${said ?? stateName(state)}${when}`,
    correction(command, id, attempt),
    'not-in-doubt',
  );
}

function correction(
  command: OpenBatch['command'],
  id: string,
  { state, refunded, queue_id }: Attempt,
): string {
  switch (state) {
    case 'lost':
    case 'failed':
      return [
        ...(refunded === true ? [] : [`if it was refunded: ${command('resolve', id, '--refunded')}`]),
        `if the service has the job: ${command('resolve', id, '--queue-id', queue_id ?? 'ID')}`,
        `to buy it again: ${command('run', '--retry-failed')}`,
      ].join('; ');
    case 'queued':
    case 'unverified':
      return `collect it: ${command('collect')}; to give it up: ${command('resolve', id, '--charged')}`;
    default:
      return `see: ${command('status')}`;
  }
}

/**
 * The attempt with the model of its job. A queue_id has to be the job of one attempt only, and known to the service; a
 * job that a damaged line names and that the service has was charged.
 */
async function checked(
  session: OpenBatch,
  attempts: readonly Attempt[],
  attempt: Attempt,
  resolution: Resolution,
): Promise<Attempt> {
  const models = await modelsOf(session, attempt);
  const queueId = resolution.kind === 'queue_id' ? resolution.queueId : attempt.queue_id;
  // What a damaged line says of the job is no more than a guess.
  const holder = attempts.find(
    (other) => other.queue_id === queueId && other.attempt !== attempt.attempt && !isSalvaged(other),
  );
  if (resolution.kind === 'queue_id') {
    if (holder !== undefined) throw takenError(session, attempt, holder);
    return { ...attempt, model: await checkAdopted(session, attempt, models, resolution.queueId) };
  }
  const makesAgain = resolution.kind === 'not_charged' || resolution.kind === 'requeue';
  if (isSalvaged(attempt) && makesAgain && holder === undefined) await checkGone(session, attempt, models);
  return attempt;
}

function takenError({ command }: OpenBatch, attempt: Attempt, holder: Attempt): BatchError {
  return usageError(
    `this queue_id is the job of ${holder.track}, take ${holder.take}`,
    isSalvaged(attempt)
      ? `if the damaged line was about that job: ${command('resolve', attempt.attempt, '--not-charged')}`
      : `check which job is missing: ${command('resolve')}`,
    'queue-id-taken',
  );
}

function nextCommand({ command }: OpenBatch, step: NextStep, rows: readonly PlanRow[]): string {
  // A run collects too, and offers what may be bought now.
  if (step.kind === 'collect' && rows.some(({ decision }) => decision.kind === 'buy'))
    return command('run', ...retryFlags({ retryFailed: false, force: forcedOf(rows) }));
  if (step.kind === 'buy') return command('run', ...retryFlags(step));
  return command(step.kind === 'collect' || step.kind === 'resolve' ? step.kind : 'status');
}

/**
 * A run that held the lock when the user decided may have recorded the job since, and a damaged line may name it. Throws
 * a `BatchError` (2) if the service still has it: to make the take again would pay for it twice. If the service cannot
 * say, the user decides.
 */
async function checkGone(session: OpenBatch, attempt: Attempt, models: readonly string[]): Promise<void> {
  const { account, command } = session;
  const { queue_id: queueId } = attempt;
  if (queueId === undefined || account === undefined) return;
  const { looked } = await lookUnderModels(session, account, models, queueId);
  if (looked.kind !== 'known' || looked.failed) return;
  const id = attempt.attempt;
  const [whose, collect] = isSalvaged(attempt)
    ? ['that the damaged line names', command('resolve', id, '--queue-id', queueId)]
    : [`of ${takeKey(attempt)}`, command('collect')];
  throw usageError(
    `the service still has the job ${whose}: nothing was changed`,
    `collect it: ${collect}; to give it up anyway: ${command('resolve', id, '--charged')}`,
    'changed-meanwhile',
  );
}

/**
 * Returns the model of the job. Throws `BatchError` if the service does not know the job, or cannot be reached; nothing
 * is changed then.
 */
async function checkAdopted(
  session: OpenBatch,
  attempt: Attempt,
  models: readonly string[],
  queueId: string,
): Promise<string> {
  const { account, command } = session;
  const same = command('resolve', attempt.attempt, '--queue-id', queueId);
  if (account === undefined)
    throw new BatchError('no-key', 'no API key: VENICE_API_KEY is not set, so the job cannot be checked', {
      exitCode: EXIT.authentication,
      hint: `set the key that submitted it, then: ${same}`,
    });
  const { looked, model } = await lookUnderModels(session, account, models, queueId);
  if (looked.kind === 'unknown')
    throw usageError(
      `the service does not know this queue_id for ${models.join(' or ')} under this key: nothing was changed`,
      `check the id and the key, or record another outcome: ${command('resolve')}`,
      'queue-id-unknown',
    );
  if (looked.kind === 'unanswered')
    throw new BatchError('service', `could not ask the service about this job: ${looked.message}`, {
      exitCode: EXIT.unavailable,
      hint: `nothing was changed; try again later: ${same}`,
    });
  return model;
}

/** Asks for the job under one model after the other, until the service knows it. */
async function lookUnderModels(
  session: OpenBatch,
  account: NonNullable<OpenBatch['account']>,
  models: readonly string[],
  queueId: string,
): Promise<{ readonly looked: Looked; readonly model: string }> {
  const client = createClient(await session.connect(), session.redact, account);
  let last: { readonly looked: Looked; readonly model: string } | undefined;
  for (const model of models) {
    last = { looked: await lookAtJob(client, model, queueId), model };
    if (last.looked.kind !== 'unknown') break;
  }
  return last ?? { looked: { kind: 'unknown' }, model: '' };
}
