import { createHash } from 'node:crypto';
import type { Attempt } from './attempt.js';
import { type LockHeader, withVersion } from './lock-header.js';

/** In what is left of a header line. */
const LINEAGE = /"lineage":"([0-9a-f]{32})"/;
const LOG = /"log":"/;

/**
 * A header for the readable lines of a lockfile that has lost its own. None for a copy of a shared log: a new header
 * would not name the log, and a machine that buys without it may buy what others bought.
 *
 * @param asides the damaged lines
 * @param endpoint that the user works with
 */
export function makeHeader(
  sound: readonly Attempt[],
  asides: readonly string[],
  endpoint: string,
): LockHeader | undefined {
  const isShared = sound.some(({ run, log_rev }) => run !== undefined || log_rev !== undefined);
  if (sound.length === 0 || isShared || asides.some((text) => LOG.test(text))) return undefined;
  const [found] = asides.flatMap((text) => LINEAGE.exec(text)?.[1] ?? []);
  const ids = sound.map(({ attempt }) => attempt).sort();
  const lineage = found ?? createHash('sha256').update(ids.join()).digest('hex').slice(0, 32);
  return withVersion({ format: 'venice-batch-lock', endpoint, lineage });
}
