import { type CircuitBreaker, createCircuitBreaker } from './circuit-breaker.js';
import type { Toll } from './poll-cost.js';
import { createHeap, type Heap } from './priority-queue.js';
import type { ModelLimits, Route, Ticket } from './rate-limiter.js';
import { createRunTimes, type RunTimes, type Survival } from './run-time-estimator.js';

/** Jobs of one model and about the same length: alike in how long they run. */
export interface Kind {
  readonly times: RunTimes;
  /** By which its jobs in flight were last put in order. */
  orderedBy: Survival | undefined;
  /** Its jobs that are not stored yet. */
  jobs: number;
}

export type Doing = 'submit' | 'poll' | 'complete';

/** The route that each action asks. */
export const ROUTE_OF = { submit: 'queue', poll: 'retrieve', complete: 'complete' } as const satisfies Record<
  Doing,
  Route
>;

/** One job as the scheduler sees it. Times in ms. */
export interface Job {
  readonly id: string;
  readonly lane: Lane;
  readonly kind: Kind;
  /** `wanted` → `flight` → `owed`. */
  state: 'wanted' | 'flight' | 'owed';
  /** The action given out and not yet settled. */
  doing: Doing | undefined;
  /** Of its request, until it is answered. */
  ticket: Ticket | undefined;
  /** When the latest action was given out. */
  sentMs: number;
  /** Not queued before. */
  bornAfterMs: number;
  /** When it was queued, as near as is known. */
  bornMs: number;
  /** The age up to which it is known to have been running; 0: not asked yet. */
  ranMs: number;
  /** Not to be asked before. */
  holdMs: number;
}

/** All that concerns one model: its request limits, what is known of its run times, and its jobs that await an action. */
export interface Lane {
  readonly model: string;
  readonly limits: ModelLimits;
  /** Whether the model takes submits at all. */
  readonly breaker: CircuitBreaker;
  readonly kinds: Map<number, Kind>;
  /** Over all lengths: what a new length starts from. */
  readonly pooled: RunTimes;
  /** 80th percentile of the run times as the service reports it, ms. */
  toldMs: number | undefined;
  /** To be submitted, in order. */
  readonly wanted: Heap<Job>;
  /** To be submitted again, not before their key. */
  readonly held: Heap<Job>;
  /** To be polled, by when each is due. */
  readonly flight: Heap<Job>;
  /** Polls under way. */
  readonly polled: Set<Job>;
  /** Clean-ups owed, by when each may be made. */
  readonly owed: Heap<Job>;
  /** Submitted or being submitted, and not yet stored. */
  inFlight: number;
  /** Of these, jobs that were never seen running. */
  unasked: number;
  /** The first job queued while nothing is known of the run times: it is asked early, to learn what the service tells. */
  scout: Job | 'none yet' | 'back';
  /** Requests under way. */
  underWay: number;
  /** The step of the price of a poll now, and what it comes to for a job of average kind. */
  priceStep: number | undefined;
  toll: Toll;
  /** Actions given out since jobs were last put in order by it. */
  actionsSincePriced: number;
}

export function createLane(model: string, limits: ModelLimits): Lane {
  const pooled = createRunTimes();
  return {
    model,
    limits,
    breaker: createCircuitBreaker(),
    kinds: new Map(),
    pooled,
    toldMs: undefined,
    wanted: createHeap(),
    held: createHeap(),
    flight: createHeap(),
    polled: new Set(),
    owed: createHeap(),
    inFlight: 0,
    unasked: 0,
    scout: 'none yet',
    underWay: 0,
    priceStep: undefined,
    toll: { priceMs: 2_000, polls: 1, waitMs: 2_000 },
    actionsSincePriced: Number.POSITIVE_INFINITY,
  };
}

/** Lengths are taken as alike within a factor of about 1.4. */
export function kindOf(lane: Lane, durationSeconds: number | undefined): Kind {
  const key = durationSeconds === undefined ? -1 : Math.round(2 * Math.log2(Math.max(1, durationSeconds)));
  const found = lane.kinds.get(key);
  if (found !== undefined) return found;
  const times = createRunTimes(lane.pooled);
  if (lane.toldMs !== undefined) times.told(lane.toldMs);
  const kind: Kind = { times, orderedBy: undefined, jobs: 0 };
  lane.kinds.set(key, kind);
  return kind;
}

export function learnTold(lane: Lane, p80Ms: number): void {
  lane.toldMs = p80Ms;
  lane.pooled.told(p80Ms);
  for (const { times } of lane.kinds.values()) times.told(p80Ms);
}

/** Tracks that are still to be submitted. */
export function unsubmitted(lane: Lane): number {
  return lane.wanted.size + lane.held.size;
}
