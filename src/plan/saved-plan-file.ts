import type { SavedPlan, SavedPurchase } from './saved-plan.js';

/** Size limit of the file: more than 50,000 purchases with the longest names need. */
export const SAVED_PLAN_BYTES_MAX = 32 * 1024 * 1024;

export type ReadSavedPlan =
  | { readonly ok: true; readonly saved: SavedPlan }
  /** `why` follows "the file" in a message. */
  | { readonly ok: false; readonly code: 'plan-not-a-plan' | 'plan-newer-version'; readonly why: string };

/** The file's text, including its line end. */
export function savedPlanText(saved: SavedPlan): string {
  return `${JSON.stringify(saved, null, 2)}\n`;
}

/**
 * Reads what `savedPlanText` wrote. The shape is checked by hand and strictly: an unknown field could bind the plan to
 * something that this release does not check.
 */
export function readSavedPlan(text: string): ReadSavedPlan {
  const notAPlan = (why: string): ReadSavedPlan => ({ ok: false, code: 'plan-not-a-plan', why });
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return notAPlan('is not JSON');
  }
  const { format, version } = (value ?? {}) as Record<string, unknown>;
  if (format !== 'venice-batch-plan') return notAPlan('is not a plan that `plan --out` saved');
  if (typeof version === 'number' && version > 1)
    return {
      ok: false,
      code: 'plan-newer-version',
      why: `has format version ${version}, which this release does not know`,
    };
  const fault = objectFault(value, PLAN_CHECKS) ?? totalFault(value as SavedPlan);
  return fault === undefined ? { ok: true, saved: value as SavedPlan } : notAPlan(fault);
}

type Check = (value: unknown) => string | undefined;

function objectFault(value: unknown, checks: Readonly<Record<string, Check>>): string | undefined {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return 'is not an object';
  const unknown = Object.keys(value).find((name) => !Object.hasOwn(checks, name));
  if (unknown !== undefined) return `has the unknown field ${JSON.stringify(unknown.slice(0, 60))}`;
  for (const [name, check] of Object.entries(checks)) {
    if (!Object.hasOwn(value, name)) return `lacks ${name}`;
    const fault = check((value as Record<string, unknown>)[name]);
    if (fault !== undefined) return `has a ${name} that ${fault}`;
  }
  return undefined;
}

/** The total is what the user approved, and the prices are what is enforced: they must match. */
function totalFault({ total_micro_usd, purchases }: SavedPlan): string | undefined {
  const sum = purchases.reduce((total, { price_micro_usd }) => total + price_micro_usd, 0);
  if (sum !== total_micro_usd) return 'has a total_micro_usd that is not the sum of its prices';
  const keys = new Set(purchases.map(({ key }) => key));
  return keys.size === purchases.length ? undefined : 'buys a take twice';
}

function pattern(expression: RegExp, what: string): Check {
  return (value) => (typeof value === 'string' && expression.test(value) ? undefined : `is not ${what}`);
}

function whole(min: number, max: number): Check {
  return (value) =>
    Number.isSafeInteger(value) && (value as number) >= min && (value as number) <= max
      ? undefined
      : `is not a whole number from ${min} to ${max}`;
}

function equal(wanted: string | number): Check {
  return (value) => (value === wanted ? undefined : `is not ${wanted}`);
}

function nullOr(check: Check): Check {
  return (value) => (value === null ? undefined : check(value));
}

function listOf(check: Check, what: string, lengthMax: number): Check {
  return (value) => {
    if (!Array.isArray(value) || value.length > lengthMax)
      return `is not a list of at most ${lengthMax} ${what}`;
    const index = value.findIndex((entry) => check(entry) !== undefined);
    return index < 0 ? undefined : `has entry ${index + 1}, which ${check(value[index])}`;
  };
}

const sha256 = pattern(/^[0-9a-f]{64}$/, 'a SHA-256 in hex');
const amount = whole(0, 1e12);
const names = listOf(pattern(/^.{1,1000}$/su, 'a text of at most 1,000 characters'), 'patterns', 50_000);
/** Each pattern is compared with every name. */
const GLOBS_MAX = 100;
const GLOB_LENGTH_MAX = 200;

const patterns: Check = (value) => {
  const fault = names(value);
  if (fault !== undefined) return fault;
  const globs = (value as readonly string[]).filter((one) => /[*?]/.test(one));
  return globs.length > GLOBS_MAX || globs.some(({ length }) => length > GLOB_LENGTH_MAX)
    ? `has more than ${GLOBS_MAX} patterns with * or ?, or one longer than ${GLOB_LENGTH_MAX} characters`
    : undefined;
};

const PURCHASE_CHECKS = {
  key: pattern(/^[a-z0-9][a-z0-9._-]{0,63}(?:#\d{1,7})?$/, 'the name of a take'),
  track: pattern(/^[a-z0-9][a-z0-9._-]{0,63}$/, 'a track id'),
  take: whole(1, 1e6),
  digest: pattern(/^v\d{1,9}:[0-9a-f]{64}$/, 'a request digest'),
  price_micro_usd: amount,
  attempts_before: whole(0, 1e6),
} satisfies Record<keyof SavedPurchase, Check>;

const PLAN_CHECKS = {
  format: equal('venice-batch-plan'),
  version: equal(1),
  endpoint: pattern(/^[\x21-\x7e]{1,2000}$/, 'an endpoint'),
  lineage: nullOr(pattern(/^[0-9a-f]{32}$/, '32 hex digits')),
  attempts_sha256: sha256,
  manifest_sha256: sha256,
  only: patterns,
  except: patterns,
  force: patterns,
  retry_failed: (value) => (typeof value === 'boolean' ? undefined : 'is not true or false'),
  budget_micro_usd: nullOr(amount),
  total_micro_usd: whole(0, Number.MAX_SAFE_INTEGER),
  purchases: listOf((value) => objectFault(value, PURCHASE_CHECKS), 'purchases', 50_000),
} satisfies Record<keyof SavedPlan, Check>;
