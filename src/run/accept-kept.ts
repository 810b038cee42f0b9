import path from 'node:path';
import type { Attempt, StoredFile } from '../lockfile/attempt.js';
import { hashFile, publishFile, removeLeftover } from '../storage/link-into-place.js';
import type { MoveContext } from '../storage/move.js';
import { findPlaced, partName, placeFile, stemOfKept } from '../storage/place-file.js';
import { advance } from './transition.js';

export type Acceptance =
  | { readonly ok: true; readonly attempt: Attempt }
  /** `changed`: the file differs from what the service sent. */
  | { readonly ok: false; readonly why: 'nothing-kept' | 'missing' | 'changed' }
  /** Another machine recorded something newer. The file is kept as it was, unless that record names it. */
  | { readonly ok: false; readonly why: 'superseded'; readonly newest: Attempt };

/**
 * Accepts the kept bytes of an unverified attempt after the user has listened to them. They get their final name and
 * the attempt becomes stored; the next run cleans up. The file is durable before that is recorded. Throws the
 * `FileFault`.
 * @param seal signs the record with the key that made the job
 * @param inTheWay called with the file that has the wanted name, and why it stays
 */
export async function acceptKept(
  context: MoveContext,
  attempt: Attempt,
  nowMs: number,
  seal: (before: Attempt, after: Attempt) => Attempt,
  inTheWay: (relative: string, why: string) => void,
): Promise<Acceptance> {
  const { kept } = attempt;
  const stem = kept && stemOfKept(kept.path, attempt);
  if (kept === undefined || stem === undefined) return { ok: false, why: 'nothing-kept' };
  const place = path.join(context.output.root, kept.path);
  const found = await hashFile(context.output.files, place);
  if (found !== undefined && found.sha256 !== kept.sha256) return { ok: false, why: 'changed' };
  const { path: _, ...described } = kept;
  const wanted = { stem, outdated: isOutdated(context, attempt) };
  const file: StoredFile | undefined =
    found === undefined
      ? await findPlaced(context, attempt, stem, described)
      : await placeFile(context, attempt, wanted, { place, ...described }, inTheWay);
  if (file === undefined) return { ok: false, why: 'missing' };
  const accepted = seal(attempt, advance(attempt, { kind: 'accepted', file }, nowMs));
  if ((await context.store.record(accepted)) !== 'superseded') {
    // A run that was killed while it compared two downloads left the second one, which no other run replaces.
    const second = path.join(context.output.root, partName(stem, attempt));
    await removeLeftover(context.output.files, second, kept.sha256);
    return { ok: true, attempt: accepted };
  }
  const newest = context.store.newest(attempt.attempt) ?? attempt;
  // In the place of another machine's file it would count as that file, changed.
  if (newest.file?.sha256 !== kept.sha256)
    await publishFile(context.output.files, path.join(context.output.root, file.path), place);
  return { ok: false, why: 'superseded', newest };
}

/** Whether a newer attempt for the same take already has its file. */
function isOutdated({ store }: MoveContext, { track, take, at }: Attempt): boolean {
  for (const other of store.attempts.values())
    if (other.track === track && other.take === take && (other.state === 'stored' || other.state === 'done'))
      if ((other.at.intent ?? '') > (at.intent ?? '')) return true;
  return false;
}
