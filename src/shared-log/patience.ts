import type { Clock } from '../core/ports.js';
import { type ObjectStore, type PutAnswer, StoreFault } from './object-store.js';

/** After the user has stopped the run, a store may be silent for this long before nothing more is asked of it. */
const STOPPED_MS = 30_000;
/** The same where machines take turns: a push to a crowded git ref may take most of a minute. */
const STOPPED_IN_TURN_MS = 120_000;
/** The same for a store that did not answer before either. */
const STOPPED_UNREACHABLE_MS = 5_000;
/** A wait is shown after this long. */
const SHOWN_MS = 2_000;

/** Whether the last request that was retried for the full time got no answer. Until one does, the next ones get less. */
export interface Reach {
  isLost: boolean;
  /** It was shown that the run waits for an answer. */
  isShown: boolean;
}

/** How long to wait for one store, learned from its answers. Reads may be answered when writes are not. */
export interface Patience {
  readonly reads: Reach;
  readonly writes: Reach;
  /** Aborted when the run was stopped and the store is silent: nothing more is asked of it. */
  readonly over: AbortSignal;
  /** A request is repeated because the store does not answer. */
  repeated(direction: 'reads' | 'writes', sinceMs: number): void;
}

/**
 * What to show about a store that does not answer: `answers`: the run waits for it; `stopping`: the same, after the user
 * has stopped the run; `nothing`: the run no longer waits, and asks nothing more of it.
 */
export type WaitsFor = 'answers' | 'stopping' | 'nothing';

/** The end of the run, and who shows that it waits. */
export interface Stopping {
  /** The run was stopped. */
  readonly stop?: AbortSignal | undefined;
  /** Called when the run begins to wait, so that it can be shown. */
  waits?(what: WaitsFor): void;
}

/** Ends the waiting for one store once the run was stopped. */
export interface Waiting {
  readonly patience: Patience;
  /** @param unanswered what it comes to if the store is silent for too long */
  ask<T>(direction: 'reads' | 'writes', request: () => Promise<T>, unanswered: () => T): Promise<T>;
  /** A request without an answer makes progress: the store is not silent. */
  moved(): void;
  close(): void;
}

interface GivingUp {
  /** How long the store may be silent once the run was stopped. */
  readonly patientMs?: number;
  /** Called when nothing more is asked of it. */
  abandon?(): void;
}

export function createWaiting(
  clock: Clock,
  { stop, waits = () => {} }: Stopping,
  { patientMs = STOPPED_MS, abandon = () => {} }: GivingUp = {},
): Waiting {
  const over = new AbortController();
  const reaches = { reads: newReach(), writes: newReach() };
  /** Ends each request that has no answer. */
  const open = new Set<() => void>();
  let silence: AbortController | undefined;
  let isStopShown = false;

  async function countDown({ signal }: AbortController): Promise<void> {
    await clock.sleep(SHOWN_MS, signal);
    if (signal.aborted) return;
    if (!isStopShown) waits('stopping');
    isStopShown = true;
    const isLost = reaches.reads.isLost || reaches.writes.isLost;
    await clock.sleep((isLost ? STOPPED_UNREACHABLE_MS : patientMs) - SHOWN_MS, signal);
    if (signal.aborted) return;
    over.abort();
    for (const end of open) end();
    abandon();
    waits('nothing');
  }

  function begin(): void {
    if (stop?.aborted !== true || open.size === 0 || silence !== undefined || over.signal.aborted) return;
    silence = new AbortController();
    void countDown(silence);
  }

  function heard(): void {
    silence?.abort();
    silence = undefined;
  }

  function answered(reach: Reach): void {
    reach.isLost = false;
    reach.isShown = false;
    heard();
  }

  stop?.addEventListener('abort', begin, { once: true });
  return {
    ask: async (direction, request, unanswered) => {
      if (over.signal.aborted) throw silent();
      const reach = reaches[direction];
      let end = () => {};
      const ended = new Promise<void>((resolve) => {
        end = resolve;
      });
      open.add(end);
      begin();
      try {
        const result = request();
        const first = await Promise.race([result.then((value) => ({ value })), ended]);
        if (first === undefined) return unanswered();
        if (!isUnknown(first.value)) answered(reach);
        return first.value;
      } catch (fault) {
        if (!(fault instanceof StoreFault) || fault.kind !== 'unreachable') answered(reach);
        throw fault;
      } finally {
        open.delete(end);
        begin();
      }
    },
    moved: () => {
      heard();
      begin();
    },
    close: () => {
      stop?.removeEventListener('abort', begin);
      silence?.abort();
    },
    patience: {
      ...reaches,
      over: over.signal,
      repeated: (direction, sinceMs) => {
        const reach = reaches[direction];
        if (reach.isShown || stop?.aborted === true || clock.nowMs() - sinceMs < SHOWN_MS) return;
        reach.isShown = true;
        waits('answers');
      },
    },
  };
}

/**
 * Wraps the store so that, once the run was stopped, waiting for it comes to an end. A put without an answer is then
 * unknown, as always; what was not put is not in the store.
 */
export function withPatience(
  store: ObjectStore,
  clock: Clock,
  stop: AbortSignal | undefined,
  waits?: (what: WaitsFor) => void,
): { readonly store: ObjectStore; readonly patience: Patience } {
  const patientMs = store.takesTurns === true ? STOPPED_IN_TURN_MS : STOPPED_MS;
  const { ask, patience, close } = createWaiting(
    clock,
    { stop, ...(waits && { waits }) },
    { patientMs, abandon: () => store.abandon?.() },
  );
  const read = <T>(request: () => Promise<T>): Promise<T> => ask('reads', request, throwSilent);
  return {
    store: {
      ...store,
      putIfAbsent: (key, bytes) =>
        ask<PutAnswer>(
          'writes',
          () => store.putIfAbsent(key, bytes),
          () => ({ kind: 'unknown', why: silent() }),
        ),
      get: (key) => read(() => store.get(key)),
      list: (prefix) => read(() => store.list(prefix)),
      close: async () => {
        close();
        await store.close();
      },
    },
    patience,
  };
}

export function throwSilent(): never {
  throw silent();
}

function newReach(): Reach {
  return { isLost: false, isShown: false };
}

function silent(): StoreFault {
  return new StoreFault('unreachable', 'it did not answer after the run was stopped');
}

/** Such an answer leaves a request to be repeated. */
function isUnknown(answer: unknown): boolean {
  if (typeof answer !== 'object' || answer === null) return false;
  if ('status' in answer && typeof answer.status === 'number') return answer.status >= 500;
  return 'kind' in answer && answer.kind === 'unknown';
}
