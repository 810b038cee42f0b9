import { faultCode } from '../core/errors.js';
import type { Files, Random } from '../core/ports.js';
import { createFile, replaceFile } from './atomic-write.js';
import { readJournals } from './journal.js';
import type { LockProblem } from './lock-error.js';
import { parseLock } from './lock-text.js';
import { makePrivateFolder, scratchPath } from './private-folder.js';
import { decode, LOCK_BYTES_MAX, readLock } from './read.js';
import { type RepairReport, repairLock } from './repair.js';
import { isSalvaged } from './salvage.js';
import { seenPath } from './seen-entries.js';

export type RepairedFile =
  | {
      readonly ok: true;
      readonly report: RepairReport;
      /** File with the lines that cannot be understood; absent if there were none. */
      readonly asidePath?: string;
      /** Attempts of which the private folder has newer records: the next run restores them. */
      readonly restorable: number;
      /** Whether this or an earlier repair left records that are known only from damaged or missing lines. */
      readonly hasDoubts: boolean;
      /** The shared log that the lockfile is a copy of. */
      readonly log?: string | undefined;
    }
  | { readonly ok: false; readonly problem: LockProblem };

const ASIDE_FILES_MAX = 1_000;

/**
 * Repairs a lockfile in place, under the run lock. Lines set aside are durable in a separate file before the lockfile
 * is replaced. Throws the `FileFault`; nothing has changed then.
 *
 * @param endpoint for a new header, if the old one is lost. None is made if the user names a shared log, or a run here used one:
 *   it would hide what other machines bought
 * @param named the shared log that the user named
 */
export async function repairFile(
  files: Files,
  random: Random,
  path: string,
  endpoint?: string,
  named?: string,
): Promise<RepairedFile> {
  const real = await files.real(path);
  const journals = await readJournals(files, real, LOCK_BYTES_MAX);
  const found = await files.read(path, LOCK_BYTES_MAX).catch((fault) => {
    if (faultCode(fault) !== 'ENOENT') throw fault;
  });
  const bytes = found && toUtf8(found);
  const isShared = (await files.facts(seenPath(real))) !== undefined;
  const repaired = repairLock(
    bytes === undefined ? '' : decode(bytes),
    journals.ok ? journals.all : [],
    isShared || named !== undefined ? undefined : endpoint,
  );
  if (!repaired.ok && !journals.ok) {
    const code = faultCode(journals.fault);
    return { ok: false, problem: { kind: 'unreadable', code, journal: journals.path } };
  }
  if (!repaired.ok) {
    const { problem } = repaired;
    const isLost = problem.kind === 'not_a_lockfile' && bytes !== undefined;
    if (problem.kind !== 'two_logs' && !isLost) return repaired;
    return { ok: false, problem: { ...problem, named, ...(isLost && isShared && { shared: true }) } };
  }
  const { text, report } = repaired;
  await makePrivateFolder(files, random, real);
  const aside = linesOf(bytes ?? new Uint8Array(), new Set(report.setAside.map(({ line }) => line)));
  const asidePath = aside.length === 0 ? undefined : await keepAside(files, random, real, aside);
  await replaceFile(files, real, [new TextEncoder().encode(text)], scratchPath(random, real));
  const restorable = await countRestorable(files, path);
  const { header, attempts } = parseLock(text);
  const hasDoubts = [...attempts.values()].some(isSalvaged);
  return {
    ok: true,
    report,
    restorable,
    hasDoubts,
    log: header?.log,
    ...(asidePath === undefined ? {} : { asidePath }),
  };
}

async function countRestorable(files: Files, path: string): Promise<number> {
  const read = await readLock(files, path);
  const note = read.ok ? read.notes.find(({ kind }) => kind === 'restored') : undefined;
  return note?.kind === 'restored' ? note.attempts : 0;
}

/** Editors and shells on Windows may save the file as UTF-16, with a byte order mark. */
function toUtf8(bytes: Uint8Array): Uint8Array {
  const [first, second] = bytes;
  const encoding =
    first === 0xff && second === 0xfe ? 'utf-16le' : first === 0xfe && second === 0xff ? 'utf-16be' : '';
  const text = encoding === '' ? '' : new TextDecoder(encoding).decode(bytes);
  // Otherwise it is not UTF-16, but a file whose first bytes are damaged.
  return text.startsWith('{"') ? new TextEncoder().encode(text) : bytes;
}

const LINE_FEED = 0x0a;

/** The lines with these numbers, from 1, with their exact bytes: damaged ones may not be valid UTF-8. */
function linesOf(bytes: Uint8Array, numbers: ReadonlySet<number>): Uint8Array {
  const lines: Uint8Array[] = [];
  for (let [start, number] = [0, 1]; start < bytes.length; number += 1) {
    const end = bytes.indexOf(LINE_FEED, start);
    const next = end === -1 ? bytes.length : end + 1;
    if (numbers.has(number)) lines.push(bytes.subarray(start, next));
    if (numbers.has(number) && end === -1) lines.push(Uint8Array.of(LINE_FEED));
    start = next;
  }
  return Buffer.concat(lines);
}

async function keepAside(files: Files, random: Random, path: string, bytes: Uint8Array): Promise<string> {
  for (let number = 1; number <= ASIDE_FILES_MAX; number += 1) {
    const name = `${path}.rejected-lines${number === 1 ? '' : `-${number}`}`;
    if ((await files.facts(name)) !== undefined) continue;
    await createFile(files, name, bytes, scratchPath(random, path));
    return name;
  }
  throw Object.assign(new Error('too many files of rejected lines'), { code: 'EEXIST' });
}
