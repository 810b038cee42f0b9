import path from 'node:path';
import { emitNotice } from '../core/emit-notice.js';
import { BatchError, EXIT, faultCode, isSystemFault } from '../core/errors.js';
import { lowest } from '../core/money.js';
import { shellWord } from '../core/shell.js';
import type { Attempt } from '../lockfile/attempt.js';
import type { LockStore } from '../lockfile/lock-store.js';
import type { LoadedManifest, Manifest } from '../manifest/take.js';
import { withExtraTakes } from '../plan/extra-takes.js';
import { isClaimed, isInFlight } from '../plan/history.js';
import type { FileMove } from '../plan/plan.js';
import { execute, type RunInput, type RunOutcome } from '../run/execute.js';
import { recover } from '../run/recover.js';
import { createRateLimiter } from '../scheduler/rate-limiter.js';
import { applyMoves } from '../storage/move.js';
import { type Output, openOutput } from '../storage/output.js';
import type { RateLimits, VeniceClient } from '../venice/client.js';
import { createClient } from '../venice/create-client.js';
import { WALLET_REQUESTS_MAX } from '../venice/wallet-signature.js';
import { type BuyDecision, decideWhatToBuy, keptElsewhere } from './approve.js';
import { emitPhase, versionEvent } from './emit.js';
import { fetchMissing, pushFromHere } from './exchange-files.js';
import { keySignatureOf } from './key-signature-of.js';
import { type Opened, openForRun } from './open-lockfile.js';
import { noKey } from './refusals.js';
import { type Ending, endingOf, keepingFor, openingOf, verbOf } from './run-opening.js';
import { storageError } from './storage-error.js';
import { type RunReport, summarise } from './summarise.js';
import type { BatchSettings, World } from './world.js';
import { redactorOf } from './world.js';

/**
 * A whole `run` or `collect`: lock, recover, plan, approve, execute, report. Collects before refusing: whatever forbids
 * buying, paid audio is fetched first. Throws `BatchError` if it cannot begin.
 */
export async function runBatch(world: World, settings: BatchSettings): Promise<RunReport> {
  const { ports } = world;
  const startedMs = ports.clock.nowMs();
  world.emit(versionEvent(settings, startedMs));
  await world.ready?.();
  let begun = false;
  const ending = endingOf(world);
  try {
    const load = once(() => world.load());
    const opened = await openForRun(ports, openingOf(world, settings, load, ending), (event) =>
      world.emit(event),
    );
    begun = true;
    try {
      const run = { ...opened, ...ending };
      return await withLock(world, keepingFor(settings, opened), run, load, startedMs);
    } finally {
      await opened.store.abandon();
      await opened.audio?.close();
      await releaseLock(world, opened);
    }
  } catch (error) {
    throw await storageError(error, ports.files, {
      directory: path.dirname(settings.lockfilePath),
      // Once takes may have been made, the same flags could make them again.
      next: begun || settings.again === undefined ? settings.command(verbOf(settings)) : settings.again(),
      untouched: !begun,
      placeOf: settings.placeOf,
    });
  }
}

function once<T>(work: () => Promise<T>): () => Promise<T> {
  let result: Promise<T> | undefined;
  return () => {
    result ??= work();
    return result;
  };
}

/** A lock file that cannot be removed blocks no one: the next run sees that its process is gone. */
async function releaseLock(world: World, opened: Opened): Promise<void> {
  try {
    await opened.release();
  } catch (error) {
    emitNotice(
      world,
      'warning',
      'guard-left',
      `the lock file cannot be removed (${faultCode(error) || 'error'})`,
    );
  }
}

/**
 * All records are durable by now, so nothing is lost if the lockfile cannot be compacted.
 *
 * @returns whether the lockfile was replaced by another file: this run's records are then in the journal
 */
async function closeStore(world: World, store: LockStore, isReported: boolean): Promise<boolean> {
  try {
    await store.close();
  } catch (error) {
    if (error instanceof BatchError && error.exitCode === EXIT.lockfile) {
      if (!isReported) emitNotice(world, 'error', error.code, error.message, error.hint);
      return true;
    }
    if (!isSystemFault(error)) throw error;
    emitNotice(
      world,
      'warning',
      'lockfile-untidy',
      `the lockfile cannot be compacted (${faultCode(error)}); nothing in it is lost, and the next run tries again`,
    );
  }
  return false;
}

