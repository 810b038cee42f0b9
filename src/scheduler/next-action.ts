import type { Doing, Job, Kind, Lane } from './model-queue.js';
import { ROUTE_OF, unsubmitted } from './model-queue.js';
import {
  choosePrice,
  cycleMs,
  type Demand,
  nextAgeMs,
  POLL_GAP_MS,
  requestsLeft,
  type Tolls,
  tollsOf,
} from './poll-cost.js';
import type { Requests } from './rate-limiter.js';

/** What holds for one lane at one moment, from the run as a whole. */
export interface Rules {
  /** What one more request may be for. */
  readonly may: Readonly<Record<Doing, boolean>>;
  /** Whether anything is still to be submitted at all. */
  readonly submits: boolean;
  /** Jobs in flight at most that fall to this lane, where the user said a number. */
  readonly share: number | undefined;
  /** Whether the user's number leaves room for one more job in flight. */
  readonly hasPlace: boolean;
  /** What the other models may be expected to ask for, from budgets that all of them share. */
  others(): Requests;
}

export interface Ruled {
  readonly lane: Lane;
  readonly rules: Rules;
}

/** An action worth a request now; the lower the rank, the more it is worth. */
export interface Choice {
  readonly rank: number;
  readonly doing: Doing;
  readonly job: Job;
}

/** While nothing is known, one job is asked at this age. */
const SCOUT_AGE_MS = 3_000;
/** Clean-ups are put off as a reserve of useful requests, up to this many. */
const OWED_MAX = 30;
/** Without a number from the user: jobs in flight at most, where all requests share a budget, and where submits have their own. */
const WIDTH_MAX = 64;
const WIDTH_MAX_APART = 1_000;
/** Makes up for unevenness when as many jobs are kept in flight as the budget can collect. */
const WIDTH_RESERVE = 1.15;
/** The 95th percentile of run times until something is known, ms. */
const LONG_RUN_UNKNOWN_MS = 150_000;
/** Requests that each track takes at least. */
const REQUESTS_PER_TRACK = 3;
/** Of the requests that polls and submits may be expected to need, what is kept for them before a clean-up. */
const KEPT_SHARE = 1.5;
/** Budget that lapses within this is spent on whatever may be of use, ms. */
const LAST_MOMENTS_MS = 2_500;
/** A poll that costs nothing is made when the job is done with at least this chance. */
const EARLY_CHANCE_MIN = 0.3;
/** In these moments: how often to look whether something has become worth it, ms. */
const LOOK_MS = 250;
/** Whatever comes: nobody is asked to call again sooner, ms. */
const WAKE_MS_MIN = 1;
/** Jobs in flight are put in order again after one action for so many of them. */
const JOBS_PER_PRICING = 8;
/** The first completions teach the most: until so many were seen, after every action. */
const LESSONS_EACH_PRICED = 8;

const NEVER = Number.POSITIVE_INFINITY;

/** The best action of the lane, its budget allowing. */
export function choose(lane: Lane, rules: Rules, nowMs: number): Choice | undefined {
  while (lane.held.peekKey() <= nowMs) lane.wanted.set(lane.held.pop()!, Number.NEGATIVE_INFINITY);
  const may = (doing: Doing): boolean => rules.may[doing] && opensAtMs(lane, doing, nowMs) <= nowMs;
  const [mayPoll, maySubmit, mayComplete] = [may('poll'), may('submit'), may('complete')];
  if (!mayPoll && !maySubmit && !mayComplete) return undefined;
  price(lane, rules, nowMs);
  const owed = mayComplete && lane.owed.peekKey() <= nowMs ? lane.owed.peek() : undefined;
  const next = mayPoll ? lane.flight.peek() : undefined;
  const submit = maySubmit && !isKeptForScout(lane, nowMs) ? lane.wanted.peek() : undefined;
  if (owed !== undefined && lane.owed.size > OWED_MAX) return { rank: 0, doing: 'complete', job: owed };
  if (next !== undefined && lane.flight.peekKey() <= nowMs) return { rank: 1, doing: 'poll', job: next };
  if (submit !== undefined && hasRoom(lane, rules)) return { rank: 2, doing: 'submit', job: submit };
  if (owed !== undefined && spareAtMs(lane, rules, nowMs) <= nowMs)
    return { rank: 3, doing: 'complete', job: owed };
  if (lastMomentsMs(lane, nowMs) > nowMs) return undefined;
  if (submit !== undefined && mayRunAhead(lane, rules)) return { rank: 4, doing: 'submit', job: submit };
  if (next !== undefined && isWorthEarly(next, nowMs)) return { rank: 5, doing: 'poll', job: next };
  return undefined;
}

