import { BatchError } from '../core/errors.js';
import type { Clock } from '../core/ports.js';
import { SILENT_MS, WORKING_MS } from '../core/run-silence.js';
import { type Attempt, isStored } from '../lockfile/attempt.js';
import type { Holder, LockStore, Recorded, RecordLimits, Sharing } from '../lockfile/lock-store.js';
import { createHearing } from './heard.js';
import {
  type Arriving,
  doubtsApart,
  isAhead,
  isBehind,
  isMove,
  placedApart,
  settledByLog,
  shareable,
  sharedRev,
} from './placement.js';
import type { SharedLog } from './shared-log.js';

export interface SharedStoreInput {
  /** Absent if it could not be opened; `fault` says why. */
  readonly log: SharedLog | undefined;
  readonly fault?: BatchError | undefined;
  /** Of the log, without secrets. */
  readonly address: string;
  /** The lockfile of this machine. */
  readonly mirror: LockStore;
  /** This run's id. */
  readonly run: string;
  /** Ids of runs with this lockfile on this machine that have certainly ended. */
  readonly ended: ReadonlySet<string>;
  readonly clock: Clock;
}

/**
 * A `LockStore` whose records are in a shared log, with the lockfile as this machine's copy. An intent is written to
 * the log first; an outcome goes to both at once, and if the log cannot take it, it is kept in the lockfile and written
 * to the log later. Until then nothing is bought.
 */
export function createSharedStore(input: SharedStoreInput): SharedStore {
  const core: Core = {
    ...input,
    fault: input.fault,
    seen: 0,
    currentMs: input.clock.nowMs(),
    heardMs: createHearing(input.clock),
  };
  const { mirror, address, run } = core;
  let open = true;
  const letGo = async () => {
    if (!open) return;
    open = false;
    await core.log?.close();
  };
  return {
    header: mirror.header,
    attempts: mirror.attempts,
    newest: mirror.newest,
    confirm: mirror.confirm,
    sharing: {
      address,
      run,
      holderOf: (attempt) => holderOf(core, attempt),
      keptBy: (attempt) => keptBy(core, attempt),
      unseen: () => unseen(core),
      runs: () => runsNow(core),
      refresh: () =>
        guarded(core, async (log) => {
          const startMs = core.clock.nowMs();
          await log.refresh();
          await reconcile(core, log);
          core.currentMs = startMs;
        }),
      has: (attempt) => {
        const shared = core.log?.attempts.get(attempt.attempt);
        if (shared === undefined || isAhead(attempt, shared)) return false;
        // This machine may have been suspended since it read the log.
        if (!(core.clock.nowMs() - core.currentMs < WORKING_MS)) return false;
        // Another machine may have given up meanwhile what this one has stored.
        return attempt.state !== 'stored' || isStored(shared);
      },
      beat: () => guarded(core, (log) => log.beat()),
      prove: () => guarded(core, (log) => log.prove()),
    },
    reconcile: () => guarded(core, (log) => reconcile(core, log)),
    async record(attempt, limits = {}) {
      if (attempt.state === 'intent') return claim(core, attempt, limits);
      const known = mirror.newest(attempt.attempt);
      if (known !== undefined && isMove(known, attempt)) {
        const logged = isKnownInLog(core, attempt, known);
        return mirror.record({ ...attempt, ...(logged && { log_rev: sharedRev(known) }) });
      }
      return settle(core, attempt, known, limits);
    },
    fault() {
      const error = core.fault ?? core.log?.fault();
      return mirror.fault() ?? (error === undefined ? undefined : { kind: 'log', error });
    },
    async close() {
      if (open && core.log !== undefined && core.fault !== undefined)
        await guarded(core, (log) => reconcile(core, log)).catch(() => {});
      await letGo();
      await mirror.close();
    },
    async abandon() {
      await letGo();
      await mirror.abandon();
    },
  };
}

export interface SharedStore extends LockStore {
  readonly sharing: Sharing;
  /** Makes lockfile and log consistent. Returns how many records were added to the log. Rejects with a `BatchError`. */
  reconcile(): Promise<number>;
}

interface Core extends Omit<SharedStoreInput, 'fault'> {
  /** Why records have not reached the log yet. */
  fault: BatchError | undefined;
  /** When the log was last read to its end, in ms. */
  currentMs: number;
  /** Number of the log's attempts that `unseen` has returned or skipped. */
  seen: number;
  readonly heardMs: ReturnType<typeof createHearing>;
}

/** Uses the log, and remembers the error if that fails. */
async function guarded<T>(core: Core, work: (log: SharedLog) => Promise<T>): Promise<T> {
  try {
    if (core.log === undefined) throw core.fault;
    return await work(core.log);
  } catch (error) {
    if (error instanceof BatchError) core.fault = error;
    throw error;
  }
}

/** Only such an attempt has a `log_rev`: one that the log lacks later was deleted from it. */
function isKnownInLog({ log }: Core, { attempt }: Attempt, known: Attempt | undefined): boolean {
  return known?.log_rev !== undefined || log?.attempts.has(attempt) === true;
}

async function claim(core: Core, intent: Attempt, limits: RecordLimits): Promise<Recorded> {
  const { mirror, run } = core;
  try {
    const answer = await guarded(core, (log) => {
      if (core.fault !== undefined) throw core.fault;
      return log.append(shareable(intent), {
        budgetMicroUsd: limits.budgetMicroUsd,
        over: limits.known,
      });
    });
    if (answer !== 'recorded') {
      await absorb(core);
      return answer;
    }
    // Reading the log may have brought it here already.
    if (mirror.newest(intent.attempt) === undefined)
      await mirror.record({ ...intent, run, log_rev: intent.rev });
    return 'recorded';
  } catch (error) {
    await takeBack(core, intent);
    throw error;
  }
}