async function withLock(
  world: World,
  settings: BatchSettings,
  opened: Opened & Ending,
  load: () => Promise<LoadedManifest>,
  startedMs: number,
): Promise<RunReport> {
  const { store, formerPlaces: former } = opened;
  const output = await openOutput(world.ports.files, settings.outputRoot);
  const view = { output, store };
  emitPhase(world, 'check');
  const asWritten = await load();
  await recover(view, world.ports.clock.nowMs(), { takes: asWritten.manifest?.takes, former });
  const loaded = withExtraTakes(asWritten, [...store.attempts.values()], settings);
  if (loaded.manifest !== undefined) world.takesKnown?.(loaded.manifest);
  await pushFromHere(world, settings, opened, output);
  const limiter = createRateLimiter();
  const { manifest } = loaded;
  const pulling = { ...settings, manifest, reported: new Set<string>(), limiter, stop: opened.ended };
  const notPulled = await fetchMissing(world, settings, opened, output, pulling);
  const before = new Map([...store.attempts.values()].map(({ attempt, rev }) => [attempt, rev]));
  const known = new Map([...store.attempts.values()].map(({ attempt, state }) => [attempt, state]));
  const decision = await decideWhatToBuy(world, settings, { ...opened, notPulled }, loaded, output);
  if (decision.prepared !== undefined) {
    const { moves } = decision.prepared.plan;
    reportMoves(world, settings, moves, await applyMoves(view, moves));
  }
  const decided = { ...decision, known, limiter };
  const ended = await executePurchases(world, settings, opened, manifest, decided, output);
  const asked = new Set([...known.keys()].filter((attempt) => known.get(attempt) === 'done'));
  const isStopped = ended.stopReasons.size > 0;
  const leftOut = await fetchMissing(world, settings, opened, output, { ...pulling, asked, isStopped });
  const displaced = await closeStore(world, store, ended.stopReasons.has('lockfile_displaced'));
  const outcome = displaced
    ? { ...ended, stopReasons: new Set([...ended.stopReasons, 'lockfile_displaced' as const]) }
    : ended;
  return summarise({
    world,
    settings,
    attempts: store.attempts,
    output,
    manifest,
    outcome,
    decision,
    startedMs,
    before,
    sound: await world.sound?.([...store.attempts.values()]),
    keptBy: keptElsewhere(settings, opened),
    ...filesAway(opened, new Set([...notPulled, ...leftOut])),
  });
}

/** Who may still have a missing file: the store that could not be read or, without one, the service or a machine. */
function filesAway({ store, audio }: Opened, unclear: ReadonlySet<string>) {
  return {
    ...(audio === undefined && { machineWith: store.sharing?.keptBy }),
    fetchable: ({ attempt }: Attempt) => unclear.has(attempt),
  };
}

/** A file that moves twice, out of the way and on, counts once. */
function reportMoves(
  world: World,
  { placeOf = String }: BatchSettings,
  moves: readonly FileMove[],
  stuck: readonly FileMove[],
): void {
  const moved = new Set(moves.map(({ attempt }) => attempt));
  for (const { attempt, from, to } of stuck) {
    moved.delete(attempt);
    const message = `could not move ${shellWord(placeOf(from))} to ${shellWord(placeOf(to))}: it stays where it is`;
    emitNotice(world, 'warning', 'not-moved', message);
  }
  if (moved.size === 0) return;
  const files =
    moved.size === 1
      ? '1 file was moved to its new name'
      : `${moved.size} files were moved to their new names`;
  emitNotice(world, 'info', 'files-moved', `${files}, at no cost`);
}

async function executePurchases(
  world: World,
  settings: BatchSettings,
  { store, rescue, checkLock, audio, halt }: Opened & Ending,
  manifest: Manifest | undefined,
  decision: BuyDecision & Pick<RunInput, 'known' | 'limiter'>,
  output: Output,
): Promise<RunOutcome> {
  const { account, ports } = world;
  const nothing: RunOutcome = { stopReasons: new Set(), spentMicroUsd: 0, madeCount: 0 };
  const purchases = decision.approved ? (decision.prepared?.plan.purchases ?? []) : [];
  const toCollect = [...store.attempts.values()].filter((one) => isInFlight(one) || isClaimed(one));
  if (purchases.length === 0 && toCollect.length === 0) return nothing;
  if (account === undefined) {
    // Already reported if it prevented a purchase.
    if (decision.refusal !== EXIT.authentication) world.show([noKey(settings, toCollect.length)], new Map());
    return { ...nothing, stopReasons: new Set(['authentication']) };
  }
  emitPhase(world, 'generate');
  const client = createClient(world.transport, redactorOf(world), account);
  const limits = decision.prepared?.balance?.limits ?? (await currentLimits(client));
  return execute({
    ports,
    client,
    store,
    checkLock,
    purchases,
    takes: manifest?.takes ?? [],
    known: decision.known,
    limiter: decision.limiter,
    approvedMicroUsd: decision.approved ? (decision.prepared?.plan.totalMicroUsd ?? 0) : 0,
    budgetMicroUsd: lowest(settings.budgetMicroUsd, manifest?.budgetMicroUsd),
    keySignature: keySignatureOf(store.header, account),
    ...(limits === undefined ? {} : { limits }),
    requestsMax: account.kind === 'wallet' ? WALLET_REQUESTS_MAX : undefined,
    settings: withConcurrency(settings, manifest),
    output,
    rescue,
    audio,
    stop: world.stop,
    halt,
    emit: (event) => world.emit(event),
  });
}

async function currentLimits(client: VeniceClient): Promise<RateLimits | undefined> {
  const limits = await client.rateLimits();
  return limits.ok ? limits.value : undefined;
}

/** Flag and environment override the manifest. */
function withConcurrency(settings: BatchSettings, manifest: Manifest | undefined): BatchSettings {
  const concurrency = settings.concurrency ?? manifest?.concurrency;
  return concurrency === undefined ? settings : { ...settings, concurrency };
}