/** When the lane may have an action, if it has none now and nothing is told meanwhile. `Infinity`: never. */
export function wakesAtMs(lane: Lane, rules: Rules, nowMs: number): number {
  const { flight, owed, held, wanted } = lane;
  const { may } = rules;
  let wakeMs = NEVER;
  const at = (doing: Doing, dueMs: number): void => {
    if (dueMs < NEVER) wakeMs = Math.min(wakeMs, Math.max(dueMs, opensAtMs(lane, doing, nowMs)));
  };
  if (may.poll && flight.size > 0) at('poll', Math.min(flight.peekKey(), nextLookMs(lane, nowMs)));
  if (may.complete && owed.size > 0) {
    const spareMs = owed.size > OWED_MAX ? nowMs : spareAtMs(lane, rules, nowMs);
    at('complete', Math.max(owed.peekKey(), spareMs));
  }
  if (may.submit && !isKeptForScout(lane, nowMs)) {
    at('submit', held.peekKey());
    if (wanted.size > 0 && hasRoom(lane, rules)) at('submit', nowMs);
    else if (wanted.size > 0 && mayRunAhead(lane, rules)) at('submit', nextLookMs(lane, nowMs));
  }
  return wakeMs === NEVER ? NEVER : Math.max(wakeMs, nowMs + WAKE_MS_MIN);
}

/** From when on the limits let such a request go, as far as is known now. */
export function opensAtMs({ limits, breaker }: Lane, doing: Doing, nowMs: number): number {
  const route = ROUTE_OF[doing];
  const limitMs = limits.credit(route, nowMs) >= 1 ? nowMs : limits.opensAtMs(route, nowMs);
  return doing === 'submit' && !breaker.allows(nowMs) ? Math.max(limitMs, breaker.opensAtMs(nowMs)) : limitMs;
}

/** When to look at the last moments of the budget; again and again once they have come. */
function nextLookMs(lane: Lane, nowMs: number): number {
  const lastMs = lastMomentsMs(lane, nowMs);
  return lastMs > nowMs ? lastMs : nowMs + LOOK_MS;
}

/** When a job is to be asked next. */
export function dueMs(job: Job): number {
  const ageMs =
    job.lane.scout === job
      ? SCOUT_AGE_MS
      : nextAgeMs(job.kind.times.survival(), job.ranMs, job.lane.toll.priceMs);
  return Math.max(job.holdMs, job.sentMs + POLL_GAP_MS, job.bornMs + ageMs);
}

export function demandOf(lane: Lane, rules: Rules, nowMs: number): Demand {
  return {
    unsubmitted: rules.submits ? unsubmitted(lane) : 0,
    inFlight: lane.inFlight,
    unasked: lane.unasked,
    owed: lane.owed.size,
    width: widthOf(lane, rules),
    meanMs: average(lane, (kind) => kind.times.survival().meanMs),
    spanMs: (requests) => lane.limits.spanMs(plus(requests, rules.others()), nowMs),
    submitsApart: !lane.limits.isShared(),
  };
}

/** What the lane may be expected to ask for by all that is known. */
export function needsOf(lane: Lane, submits: boolean): ReturnType<typeof requestsLeft> {
  const demand = {
    unsubmitted: submits ? unsubmitted(lane) : 0,
    inFlight: lane.inFlight,
    unasked: lane.unasked,
    owed: lane.owed.size,
  };
  return requestsLeft(demand, lane.toll);
}

function plus(one: Requests, other: Requests): Requests {
  const sum: Record<string, number> = { ...one };
  for (const [route, count] of Object.entries(other)) if (sum[route] !== undefined) sum[route] += count;
  return sum;
}

/** Sets the price of a poll by what is known now, and puts the jobs in flight in the order that follows. */
function price(lane: Lane, rules: Rules, nowMs: number): void {
  const isLearning = lane.pooled.count() < LESSONS_EACH_PRICED;
  if (!isLearning && lane.actionsSincePriced * JOBS_PER_PRICING < lane.flight.size) return;
  lane.actionsSincePriced = 0;
  let changed = false;
  for (const kind of lane.kinds.values()) {
    const survival = kind.times.survival();
    if (survival === kind.orderedBy) continue;
    kind.orderedBy = survival;
    changed = true;
  }
  const tolls = laneTolls(lane);
  // Where requests cost nothing there is nothing to weigh.
  const free = lane.limits.perMinute('retrieve') === NEVER;
  const step = free ? 0 : choosePrice(demandOf(lane, rules, nowMs), tolls, lane.priceStep);
  changed ||= step !== lane.priceStep;
  lane.priceStep = step;
  lane.toll = tolls(step);
  if (!changed) return;
  for (const job of [...lane.flight.items()]) lane.flight.set(job, dueMs(job));
}

