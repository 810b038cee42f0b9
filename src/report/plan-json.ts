import { CURRENCIES } from '../core/money.js';
import type { Attempt } from '../lockfile/attempt.js';
import { boughtTwiceTake } from '../plan/bought-twice-warning.js';
import { fundingOf, knownMicroUsd } from '../plan/check-balance.js';
import { machineOf } from '../plan/latest-attempts.js';
import type { BuyReason, Decision, Plan, PlanRow, Purchase } from '../plan/plan.js';
import type { Balance } from '../venice/client.js';
import { jsonDocument } from './json-text.js';
import { costByModel, countsByModel, planLines } from './plan-rows.js';

export interface PlanJsonOptions {
  readonly balance?: Balance | undefined;
  readonly endpoint: string;
  readonly sandbox: boolean;
}

/**
 * The `plan --json` document, including its line end. Names in snake_case, amounts in integer micro-dollars, keys
 * always present and in this order; what does not apply is `null`.
 */
export function planJson(plan: Plan, options: PlanJsonOptions): string {
  return jsonDocument(planDocument(plan, options));
}

function planDocument(plan: Plan, { balance, endpoint, sandbox }: PlanJsonOptions): object {
  const purchases = new Map(plan.purchases.map((purchase) => [purchase.take.key, purchase]));
  return {
    schema: 1,
    endpoint,
    sandbox,
    total_micro_usd: plan.totalMicroUsd,
    spent_before_micro_usd: plan.spentBeforeMicroUsd,
    budget_micro_usd: plan.budgetMicroUsd ?? null,
    balance_micro_usd: (balance === undefined ? undefined : knownMicroUsd(balance)) ?? null,
    balance: balance === undefined ? null : balanceDocument(plan, balance),
    models: modelRows(plan),
    takes: plan.rows.map((row) => takeRow(row, purchases.get(row.take.key))),
    orphans: plan.orphans.map(attemptRow),
    bought_twice: plan.boughtTwice.map(boughtTwiceTake),
    moves: plan.moves.map(({ attempt, from, to }) => ({ attempt, from, to })),
    diagnostics: plan.diagnostics,
  };
}

/** What can be spent from which balance. A balance that the service did not list is `null`. */
function balanceDocument({ purchases }: Plan, balance: Balance): object {
  const { drawn, uncovered } = fundingOf(purchases, balance);
  return {
    permitted: balance.permitted ?? null,
    currencies: CURRENCIES.map((currency) => ({
      currency,
      micro_usd: balance.currencies[currency] ?? null,
      charged_micro_usd: drawn.get(currency) ?? 0,
    })),
    uncovered_micro_usd: uncovered.reduce((sum, { quote }) => sum + quote.microUsd, 0),
  };
}

function modelRows(plan: Plan): readonly object[] {
  const costs = costByModel(plan);
  return [...countsByModel(planLines(plan))].map(([model, { buy, collect, done, other }]) => ({
    model,
    buy,
    collect,
    done,
    other,
    total_micro_usd: costs.get(model) ?? 0,
  }));
}

function takeRow({ take, decision }: PlanRow, purchase: Purchase | undefined): object {
  const why = decision.kind === 'buy' || decision.kind === 'excluded' ? decision.why : undefined;
  return {
    key: take.key,
    track: take.track,
    take: take.take,
    action: decision.kind,
    reason: reasonOf(decision, why),
    changed_fields: why?.kind === 'changed' ? why.fields : null,
    model: take.request.model,
    duration_seconds: take.request.duration_seconds ?? null,
    character_count: purchase?.quote.character_count ?? null,
    price_micro_usd: purchase?.quote.microUsd ?? null,
    catalogue_price_micro_usd: purchase?.quote.catalogueMicroUsd ?? null,
    saving: savingOf(purchase),
    stem: take.stem,
    path: pathOf(decision),
    attempt: attemptOf(decision, why),
    machine: machineOf({ decision }),
  };
}

function reasonOf(decision: Decision, why: BuyReason | undefined): string | null {
  if (why !== undefined) return why.kind;
  if (decision.kind === 'done' && decision.elsewhere === true) return 'elsewhere';
  return decision.kind === 'held' ? decision.because : null;
}

function savingOf(purchase: Purchase | undefined): object | null {
  if (purchase?.saving === undefined) return null;
  const { billedSeconds, insteadSeconds, microUsd } = purchase.saving;
  return { billed_seconds: billedSeconds, instead_seconds: insteadSeconds, micro_usd: microUsd };
}

function pathOf(decision: Decision): string | null {
  if (decision.kind === 'occupied') return decision.path;
  return 'attempt' in decision ? (decision.attempt.file?.path ?? null) : null;
}

/** The attempt behind the decision: the existing one, or the earlier one. */
function attemptOf(decision: Decision, why: BuyReason | undefined): object | null {
  const attempt = 'attempt' in decision ? decision.attempt : why?.kind === 'new' ? undefined : why?.earlier;
  return attempt === undefined ? null : attemptRow(attempt);
}

function attemptRow(attempt: Attempt): object {
  return {
    attempt: attempt.attempt,
    track: attempt.track,
    take: attempt.take,
    state: attempt.state,
    model: attempt.model,
    queue_id: attempt.queue_id ?? null,
    price_micro_usd: attempt.quote_micro_usd,
  };
}
