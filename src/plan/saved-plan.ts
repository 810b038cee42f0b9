import { createHash } from 'node:crypto';
import type { Code } from '../core/codes.js';
import type { Diagnostic } from '../core/diagnostic.js';
import { formatUsd } from '../core/money.js';
import { shownEndpoint } from '../core/shown-address.js';
import type { Attempt } from '../lockfile/attempt.js';
import type { Take } from '../manifest/take.js';
import { takeId } from './history.js';
import type { Plan, Purchase } from './plan.js';
import type { Selection } from './selection.js';
import { listed } from './text.js';

/**
 * A plan as saved by `plan --out`: what to buy at which price, and the state it is based on. Applying it approves it,
 * so it can be used once and only for exactly that state. It is bound to attempts only by their ids: collecting leaves
 * a plan valid, while any later submit (even a refused one) invalidates it, because its intent stays in the lockfile.
 * Field names are those of the file.
 */
export interface SavedPlan {
  readonly format: 'venice-batch-plan';
  readonly version: 1;
  /** Base URL, or `sandbox:`. */
  readonly endpoint: string;
  /** Of the lockfile; `null` if there was none yet. */
  readonly lineage: string | null;
  /** SHA-256 (hex) of the ids of all attempts in the lockfile. */
  readonly attempts_sha256: string;
  /** SHA-256 (hex) of the request and path of every take in the manifest. */
  readonly manifest_sha256: string;
  /** Empty: not restricted, or nothing bought. */
  readonly only: readonly string[];
  readonly except: readonly string[];
  readonly force: readonly string[];
  readonly retry_failed: boolean;
  /** The lowest that applied, in integer micro-dollars. */
  readonly budget_micro_usd: number | null;
  /** Of the purchases, in integer micro-dollars. */
  readonly total_micro_usd: number;
  readonly purchases: readonly SavedPurchase[];
}

export interface SavedPurchase {
  readonly key: string;
  readonly track: string;
  readonly take: number;
  readonly digest: string;
  /** Integer micro-dollars: the most that may be paid for it. */
  readonly price_micro_usd: number;
  /** How many attempts with exactly this request there were. */
  readonly attempts_before: number;
}

/** The state that a plan is based on. */
export interface PlanBasis {
  readonly endpoint: string;
  /** Absent if there is no lockfile yet. */
  readonly lineage?: string | undefined;
  readonly attempts: readonly Attempt[];
  readonly takes: readonly Take[];
}

/** Tracks named in one message at most. */
const NAMED_MAX = 5;

export function savePlan(plan: Plan, selection: Selection, basis: PlanBasis): SavedPlan {
  const tries = countTries(basis.attempts);
  return {
    format: 'venice-batch-plan',
    version: 1,
    endpoint: basis.endpoint,
    lineage: basis.lineage ?? null,
    attempts_sha256: attemptsDigest(basis.attempts),
    manifest_sha256: takesDigest(
      boundTakes(
        basis.takes,
        plan.purchases.map(({ take }) => take),
      ),
    ),
    only: selection.only ?? [],
    except: [...(selection.except ?? []), ...pickedIn(selection, basis.takes)],
    force: selection.force,
    retry_failed: selection.retryFailed,
    budget_micro_usd: plan.budgetMicroUsd ?? null,
    total_micro_usd: plan.totalMicroUsd,
    purchases: plan.purchases.map(({ take, quote }) => ({
      key: take.key,
      track: take.track,
      take: take.take,
      digest: take.digest,
      price_micro_usd: quote.microUsd,
      attempts_before: tries.get(tryId(take)) ?? 0,
    })),
  };
}

/** The picks may have changed since: the plan still excludes what it excluded when it was saved. */
function pickedIn({ picked }: Selection, takes: readonly Take[]): readonly string[] {
  const tracks = new Set(takes.map(({ track }) => track));
  return [...tracks].filter((track) => picked?.has(track) === true);
}

export function selectionOf(saved: SavedPlan): Selection {
  const { only, except, force, retry_failed } = saved;
  return {
    only: only.length === 0 ? undefined : only,
    except,
    force,
    retryFailed: retry_failed,
    saved: true,
  };
}

/**
 * Why a saved plan cannot be applied to this state, or `undefined`: `plan-other-endpoint`, `plan-used`, `plan-stale`.
 * Needs no prices, so none are requested in vain.
 */
export function checkBasis(saved: SavedPlan, basis: PlanBasis): Diagnostic | undefined {
  if (saved.endpoint !== basis.endpoint)
    return refusal(
      'plan-other-endpoint',
      `the plan was made for ${shownEndpoint(saved.endpoint)}, not for ${basis.endpoint}`,
    );
  if (saved.lineage !== null && saved.lineage !== basis.lineage)
    return refusal('plan-stale', 'the lockfile is not the one that the plan was made with');
  if (saved.attempts_sha256 !== attemptsDigest(basis.attempts)) return afterSubmits(saved, basis.attempts);
  if (saved.manifest_sha256 !== takesDigest(boundTakes(basis.takes, saved.purchases)))
    return afterEdits(saved, basis.takes);
  return undefined;
}

