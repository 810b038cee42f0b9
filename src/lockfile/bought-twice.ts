import { type Attempt, countsAsSpent } from './attempt.js';
import { isSalvaged } from './salvage.js';

/** A take that was bought more than once for the same request, unintentionally. */
export interface BoughtTwice {
  readonly track: string;
  readonly take: number;
  /** Each is paid, or may be. The first purchase comes first. */
  readonly attempts: readonly Attempt[];
  /** For all of them, in integer micro-dollars. */
  readonly totalMicroUsd: number;
  /** For all but the first, in integer micro-dollars. */
  readonly extraMicroUsd: number;
}

/** In these states there is, or may be, audio to collect. */
const LIVE: ReadonlySet<Attempt['state']> = new Set([
  'intent',
  'in_doubt',
  'queued',
  'unverified',
  'stored',
  'done',
]);

/** Whether the attempt occupies its take, so that no other run should buy it. */
export function isLive(attempt: Attempt): boolean {
  return LIVE.has(attempt.state) && countsAsSpent(attempt);
}

/**
 * Takes with more than one live purchase for one request, by track and take: two machines with separate lockfiles
 * bought them. Takes that were made again on purpose (`replaces`) do not count, nor do jobs that only a damaged line
 * names, until it is settled which takes they are.
 */
export function boughtTwice(attempts: Iterable<Attempt>): readonly BoughtTwice[] {
  const byRequest = new Map<string, Attempt[]>();
  for (const attempt of attempts) {
    if (!isLive(attempt) || isSalvaged(attempt)) continue;
    const request = `${attempt.track} ${attempt.take} ${attempt.digest}`;
    const known = byRequest.get(request);
    if (known === undefined) byRequest.set(request, [attempt]);
    else known.push(attempt);
  }
  return [...byRequest.values()]
    .map(withoutReplaced)
    .filter(({ length }) => length > 1)
    .map(described)
    .sort((a, b) => (a.track === b.track ? a.take - b.take : a.track < b.track ? -1 : 1));
}

/** For all takes, in integer micro-dollars. */
export function extraMicroUsd(doubles: readonly BoughtTwice[]): number {
  return doubles.reduce((sum, double) => sum + double.extraMicroUsd, 0);
}

function withoutReplaced(attempts: readonly Attempt[]): readonly Attempt[] {
  const replaced = new Set(attempts.map(({ replaces }) => replaces));
  return replaced.size === 1 && replaced.has(undefined)
    ? attempts
    : attempts.filter(({ attempt }) => !replaced.has(attempt));
}

function described(attempts: readonly Attempt[]): BoughtTwice {
  const sorted = [...attempts].sort(byTime);
  const [first] = sorted as [Attempt, ...Attempt[]];
  const totalMicroUsd = sorted.reduce((sum, { quote_micro_usd }) => sum + quote_micro_usd, 0);
  const { track, take, quote_micro_usd } = first;
  return { track, take, attempts: sorted, totalMicroUsd, extraMicroUsd: totalMicroUsd - quote_micro_usd };
}

function byTime(a: Attempt, b: Attempt): number {
  const [timeA, timeB] = [a.at.intent ?? '', b.at.intent ?? ''];
  if (timeA !== timeB) return timeA < timeB ? -1 : 1;
  return a.attempt < b.attempt ? -1 : 1;
}
