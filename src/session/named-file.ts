import path from 'node:path';
import { keySignatureOf } from '../app/key-signature-of.js';
import type { Resolution } from '../app/resolution.js';
import { foldName } from '../core/file-name.js';
import type { Attempt, FiledAttempt } from '../lockfile/attempt.js';
import { isLive } from '../lockfile/bought-twice.js';
import { isSalvaged } from '../lockfile/salvage.js';
import { takeId } from '../plan/history.js';
import { stateOf } from '../run/recover.js';
import { makeDurable } from '../storage/link-into-place.js';
import type { MoveContext } from '../storage/move.js';
import type { OpenBatch } from './open-batch.js';
import { readableManifest } from './unreadable.js';

/**
 * The attempt with the file that its damaged line names, if the user says that it was charged and the file is certain
 * to be its audio: the line is signed with this key, which covers the attempt, the job and the file's hash, and the file
 * is here with these bytes. The service may no longer have the job, so it is not asked. The signature does not cover
 * the take or the path: the path must be one of the take's in the manifest, and no other record may have the take, the
 * job or the path.
 *
 * @returns `undefined` if anything is uncertain
 */
export async function withNamedFile(
  session: OpenBatch,
  { output, store }: MoveContext,
  attempt: Attempt,
  said: Resolution,
): Promise<FiledAttempt | undefined> {
  const { kept: file, ...rest } = attempt;
  const { account } = session;
  if (!isSalvaged(attempt) || file === undefined || account === undefined) return undefined;
  if (said.kind !== 'charged' && !(said.kind === 'queue_id' && said.queueId === attempt.queue_id))
    return undefined;
  const filed = { ...rest, file };
  if (!keySignatureOf(store.header, account).isFetched(filed)) return undefined;
  const others = [...store.attempts.values()].filter((other) => other.attempt !== attempt.attempt);
  if (others.some((other) => isOfSame(other, filed) || isNaming(other, file.path))) return undefined;
  const manifest = await readableManifest(session);
  const take = manifest?.takes.find((one) => takeId(one) === takeId(attempt));
  if (take === undefined || !foldName(file.path).startsWith(foldName(`${take.stem}.`))) return undefined;
  if ((await stateOf({ output }, filed, 'hash')) !== 'present') return undefined;
  await makeDurable(output.files, path.join(output.root, file.path));
  return filed;
}

function isOfSame(other: Attempt, attempt: Attempt): boolean {
  const isOfJob = other.queue_id === attempt.queue_id && !isSalvaged(other);
  return isOfJob || (isLive(other) && takeId(other) === takeId(attempt));
}

/** Letter case and Unicode composition are ignored, as many file systems do. */
function isNaming({ file, kept, move_to }: Attempt, place: string): boolean {
  return [file?.path, kept?.path, move_to].some(
    (named) => named !== undefined && foldName(named) === foldName(place),
  );
}
