import { keySignatureOf } from '../../src/app/key-signature-of.js';
import { openForRun } from '../../src/app/open-lockfile.js';
import type { BatchSettings, World } from '../../src/app/world.js';
import { faultCode } from '../../src/core/errors.js';
import type { Attempt } from '../../src/lockfile/attempt.js';
import { sealed } from '../../src/lockfile/key-signature.js';
import { acceptKept } from '../../src/run/accept-kept.js';
import { recover } from '../../src/run/recover.js';
import { openOutput } from '../../src/storage/output.js';
import { createInode, folderOf, syncInode } from './disk.js';
import { sha256 } from './media.js';
import { HOME } from './places.js';
import type { Rng } from './random.js';
import type { Program, SimWorld } from './world.js';

/** Takes whose bytes failed the checks and were kept: the user may listen to them. */
export function acceptable(world: SimWorld): readonly Attempt[] {
  return [...world.judge.seen().attempts.values()]
    .map(({ latest }) => latest)
    .filter(({ state, kept }) => state === 'unverified' && kept !== undefined);
}

/** Runs `venice-batch accept` for each such take in a process of its own. Some of the files were changed meanwhile. */
export function accepting(world: SimWorld, rng: Rng): Program {
  for (const { kept } of acceptable(world)) if (kept !== undefined && rng.chance(0.3)) edit(world, kept.path);
  return async (around, settings) => {
    try {
      await acceptAll(world, around, settings);
    } catch (error) {
      // The disk fails, or another run holds the lock: the user tries again later.
      if (faultCode(error) === '') throw error;
    }
    return 'done';
  };
}

async function acceptAll(
  world: SimWorld,
  { ports, account, emit }: World,
  settings: BatchSettings,
): Promise<void> {
  const opened = await openForRun(ports, settings, emit);
  try {
    const { store } = opened;
    const output = await openOutput(ports.files, settings.outputRoot);
    await recover({ output, store }, ports.clock.nowMs());
    const seal = (before: Attempt, after: Attempt) =>
      account === undefined ? after : sealed(keySignatureOf(store.header, account), before, after);
    for (const attempt of [...store.attempts.values()]) {
      if (attempt.state !== 'unverified') continue;
      world.trace(`the user accepts ${attempt.attempt}`);
      if (attempt.kept !== undefined) world.accepted.set(attempt.attempt, attempt.kept.sha256);
      await acceptKept({ output, store }, attempt, ports.clock.nowMs(), seal, () => {});
    }
    await store.close();
  } finally {
    await opened.store.abandon();
    await opened.release();
  }
}

/** Saved by an editor: these are no longer the bytes that the service sent. */
function edit({ disk, timeline, trace }: SimWorld, place: string): void {
  const path = `${HOME}/${place}`;
  const entry = disk.entries.get(path);
  if (entry === undefined || entry === 'directory') return;
  const inode = createInode(timeline.nowMs());
  inode.bytes = Buffer.concat([entry.bytes, Buffer.from(sha256(entry.bytes).slice(0, 4))]);
  syncInode(inode);
  trace(`an editor changes ${path}`);
  disk.change([[path, inode]]);
  disk.syncDirectory(folderOf(path));
}