/**
 * Nothing is sent after a failed claim, but the claim may be in the log: its outcome is written there as soon as
 * possible.
 */
async function takeBack(core: Core, intent: Attempt): Promise<void> {
  const known = core.mirror.newest(intent.attempt);
  const rejected: Attempt = {
    ...intent,
    rev: (known?.rev ?? intent.rev) + 1,
    state: 'rejected',
    reason: { code: 'not_sent' },
    at: { ...intent.at, rejected: new Date(core.clock.nowMs()).toISOString() },
  };
  // If neither accepts it, the next run of this machine finds the intent in the log, and treats it as in doubt.
  await settle(core, rejected, known, {}).catch(() => {});
}

async function settle(
  core: Core,
  attempt: Attempt,
  known: Attempt | undefined,
  { byPerson }: RecordLimits,
): Promise<Recorded> {
  const { mirror, ended } = core;
  const { run: _run, ...own } = attempt;
  // The process that made the intent is certainly gone: no other run will settle it.
  const mayOverrule = byPerson === true || (known?.run !== undefined && ended.has(known.run));
  const [kept, shared] = await Promise.allSettled([
    mirror.record({ ...own, ...(isKnownInLog(core, attempt, known) && { log_rev: attempt.rev }) }),
    guarded(core, (log) => log.append(shareable(attempt), { byPerson: mayOverrule })),
  ]);
  if (kept.status === 'rejected') throw kept.reason;
  if (shared.status === 'rejected') {
    // It is kept in the lockfile, and `reconcile` writes it to the log.
    if (shared.reason instanceof BatchError) return 'recorded';
    throw shared.reason;
  }
  if (shared.value === 'superseded') await absorb(core, attempt.attempt);
  if (core.fault !== undefined) await guarded(core, (log) => reconcile(core, log)).catch(() => {});
  return shared.value === 'superseded' ? 'superseded' : 'recorded';
}

async function reconcile(core: Core, log: SharedLog): Promise<number> {
  await absorb(core);
  const settled = settledByLog(core.mirror.attempts, log.attempts);
  const toAppend = [...core.mirror.attempts.values()].filter((known) => {
    // An intent is written to the log before it gets here, and an older one is settled first.
    if (known.state === 'intent' || settled.has(known.attempt)) return false;
    const shared = log.attempts.get(known.attempt);
    return shared === undefined || isAhead(known, shared);
  });
  await Promise.all(
    toAppend.map(async (known) => {
      const answer = await log.append({ ...shareable(known), rev: sharedRev(known) }, { byPerson: true });
      if (answer === 'superseded') await absorb(core, known.attempt);
    }),
  );
  core.fault = undefined;
  return toAppend.length;
}

/**
 * Copies newer records from the log to the lockfile.
 *
 * @param overruled the attempt of a record that the log did not accept: its version in the log is right
 */
async function absorb({ log, mirror }: Core, overruled?: string): Promise<void> {
  const apart = log === undefined ? new Map<string, Attempt>() : doubtsApart(mirror.attempts, log.attempts);
  // Durable before the log's records of these attempts replace them.
  for (const doubt of apart.values())
    if (log?.attempts.has(doubt.attempt) !== true && mirror.newest(doubt.attempt) === undefined)
      await mirror.record(doubt);
  const arriving: Arriving[] = [];
  for (const shared of log?.attempts.values() ?? []) {
    const known = mirror.newest(shared.attempt);
    const isRight =
      shared.attempt === overruled && (known?.queue_id === undefined || shared.queue_id !== undefined);
    const isNews = known === undefined || isRight || apart.has(shared.attempt) || isBehind(known, shared);
    if (!isNews) continue;
    arriving.push({ shared, known, run: log?.originOf(shared.attempt)?.run });
  }
  await Promise.all(placedApart(arriving, mirror.attempts).map((attempt) => mirror.record(attempt)));
}

function holderOf({ log, run, ended, clock, heardMs }: Core, attempt: Attempt): Holder {
  const origin = log?.originOf(attempt.attempt);
  const holder = attempt.state === 'intent' ? (attempt.run ?? origin?.run) : origin?.by;
  if (holder === undefined || holder === run || ended.has(holder)) return { kind: 'here' };
  const lastSeen = log?.lastSeen(holder);
  if (lastSeen === undefined) return { kind: 'elsewhere', silent: true };
  const atMs = heardMs(holder, lastSeen);
  return { kind: 'elsewhere', silent: clock.nowMs() - atMs > SILENT_MS, lastSeen, heardMs: atMs };
}

function keptBy({ log, run, ended }: Core, attempt: Attempt): string | undefined {
  const by = log?.originOf(attempt.attempt)?.by;
  if (attempt.file === undefined || by === undefined || by === run || ended.has(by)) return undefined;
  return log?.hostOf(by) ?? 'another machine';
}

/** The fold keeps attempts in order of first appearance. */
function unseen(core: Core): readonly Attempt[] {
  const all = core.log?.attempts;
  if (all === undefined || all.size === core.seen) return [];
  const found = [...all.values()].slice(core.seen);
  core.seen = all.size;
  return found.filter(({ attempt }) => core.log?.originOf(attempt)?.run !== core.run);
}

function runsNow({ log, run, ended, clock, heardMs }: Core): number {
  const sinceMs = clock.nowMs() - WORKING_MS;
  const others = [...(log?.runs() ?? [])].filter(
    ([id, at]) => id !== run && !ended.has(id) && heardMs(id, at) > sinceMs,
  );
  return others.length + 1;
}
