import type { Pacer } from '../venice/pace.js';
import type { Heap } from './heap.js';
import { createHeap } from './heap.js';
import type { RunTimes, Survival } from './learn.js';
import { createRunTimes } from './learn.js';
import type { Toll } from './price.js';

/** One job as the scheduler sees it. Times in ms. */
export interface Job {
  readonly id: string;
  readonly lane: Lane;
  readonly durationSeconds: number | undefined;
  /** `wanted` → `flight` → `owed`. */
  state: 'wanted' | 'flight' | 'owed';
  /** The action given out and not yet settled. */
  doing: 'submit' | 'poll' | 'complete' | undefined;
  /** Of its request, until it is answered. */
  ticket: number | undefined;
  /** When the request of the latest action was sent. */
  sentMs: number;
  /** When it was queued, as near as is known. */
  bornMs: number;
  /** The age up to which it is known to have been running. */
  ranMs: number;
  polls: number;
  holdMs: number;
}

/** All that concerns one model: its budget and its jobs that await an action, by when it is due. */
export interface Lane {
  readonly model: string;
  readonly pacer: Pacer;
  /** To be submitted, in the order of arrival. */
  readonly wanted: Heap<Job>;
  /** To be submitted again, not before their key. */
  readonly held: Heap<Job>;
  /** To be polled, by when it is due. */
  readonly flight: Heap<Job>;
  /** Clean-ups owed, by when they may be made. */
  readonly owed: Heap<Job>;
  /** Submitted or being submitted, and not yet stored. */
  inFlight: number;
  readonly times: RunTimes;
  survival: Survival | undefined;
  tolls: readonly Toll[];
  priceMs: number;
}

export function createLane(model: string, pacer: Pacer): Lane {
  return {
    model,
    pacer,
    wanted: createHeap(),
    held: createHeap(),
    flight: createHeap(),
    owed: createHeap(),
    inFlight: 0,
    times: createRunTimes(),
    survival: undefined,
    tolls: [],
    priceMs: 2_000,
  };
}
