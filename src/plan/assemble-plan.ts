import type { Diagnostic } from '../core/diagnostic.js';
import { formatUsd } from '../core/money.js';
import { type Attempt, spentMicroUsd } from '../lockfile/attempt.js';
import { boughtTwice } from '../lockfile/bought-twice.js';
import type { Manifest } from '../manifest/take.js';
import type { Catalogue } from '../venice/model.js';
import { checkRequest, mergeAlike, type TakeDiagnostic } from './capability.js';
import {
  cataloguePrice,
  declaredPrice,
  isSuspiciouslyLow,
  type KeyedQuery,
  quoteQuery,
  spotSavings,
} from './catalogue-price.js';
import type { Decided } from './decide.js';
import { takeId } from './history.js';
import type { ClosedModels, Plan, PlanRow, Purchase, QuotedPrice } from './plan.js';
import { noQuote, suspiciousPrices } from './price-warnings.js';
import { renamedWarnings } from './renamed-warnings.js';
import { sameRequestWarnings } from './same-request.js';

/** A purchase without its price. */
export interface Draft extends Omit<Purchase, 'quote'> {
  readonly query: KeyedQuery;
  readonly catalogueMicroUsd?: number | undefined;
  /** Like `catalogueMicroUsd`, or the least that the model may cost. */
  readonly declaredMicroUsd?: number | undefined;
}

export interface Drafted {
  readonly drafts: readonly Draft[];
  /**
   * Mismatches between requests and models, without duplicates. If there is an error among them, no quotes are needed.
   */
  readonly diagnostics: readonly Diagnostic[];
}

/** Checks what is to be bought against the live models. Takes that are done, in flight or excluded need no model. */
export function draftPurchases(rows: readonly PlanRow[], catalogue: Catalogue, nowMs: number): Drafted {
  const drafts: Draft[] = [];
  const diagnostics: TakeDiagnostic[] = [];
  for (const { take, decision } of rows) {
    if (decision.kind !== 'buy') continue;
    const checked = checkRequest(take, catalogue, nowMs);
    diagnostics.push(...checked.diagnostics);
    const model = catalogue.get(take.request.model);
    if (checked.request === undefined || model === undefined) continue;
    const query = quoteQuery(checked.request, model);
    const catalogueMicroUsd = cataloguePrice(model, query);
    const declaredMicroUsd = declaredPrice(model, query);
    const saving = spotSavings(checked.request, model);
    drafts.push({
      take,
      why: decision.why,
      request: checked.request,
      query,
      catalogueMicroUsd,
      declaredMicroUsd,
      saving,
    });
  }
  const takes = rows.map(({ take }) => take);
  return { drafts, diagnostics: mergeAlike(diagnostics, takes) };
}

/** The queries for `/audio/quote`, without duplicates, in order of first use. */
export function distinctQuotes(drafts: readonly Draft[]): readonly KeyedQuery[] {
  return [...new Map(drafts.map(({ query }) => [query.key, query])).values()];
}

export interface AssembleInput {
  readonly decided: Decided;
  readonly drafted: Drafted;
  /** Responses of the service, by the query's key. */
  readonly quotes: ReadonlyMap<string, Pick<QuotedPrice, 'microUsd' | 'quotedAtMs'>>;
  /** Models of which nothing can be bought. Absent: none. */
  readonly closed?: ClosedModels;
  /** All of the lockfile. */
  readonly attempts: Iterable<Attempt>;
  /** Integer micro-dollars: the lowest that applies. */
  readonly budgetMicroUsd?: number | undefined;
}

/** Everything a run will do and what it may cost. A take without a quote is an error and is not bought. */
export function assemblePlan(input: AssembleInput): Plan {
  const { decided, drafted, quotes, closed, budgetMicroUsd } = input;
  const rows = decided.rows.map((row) => withoutClosed(row, closed));
  const drafts = drafted.drafts.filter(({ query }) => closed?.has(query.model) !== true);
  const prices = pricesOf(drafts, quotes);
  const included = rows.filter(({ decision }) => decision.kind !== 'excluded').map(({ take }) => take);
  const toBuy = new Set(rows.filter(({ decision }) => decision.kind === 'buy').map(({ take }) => take.key));
  const purchases = drafts.flatMap(({ query, catalogueMicroUsd: _, declaredMicroUsd: __, ...purchase }) => {
    const quote = prices.get(query.key);
    return quote === undefined ? [] : [{ quote, ...purchase }];
  });
  // After an error in a request nothing was quoted, so missing prices mean nothing.
  const checked = !drafted.diagnostics.some(({ severity }) => severity === 'error');
  const unpriced = drafts.filter(({ query }) => checked && !quotes.has(query.key));
  return {
    rows,
    purchases,
    orphans: decided.orphans,
    unlistedCount: countUnlisted(rows, input.attempts),
    moves: decided.moves,
    totalMicroUsd: sum(purchases.map(({ quote }) => quote.microUsd)),
    spentBeforeMicroUsd: spentMicroUsd(input.attempts),
    budgetMicroUsd,
    diagnostics: [
      ...decided.diagnostics,
      ...renamedWarnings(rows, input.attempts),
      ...sameRequestWarnings(included, ({ key }) => toBuy.has(key)),
      ...drafted.diagnostics,
      ...noQuote(unpriced),
      ...suspiciousPrices(drafts, prices),
    ],
    boughtTwice: boughtTwice(input.attempts),
  };
}

