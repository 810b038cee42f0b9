import { dirname } from 'node:path';
import { type Fold, isNewerThan } from './fold-attempts.js';
import { bytesOf } from './journal.js';
import { attemptLine } from './line.js';
import { canonical, encode, type LockFile, rewrite } from './lock-file.js';
import { readLockAlone, SETTLED, type UsableLock } from './read.js';

/**
 * Makes what was read durable before anything depends on it: a killed run may have left records that are readable but
 * would not survive a power cut. After a failed sync another one does not help (the system has forgotten those bytes),
 * so only a file left by a clean end is kept; any other is rewritten.
 */
export async function secure(file: LockFile): Promise<void> {
  if (file.end.kind === 'absent') return;
  let missing: Uint8Array = new Uint8Array(0);
  if (!isSettled(file)) {
    try {
      return await rewrite(file, []);
    } catch (fault) {
      // On a full disk there may still be room to append. An empty file where there was none would look like damage.
      const alone = await readLockAlone(file.files, file.path);
      if (!alone.ok || alone.header === undefined) throw fault;
      missing = missingIn(alone, file.fold);
      // After a torn line no other can be read.
      if (missing.length > 0 && alone.notes.some(({ kind }) => kind === 'unterminated')) throw fault;
      const bytesMax = alone.bytes + missing.length;
      file.end = { kind: 'unsound', bytesMin: alone.bytes, bytesMax };
    }
  }
  const handle = await file.files.open(file.path, 'append');
  try {
    if (missing.length > 0) await handle.write(missing);
    await handle.sync();
  } finally {
    await handle.close();
  }
  await file.files.syncDirectory(dirname(file.path));
  file.seen = await file.files.facts(file.path);
}

/** Lines that the file lacks. They are known from journals, which may not be durable. */
function missingIn(alone: UsableLock, { attempts }: Fold): Uint8Array {
  const newer = [...attempts.values()].filter((one) => isNewerThan(one, alone.attempts.get(one.attempt)));
  return encode(newer.map((attempt) => `${attemptLine(attempt)}\n`).join(''));
}

/** Whether the file looks as a clean end leaves it. */
function isSettled(file: LockFile): boolean {
  for (const { state } of file.fold.attempts.values()) if (!SETTLED.has(state)) return false;
  return file.end.kind === 'sound' && file.end.bytes === bytesOf(canonical(file, file.fold));
}
