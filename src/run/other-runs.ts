import { emitNotice } from '../core/emit-notice.js';
import { BatchError } from '../core/errors.js';
import type { OtherRunsWaitedFor } from '../core/events.js';
import { BEAT_EVERY_MS, SILENT_MS } from '../core/run-silence.js';
import type { Attempt } from '../lockfile/attempt.js';
import type { LockStore, Sharing } from '../lockfile/lock-store.js';
import { isClaimed, isInFlight, isStaleClaim } from '../plan/history.js';
import type { RunContext } from './context.js';
import { reportStoreFault } from './final-check.js';

/** How often the log is read for changes by others while there is nothing to write. */
const LOOK_EVERY_MS = 20_000;

export interface OtherRuns {
  /**
   * Called when this run has nothing left to do after so many actions. `looked`: the log was read once more, and may
   * contain something to do. `busy`: another run that is alive still works on something, so wait for it.
   */
  atEnd(actions: number): Promise<'over' | 'looked' | 'busy'>;
  /** What this run has to wait for before it may end. */
  waitedFor(): OtherRunsWaitedFor | undefined;
  close(): void;
}

const NOBODY: OtherRuns = { atEnd: async () => 'over', waitedFor: () => undefined, close: () => {} };

/** Whether this run is responsible for the attempt: its own, those of dead runs, or all if no log is shared. */
export function isOurs({ sharing }: LockStore, attempt: Attempt): boolean {
  const holder = sharing?.holderOf(attempt);
  return holder?.kind !== 'elsewhere' || holder.silent;
}

/**
 * Follows the other runs of a shared log during this one: signals that this run is alive, and takes over collecting
 * from a run that has gone silent. Collecting twice is harmless.
 *
 * @param takeOver called with each attempt that this run takes over
 */
export function watchOtherRuns(
  context: RunContext,
  takeOver: (attempt: Attempt) => void,
  wake: () => void,
): OtherRuns {
  const { store, ports } = context;
  const { sharing } = store;
  if (sharing === undefined || context.settings.takeOver === true) return NOBODY;
  const over = new AbortController();
  /**
   * A run that only waits does not signal that it is alive. Otherwise two of them, each with a job that it has given up
   * on, would wait for each other for ever.
   */
  let isWaiting = false;
  const taken = new Set(
    [...store.attempts.values()].filter((one) => isOurs(store, one)).map(({ attempt }) => attempt),
  );
  const follow = async () => {
    let beatMs = ports.clock.nowMs();
    // Others may collect what a halted run leaves, even while it still waits for a response.
    const isOver = () => over.signal.aborted || context.halt.signal.aborted;
    while (!isOver()) {
      await ports.clock.sleep(LOOK_EVERY_MS, over.signal);
      if (isOver()) return;
      const beats = !isWaiting && ports.clock.nowMs() - beatMs >= BEAT_EVERY_MS;
      if (beats) beatMs = ports.clock.nowMs();
      await look(context, sharing, beats);
      for (const attempt of silentOnes(store, taken)) {
        taken.add(attempt.attempt);
        isWaiting = false;
        takeOver(attempt);
      }
      wake();
    }
  };
  void follow().catch((fault: unknown) => {
    context.fault = fault;
    context.halt.abort();
    wake();
  });
  let lookedAfter: number | undefined;
  let waitingReported = false;
  return {
    atEnd: async (actions) => {
      // What others claimed or released since this run last wrote is not known before.
      if (lookedAfter !== actions) {
        lookedAfter = actions;
        isWaiting = false;
        await look(context, sharing, false);
        return 'looked';
      }
      if (waitedFor(context) === undefined) return 'over';
      if (!waitingReported) reportWaiting(context);
      waitingReported = true;
      isWaiting = true;
      return 'busy';
    },
    waitedFor: () => waitedFor(context),
    close: () => over.abort(),
  };
}

function waitedFor(context: RunContext): OtherRunsWaitedFor | undefined {
  const { settings, store } = context;
  if (settings.detach) return undefined;
  const busy = [...store.attempts.values()].filter((one) => isBusy(context, one));
  if (busy.length === 0) return undefined;
  const heard = busy.filter(isInFlight).flatMap((attempt) => {
    const holder = store.sharing?.holderOf(attempt);
    return holder?.kind === 'elsewhere' ? (holder.heardMs ?? []) : [];
  });
  const heardMs = heard.length === 0 ? undefined : Math.max(...heard);
  return {
    takes: busy.length,
    heard_at: heardMs === undefined ? null : new Date(heardMs).toISOString(),
    collects_at: heardMs === undefined ? null : new Date(heardMs + SILENT_MS).toISOString(),
  };
}

async function look(context: RunContext, sharing: Sharing, beats: boolean): Promise<void> {
  try {
    if (beats) await sharing.beat();
    await sharing.refresh();
    context.followOthers();
  } catch (error) {
    if (!(error instanceof BatchError)) throw error;
    const fault = context.store.fault();
    if (fault?.kind === 'log') reportStoreFault(context, fault);
  }
}

/** In flight, and bought by a run that has gone silent. */
function silentOnes(store: LockStore, taken: ReadonlySet<string>): readonly Attempt[] {
  return [...store.attempts.values()].filter(
    (attempt) => isInFlight(attempt) && !taken.has(attempt.attempt) && isOurs(store, attempt),
  );
}

function isBusy({ store, ports }: RunContext, attempt: Attempt): boolean {
  if (isClaimed(attempt)) return !isOurs(store, attempt) && !isStaleClaim(attempt, ports.clock.nowMs());
  return isInFlight(attempt) && attempt.state !== 'unverified' && !isOurs(store, attempt);
}

/** Reports once that this run only waits for the others. */
function reportWaiting(context: RunContext): void {
  emitNotice(
    context,
    'info',
    'other-runs',
    'this run has nothing left to do: it waits for the other runs, and collects for any that is silent for 5 minutes',
  );
}
