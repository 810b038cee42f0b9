import path from 'node:path';
import type { Diagnostic } from '../core/diagnostic.js';
import { BatchError, EXIT } from '../core/errors.js';
import type { Files, Random } from '../core/ports.js';
import { replaceFile } from '../lockfile/atomic-write.js';
import { makePrivateFolder, scratchPath } from '../lockfile/private-folder.js';
import { linkToNothing } from '../lockfile/read.js';
import { readTextFile } from '../manifest/text-file.js';
import type { Pick, Picks } from './pick-types.js';

export type PicksRead =
  | {
      readonly ok: true;
      readonly picks: Picks;
      /** Text of the file; absent if there is none yet. */
      readonly text?: string;
    }
  | {
      readonly ok: false;
      readonly diagnostics: readonly Diagnostic[];
      /** For code frames. */
      readonly sources: ReadonlyMap<string, string>;
    };

const PICKS_BYTES_MAX = 4 * 1024 * 1024;

/**
 * `album.picks.yaml`.
 *
 * @param folder of the manifest, or of the sandbox
 */
export function picksPathIn(folder: string, manifestPath: string): string {
  return path.join(folder, `${path.basename(manifestPath).replace(/\.ya?ml$/i, '')}.picks.yaml`);
}

/**
 * Reads the picks. A missing file means no picks. An invalid file is returned as diagnostics with their places.
 *
 * @param file absolute
 * @param displayPath how diagnostics name it
 */
export async function readPicks(files: Files, file: string, displayPath: string): Promise<PicksRead> {
  const read = await readTextFile(files, file, PICKS_BYTES_MAX);
  if (read.kind === 'fault' && read.fault === 'missing') return { ok: true, picks: new Map() };
  if (read.kind === 'fault') {
    const message = `cannot read the picks in ${displayPath}: ${FAULTS[read.fault] ?? read.code}`;
    const hint = 'make it a readable UTF-8 file, or move it away to start without picks';
    const diagnostics: Diagnostic[] = [{ code: 'picks-unreadable', severity: 'error', message, hint }];
    return { ok: false, diagnostics, sources: new Map() };
  }
  // Heavy (yaml), so loaded only when needed.
  const { parsePicks } = await import('./parse-picks.js');
  const { picks, diagnostics } = parsePicks(displayPath, read.text);
  if (diagnostics.length > 0) return { ok: false, diagnostics, sources: new Map([[displayPath, read.text]]) };
  return { ok: true, picks, text: read.text };
}

const FAULTS: Readonly<Record<string, string>> = {
  directory: 'it is a folder',
  'not-a-file': 'it is not a regular file',
  'not-permitted': 'permission denied',
  'too-large': 'it is larger than 4 MiB',
  'not-utf8': 'it is not UTF-8 text',
};

/**
 * Writes changed picks in one step. Comments and everything else in the file stay, and what other programs save until
 * right before the file is replaced. Throws `BatchError` if they never pause, and `ELOOP` for a dangling link: it would
 * create a file at a place that someone else chose.
 *
 * @param file absolute
 * @param before the `text` that `readPicks` returned
 * @param changes the new pick of each track; `undefined` removes it
 */
export async function writePicks(
  files: Files,
  random: Random,
  file: string,
  before: string | undefined,
  changes: ReadonlyMap<string, Pick | undefined>,
): Promise<void> {
  const { editPicks } = await import('./edit-picks.js');
  const real = await files.real(file);
  if ((await linkToNothing(files, file)) !== undefined)
    throw Object.assign(new Error(`a link to a file that does not exist: ${file}`), {
      code: 'ELOOP',
      path: file,
    });
  let known = before;
  for (let tries = 0; tries < TRIES_MAX; tries += 1) {
    const text = editPicks(known, changes);
    if (text === known) return;
    await makePrivateFolder(files, random, real);
    const scratch = scratchPath(random, real);
    let now: string | undefined;
    const check = async () => {
      now = await validText(files, real);
      if (now !== known) throw new PicksChanged();
    };
    try {
      await replaceFile(files, real, [new TextEncoder().encode(text)], scratch, check);
      return;
    } catch (error) {
      if (!(error instanceof PicksChanged)) throw error;
      known = now;
    }
  }
  const name = path.basename(real);
  throw new BatchError('storage', `${name} cannot be saved: another program keeps changing it`, {
    exitCode: EXIT.unavailable,
    hint: `close the program that writes ${name}, or wait until it is done, then pick again`,
  });
}

/** Each failed try means that another program has saved its picks. */
const TRIES_MAX = 100;

/** Another program saved picks in the meantime: the edit has to be made again, in its text. */
class PicksChanged extends Error {}

/** Throws `BatchError` if the file has become invalid. */
async function validText(files: Files, file: string): Promise<string | undefined> {
  const read = await readPicks(files, file, path.basename(file));
  if (read.ok) return read.text;
  const { code, message, hint } = read.diagnostics[0]!;
  throw new BatchError(code, message, { exitCode: EXIT.invalid, hint });
}