/** Jobs in flight: the user's number, or as many as the request budget can collect. */
function widthOf(lane: Lane, rules: Rules): number {
  if (rules.share !== undefined) return rules.share;
  const longMs = lane.pooled.known()
    ? average(lane, (kind) => kind.times.survival().quantileMs(0.95))
    : LONG_RUN_UNKNOWN_MS;
  if (!lane.limits.isShared()) {
    const submitsMax = lane.limits.perMinute('queue');
    return Math.min(WIDTH_MAX_APART, Math.ceil(WIDTH_RESERVE * submitsMax * (1 + longMs / 60_000)));
  }
  const tracksPerMs = lane.limits.perMinute('queue') / REQUESTS_PER_TRACK / 60_000;
  return Math.min(WIDTH_MAX, Math.ceil(WIDTH_RESERVE * tracksPerMs * longMs) + 1);
}

/** Whether the last request of the budget is the scout's. */
function isKeptForScout(lane: Lane, nowMs: number): boolean {
  return typeof lane.scout === 'object' && lane.limits.sharedCredit(nowMs) < 2;
}

/** Whether one more job may be in flight. */
export function hasRoom(lane: Lane, rules: Rules): boolean {
  return rules.share === undefined ? lane.inFlight < widthOf(lane, rules) : rules.hasPlace;
}

/** Whether budget that would lapse may submit more than can be collected without delay. */
function mayRunAhead(lane: Lane, rules: Rules): boolean {
  return rules.share === undefined && lane.limits.isShared() && lane.inFlight < WIDTH_MAX;
}

/** From when on the budget is more than polls and submits may be expected to need before it lapses. */
function spareAtMs(lane: Lane, rules: Rules, nowMs: number): number {
  const { limits, toll } = lane;
  const credit = limits.sharedCredit(nowMs);
  if (!rules.submits || unsubmitted(lane) === 0 || credit === NEVER) return nowMs;
  const lapsesMs = limits.lapsesAtMs(nowMs);
  if (lapsesMs === NEVER) return credit > limits.perMinute('complete') / 2 ? nowMs : NEVER;
  const { width, meanMs, inFlight } = demandOf(lane, rules, nowMs);
  const busy = Math.min(width, unsubmitted(lane) + inFlight);
  const neededPerMs = (KEPT_SHARE * busy * (1 + toll.polls)) / cycleMs(meanMs, toll);
  return lapsesMs - (credit - 1) / neededPerMs;
}

/** When what is left of the budget is about to lapse. */
function lastMomentsMs(lane: Lane, nowMs: number): number {
  return lane.limits.lapsesAtMs(nowMs) - LAST_MOMENTS_MS;
}

function isWorthEarly(job: Job, nowMs: number): boolean {
  if (nowMs < Math.max(job.holdMs, job.sentMs + POLL_GAP_MS)) return false;
  const survival = job.kind.times.survival();
  const alive = survival.at(job.ranMs);
  return alive <= 0 || 1 - survival.at(nowMs - job.bornMs) / alive >= EARLY_CHANCE_MIN;
}

/** Over the jobs of the lane that are not stored yet. */
function average(lane: Lane, of: (kind: Kind) => number): number {
  let sum = 0;
  let jobs = 0;
  for (const kind of lane.kinds.values()) {
    sum += kind.jobs * of(kind);
    jobs += kind.jobs;
  }
  return jobs === 0 ? 0 : sum / jobs;
}

function laneTolls(lane: Lane): Tolls {
  const kinds = [...lane.kinds.values()].filter((kind) => kind.jobs > 0);
  if (kinds.length === 0) return () => lane.toll;
  if (kinds.length === 1) return tollsOf(kinds[0]!.times.survival());
  return (step) => ({
    priceMs: tollsOf(kinds[0]!.times.survival())(step).priceMs,
    polls: average(lane, (kind) => tollsOf(kind.times.survival())(step).polls),
    waitMs: average(lane, (kind) => tollsOf(kind.times.survival())(step).waitMs),
  });
}
