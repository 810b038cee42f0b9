import type { Diagnostic } from '../core/diagnostic.js';
import type { Attempt } from '../lockfile/attempt.js';
import { isLive } from '../lockfile/bought-twice.js';
import type { PlanRow } from './plan.js';

/**
 * Tracks that would be bought although the same request was made for a track that the manifest no longer has, or that
 * has another request now: most likely only ids were changed or swapped. One warning a track.
 */
export function renamedWarnings(
  rows: readonly PlanRow[],
  attempts: Iterable<Attempt>,
): readonly Diagnostic[] {
  const named = new Set(rows.map(({ take }) => take.track));
  const earlier = new Map<string, string>();
  for (const { decision } of rows)
    if (decision.kind === 'buy' && decision.why.kind === 'changed' && isLive(decision.why.earlier))
      earlier.set(decision.why.earlier.digest, decision.why.earlier.track);
  for (const attempt of attempts)
    if (isLive(attempt) && !named.has(attempt.track)) earlier.set(attempt.digest, attempt.track);
  const warnings = new Map<string, Diagnostic>();
  for (const { take, decision } of rows) {
    if (decision.kind !== 'buy' || !['new', 'changed'].includes(decision.why.kind)) continue;
    const former = earlier.get(take.digest) ?? earlier.get(take.formerDigest ?? '');
    if (former === undefined || former === take.track) continue;
    const now = named.has(former) ? 'which has another request now' : 'which is no longer in the manifest';
    warnings.set(take.track, {
      code: 'renamed',
      severity: 'warning',
      message: `\`${take.track}\` would be bought, although the same request was bought as \`${former}\`, ${now}`,
      hint: `if you only renamed it, change its id back to \`${former}\`: then nothing is bought, and \`title\` can hold the new name`,
      span: take.span,
    });
  }
  return [...warnings.values()];
}
