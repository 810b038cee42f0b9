import type { Attempt } from '../lock/attempt.js';
import type { Manifest } from '../manifest/take.js';
import { decide } from '../plan/decide.js';
import { takeId } from '../plan/history.js';
import type { PlanRow } from '../plan/plan.js';
import type { Selection } from '../plan/selection.js';
import { lastAskedFor } from '../plan/standing.js';
import { type DiskView, fileStates, strangers } from '../run/recover.js';
import type { Session } from './session.js';

/** Where takes stand. */
export interface Standing {
  /** Of the manifest's takes; without a manifest, of those that the lockfile knows, as they were last asked for. */
  readonly rows: readonly PlanRow[];
  /** Of takes that the lockfile knows and the manifest does not name any more. */
  readonly removed: readonly PlanRow[];
  /** Of a path that several attempts name: the attempt whose bytes these are. */
  readonly owners: ReadonlyMap<string, string>;
}

const NOTHING_ASKED: Selection = { force: [], retryFailed: false };

/** What manifest, lockfile and disk say, without asking anyone: what a run that is asked for nothing would go by. */
export async function standingOf(
  view: DiskView,
  attempts: readonly Attempt[],
  manifest: Manifest | undefined,
  selection = NOTHING_ASKED,
): Promise<Standing> {
  const named = new Set(manifest?.takes.map(takeId));
  const unnamed = lastAskedFor(attempts.filter((attempt) => !named.has(takeId(attempt))));
  const takes = [...(manifest?.takes ?? []), ...unnamed];
  const { files, owners } = await fileStates(view, attempts);
  const { rows } = decide({
    takes,
    attempts,
    files,
    owners,
    occupied: await strangers(view, takes, attempts),
    selection,
  });
  const count = manifest?.takes.length ?? rows.length;
  return { rows: rows.slice(0, count), removed: rows.slice(count), owners };
}

/** `undefined` where it cannot be read: the lockfile tells all else without it. */
export async function readableManifest(session: Session): Promise<Manifest | undefined> {
  if (session.settings.manifest === '-') return undefined;
  return (await session.load().catch(() => undefined))?.manifest;
}