/**
 * Why the plan as it would be now differs from the saved one, or `undefined`: `plan-stale`, or `price-rose` for any
 * price above the saved one. A lower price is accepted.
 */
export function checkPurchases(saved: SavedPlan, plan: Plan): Diagnostic | undefined {
  const now = new Map(plan.purchases.map((purchase) => [purchase.take.key, purchase]));
  const known = new Set(saved.purchases.map(({ key }) => key));
  const gone = saved.purchases.filter(({ key, digest }) => now.get(key)?.take.digest !== digest);
  const added = plan.purchases.filter(({ take }) => !known.has(take.key));
  if (gone.length > 0 || added.length > 0) {
    const words = [
      ...(gone.length > 0
        ? [
            `no longer ${listed(
              gone.map(({ key }) => key),
              NAMED_MAX,
            )}`,
          ]
        : []),
      ...(added.length > 0
        ? [
            `now also ${listed(
              added.map(({ take }) => take.key),
              NAMED_MAX,
            )}`,
          ]
        : []),
    ];
    return refusal('plan-stale', `the purchases changed since the plan was saved: ${words.join(', ')}`);
  }
  return priceRose(saved, now);
}

function priceRose(saved: SavedPlan, now: ReadonlyMap<string, Purchase>): Diagnostic | undefined {
  const dearer = saved.purchases.filter(
    ({ key, price_micro_usd }) => (now.get(key)?.quote.microUsd ?? 0) > price_micro_usd,
  );
  const first = dearer[0];
  if (first === undefined) return undefined;
  const rise = `from ${formatUsd(first.price_micro_usd)} to ${formatUsd(now.get(first.key)?.quote.microUsd ?? 0)}`;
  const others = dearer.length === 1 ? '' : `, and ${dearer.length - 1} more`;
  return refusal('price-rose', `the price of ${first.key} rose since the plan was saved, ${rise}${others}`);
}

function afterSubmits(saved: SavedPlan, attempts: readonly Attempt[]): Diagnostic {
  const tries = countTries(attempts);
  const used = saved.purchases.filter(
    (purchase) => (tries.get(tryId(purchase)) ?? 0) > purchase.attempts_before,
  );
  if (used.length === 0)
    return refusal('plan-stale', 'the lockfile changed since the plan was saved: other attempts are in it');
  return refusal(
    'plan-used',
    `this plan was already used: ${submitted(used.length, saved.purchases.length)}`,
  );
}

function submitted(used: number, all: number): string {
  if (all === 1) return 'its only take was submitted';
  if (used === all) return `all ${all} of its takes were submitted`;
  return `${used} of its ${all} takes ${used === 1 ? 'was' : 'were'} submitted`;
}

function afterEdits(saved: SavedPlan, takes: readonly Take[]): Diagnostic {
  const digests = new Map(takes.map(({ key, digest }) => [key, digest]));
  const edited = saved.purchases.filter(({ key, digest }) => digests.get(key) !== digest);
  const where =
    edited.length === 0
      ? ''
      : `: ${listed(
          edited.map(({ key }) => key),
          NAMED_MAX,
        )}`;
  return refusal('plan-stale', `the manifest changed since the plan was saved${where}`);
}

function refusal(code: Code, message: string): Diagnostic {
  return {
    code,
    severity: 'error',
    message: `${message}; nothing was bought`,
    hint: 'save a new plan with `plan --out`, and review it before you apply it',
  };
}

function countTries(attempts: readonly Attempt[]): ReadonlyMap<string, number> {
  const tries = new Map<string, number>();
  for (const attempt of attempts) tries.set(tryId(attempt), (tries.get(tryId(attempt)) ?? 0) + 1);
  return tries;
}

function tryId(of: { readonly track: string; readonly take: number; readonly digest: string }): string {
  return `${takeId(of)} ${of.digest}`;
}

function attemptsDigest(attempts: readonly Attempt[]): string {
  return sha256([...attempts].map(({ attempt }) => attempt).sort());
}

/** The takes that the plan is bound to: of those beyond the manifest's `takes`, only the ones it buys. */
function boundTakes(takes: readonly Take[], purchases: readonly { readonly key: string }[]): readonly Take[] {
  const bought = new Set(purchases.map(({ key }) => key));
  return takes.filter((take) => take.extra !== true || bought.has(take.key));
}

function takesDigest(takes: readonly Take[]): string {
  return sha256(takes.map(({ key, digest, stem }) => `${key} ${digest} ${stem}`).sort());
}

function sha256(lines: readonly string[]): string {
  return createHash('sha256').update(lines.join('\n')).digest('hex');
}