function withoutClosed({ take, decision }: PlanRow, closed: ClosedModels | undefined): PlanRow {
  const code = closed?.get(take.request.model);
  if (decision.kind !== 'buy' || code === undefined) return { take, decision };
  return { take, decision: { kind: 'excluded', why: decision.why, closed: code } };
}

/** By the query's key: takes with the same query share a price. */
function pricesOf(
  drafts: readonly Draft[],
  quotes: AssembleInput['quotes'],
): ReadonlyMap<string, QuotedPrice> {
  const prices = new Map<string, QuotedPrice>();
  for (const { query, catalogueMicroUsd, declaredMicroUsd } of drafts) {
    const quote = quotes.get(query.key);
    if (quote === undefined || prices.has(query.key)) continue;
    const { microUsd, quotedAtMs } = quote;
    const declared = catalogueMicroUsd === undefined ? {} : { catalogueMicroUsd };
    const low = isSuspiciouslyLow(microUsd, declaredMicroUsd) ? { suspicious: true as const } : {};
    prices.set(query.key, { microUsd, quotedAtMs, ...query, ...declared, ...low });
  }
  return prices;
}

function countUnlisted(rows: readonly PlanRow[], attempts: Iterable<Attempt>): number {
  const wanted = new Set(rows.map(({ take }) => takeId(take)));
  const made = [...attempts].filter(({ state }) => state === 'done').map(takeId);
  return new Set(made.filter((id) => !wanted.has(id))).size;
}

function sum(amounts: readonly number[]): number {
  return amounts.reduce((total, amount) => total + amount, 0);
}

const MICRO_USD_PER_CENT = 10_000;

/** The budget in US dollars that just allows a plan: a budget is for the lockfile's lifetime. */
export function lifeBudgetUsd({ totalMicroUsd, spentBeforeMicroUsd }: Plan): string {
  return (Math.ceil((totalMicroUsd + spentBeforeMicroUsd) / MICRO_USD_PER_CENT) / 100).toFixed(2);
}

/**
 * Reports a total that, with earlier spending, exceeds the budget. A plan that buys nothing never does. The lowest
 * budget applies: the manifest's or the command's.
 */
export function checkBudget(
  plan: Plan,
  ofManifest: Pick<Manifest, 'budgetMicroUsd' | 'budgetSpan'> = {},
): readonly Diagnostic[] {
  const { totalMicroUsd, spentBeforeMicroUsd, budgetMicroUsd } = plan;
  const overMicroUsd = spentBeforeMicroUsd + totalMicroUsd - (budgetMicroUsd ?? Number.POSITIVE_INFINITY);
  if (plan.purchases.length === 0 || budgetMicroUsd === undefined || overMicroUsd <= 0) return [];
  const before = spentBeforeMicroUsd > 0 ? `, with ${formatUsd(spentBeforeMicroUsd)} spent before,` : '';
  const enough = lifeBudgetUsd(plan);
  const isManifests = budgetMicroUsd === ofManifest.budgetMicroUsd;
  const alsoLower = (ofManifest.budgetMicroUsd ?? Number.POSITIVE_INFINITY) < budgetMicroUsd + overMicroUsd;
  const raise = isManifests
    ? `write \`budget: ${enough}\` in the manifest`
    : `raise --budget (VENICE_BATCH_BUDGET) to ${enough}${alsoLower ? ' and `budget` in the manifest as well' : ''}`;
  return [
    {
      code: 'over-budget',
      severity: 'error',
      message: `${formatUsd(totalMicroUsd)}${before} exceeds the budget of ${formatUsd(budgetMicroUsd)} by ${formatUsd(overMicroUsd)}`,
      hint: `${raise}, or buy less with --only`,
      ...(isManifests && ofManifest.budgetSpan !== undefined ? { span: ofManifest.budgetSpan } : {}),
    },
  ];
}
