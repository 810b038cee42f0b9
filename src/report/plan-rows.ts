import { unreachable } from '../core/errors.js';
import { takeKey } from '../core/take-key.js';
import type { Attempt } from '../lockfile/attempt.js';
import { isNothingHere } from '../plan/latest-attempts.js';
import type { BuyReason, ClosedCode, Decision, Plan, PlanRow, Purchase } from '../plan/plan.js';
import { escapeForeign } from './escape.js';
import { claimPhrase, fatePhrase, resolutionOf } from './phrases.js';

export type Mark = '+' | '~' | '=' | '>' | '?' | '!' | '-';

/** One line of a plan: a take of the manifest, or a job in flight that no take needs. */
export interface PlanLine {
  readonly key: string;
  readonly model: string;
  readonly action: Decision['kind'];
  readonly mark: Mark;
  /** In a few words; may contain untrusted text. */
  readonly why: string;
  /** Where its file moves to, or the file that is in the way: untrusted text, to be shown in full. */
  readonly file?: string | undefined;
  /** Present if it is to be bought and has a quote. */
  readonly purchase?: Purchase | undefined;
}

/** Numbers of takes by what a plan does. Each take counts once; orphans count as in flight. */
export interface Counts {
  buy: number;
  done: number;
  collect: number;
  /** In doubt, held, occupied or excluded. */
  other: number;
}

/** All lines: takes in the manifest's order, then orphans. */
export function planLines(plan: Plan, placeOf: (file: string) => string = String): readonly PlanLine[] {
  const purchases = new Map(plan.purchases.map((purchase) => [purchase.take.key, purchase]));
  const moves = new Map(plan.moves.map((move) => [move.attempt, placeOf(move.to)]));
  const elsewhere = isNothingHere(plan.rows);
  return [
    ...plan.rows.map((row) => lineOf(row, purchases.get(row.take.key), moves, elsewhere, placeOf)),
    ...plan.orphans.map(orphanLine),
  ];
}

function lineOf(
  row: PlanRow,
  purchase: Purchase | undefined,
  moves: ReadonlyMap<string, string>,
  elsewhere: boolean,
  placeOf: (file: string) => string,
): PlanLine {
  const { take, decision } = row;
  const file = fileOf(decision, moves, placeOf);
  return {
    key: take.key,
    // For takes in flight or done, this is the model they were submitted to, because the model is part of the request.
    model: take.request.model,
    action: decision.kind,
    mark: markOf(decision),
    why: whyOf(decision, elsewhere),
    file,
    purchase,
  };
}

function orphanLine(attempt: Attempt): PlanLine {
  return {
    key: takeKey(attempt),
    model: attempt.model,
    action: 'collect',
    mark: '>',
    why: `${flightPhrase(attempt)}, for an earlier request or track`,
  };
}

function markOf(decision: Decision): Mark {
  switch (decision.kind) {
    case 'buy':
      return decision.why.kind === 'changed' ? '~' : '+';
    case 'done':
      return '=';
    case 'collect':
      return '>';
    case 'in_doubt':
      return '?';
    case 'elsewhere':
      return decision.stale ? '?' : '>';
    case 'held':
    case 'occupied':
      return '!';
    case 'excluded':
      return decision.closed === undefined ? '-' : '!';
    default:
      return unreachable(decision);
  }
}

/** Where it moves to, or what is in the way. */
function fileOf(
  decision: Decision,
  moves: ReadonlyMap<string, string>,
  placeOf: (file: string) => string,
): string | undefined {
  if (decision.kind === 'occupied') return placeOf(decision.path);
  return decision.kind === 'done' ? moves.get(decision.attempt.attempt) : undefined;
}

function whyOf(decision: Decision, elsewhere: boolean): string {
  switch (decision.kind) {
    case 'buy':
      return reasonPhrase(decision.why);
    case 'done':
      if (decision.machine !== undefined) return `done, audio on ${escapeForeign(decision.machine)}`;
      if (decision.inStore === true) return 'done, in the audio store';
      if (decision.elsewhere === true) return 'done, audio kept elsewhere';
      return 'done';
    case 'occupied':
      return 'a file is in the way';
    case 'collect':
      return flightPhrase(decision.attempt);
    case 'in_doubt':
      return 'in doubt: see `resolve`';
    case 'elsewhere':
      return claimPhrase(decision);
    case 'held':
      return `${pastPhrase(decision.attempt)}${remedy(decision, elsewhere)}`;
    case 'excluded':
      return `${decision.closed === undefined ? 'left out' : CLOSED[decision.closed]} (${reasonPhrase(decision.why)})`;
    default:
      return unreachable(decision);
  }
}

const CLOSED = {
  'model-refused': 'this key may not use the model',
  'unknown-model': 'the model is not offered',
} as const satisfies Record<ClosedCode, string>;

/** What gets it anyway. Buying it again is not offered if the file is probably in another folder. */
function remedy({ because, fetchable }: Extract<Decision, { kind: 'held' }>, elsewhere: boolean): string {
  if (because === 'rejected') return ': change it';
  if (fetchable === true) return ': `collect`';
  return because === 'missing' && elsewhere ? '' : ': --retry-failed';
}

/** Why a take is bought: `new`, `prompt changed`, `again: failed`, `resolved as not charged`. */
export function reasonPhrase(why: BuyReason): string {
  switch (why.kind) {
    case 'new':
      return 'new';
    case 'changed':
      return `${why.fields.length === 0 ? 'request' : why.fields.join(', ')} changed`;
    case 'retry':
      return resolutionOf(why.earlier.reason?.code) ?? `again: ${pastPhrase(why.earlier)}`;
    case 'forced':
      return 'again: --force';
    default:
      return unreachable(why);
  }
}

function flightPhrase(attempt: Attempt): string {
  if (attempt.state === 'stored') return 'remote copy still to delete';
  return attempt.state === 'unverified' ? 'to be downloaded again' : 'in flight';
}

/** The outcome of an attempt that is not in flight. */
function pastPhrase(attempt: Attempt): string {
  if (attempt.state === 'done') return 'its file is missing';
  const { state, reason } = attempt;
  return fatePhrase(state, reason);
}

/** Counts by model, in order of first appearance. */
export function countsByModel(lines: readonly PlanLine[]): ReadonlyMap<string, Counts> {
  const byModel = new Map<string, Counts>();
  for (const { model, action } of lines) {
    const counts = byModel.get(model) ?? { buy: 0, done: 0, collect: 0, other: 0 };
    byModel.set(model, counts);
    counts[action === 'buy' || action === 'done' || action === 'collect' ? action : 'other']++;
  }
  return byModel;
}

/** Cost of the purchases in integer micro-dollars, by requested model. */
export function costByModel(plan: Plan): ReadonlyMap<string, number> {
  const byModel = new Map<string, number>();
  for (const { request, quote } of plan.purchases)
    byModel.set(request.model, (byModel.get(request.model) ?? 0) + quote.microUsd);
  return byModel;
}
