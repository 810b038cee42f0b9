import path from 'node:path';
import pLimit from 'p-limit';
import type { Attempt } from '../lock/attempt.js';
import type { MoveContext } from './moves.js';
import { settleMove } from './moves.js';
import { hashFile } from './publish.js';
import { advance } from './transition.js';

const HASHES_AT_ONCE = 4;

export type FileState = 'present' | 'missing' | 'changed';

/**
 * Brings the lockfile and the disk back into agreement before anything is decided: moves that were begun are
 * finished, and files whose remote copy still exists are hashed, so that a broken one is fetched again.
 * Throws the `FileFault` of a disk that cannot be read or written.
 *
 * @returns attempts that lost custody: they are queued again
 */
export async function recover(context: MoveContext, nowMs: number): Promise<readonly Attempt[]> {
  for (const attempt of [...context.store.attempts.values()])
    if (attempt.move_to !== undefined) await settleMove(context, attempt);
  const limit = pLimit(HASHES_AT_ONCE);
  const broken: Attempt[] = [];
  const stored = [...context.store.attempts.values()].filter((attempt) => attempt.state === 'stored');
  await Promise.all(
    stored.map((attempt) =>
      limit(async () => {
        if ((await stateOf(context, attempt, 'hash')) === 'present') return;
        const next = advance(attempt, { kind: 'custody_broken' }, nowMs);
        await context.store.record(next);
        broken.push(next);
      }),
    ),
  );
  return broken;
}

/** The state of every stored file, by its path, judged by existence and size: `verify` reads them whole. */
export async function fileStates(context: MoveContext): Promise<Map<string, FileState>> {
  const limit = pLimit(16);
  const states = new Map<string, FileState>();
  const kept = [...context.store.attempts.values()].filter((attempt) => attempt.file !== undefined);
  await Promise.all(
    kept.map((attempt) =>
      limit(async () => {
        if (attempt.file !== undefined)
          states.set(attempt.file.path, await stateOf(context, attempt, 'size'));
      }),
    ),
  );
  return states;
}

export async function stateOf(
  context: Pick<MoveContext, 'ports' | 'settings'>,
  attempt: Attempt,
  how: 'size' | 'hash',
): Promise<FileState> {
  if (attempt.file === undefined) return 'missing';
  const file = path.join(context.settings.outputRoot, attempt.file.path);
  const facts = await context.ports.files.facts(file);
  if (facts === undefined || facts.kind !== 'file') return 'missing';
  if (facts.bytes !== attempt.file.bytes) return 'changed';
  if (how === 'size') return 'present';
  return (await hashFile(context.ports.files, file))?.sha256 === attempt.file.sha256 ? 'present' : 'changed';
}
