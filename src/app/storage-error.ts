import path from 'node:path';
import { BatchError, describeFault, EXIT, isSystemFault } from '../core/errors.js';
import type { FileFault, Files } from '../core/ports.js';
import { shellWord } from '../core/shell.js';

/** Why a folder cannot store a file, and what to do about it. */
export interface PlaceFault {
  readonly message: string;
  readonly fix: string;
}

/**
 * Names the exact file in the way, if there is one.
 *
 * @param code the system's, or one of ours
 * @param placeOf how a path is displayed
 */
export async function placeFault(
  files: Files,
  directory: string,
  code: string,
  placeOf: PlaceOf = asItIs,
): Promise<PlaceFault> {
  const { what, fix } = describeFault(code);
  const obstacle = await nearestFile(files, directory);
  if (obstacle !== undefined)
    return { message: `${shellWord(placeOf(obstacle))} is a file, but must be a folder`, fix };
  return { message: `cannot store files in ${shellWord(placeOf(directory))}: ${what} (${code})`, fix };
}

type PlaceOf = (absolute: string) => string;

function asItIs(absolute: string): string {
  return absolute;
}

/** The part of the path that is a file. */
async function nearestFile(files: Files, place: string): Promise<string | undefined> {
  const facts = await files.facts(place).catch(() => undefined);
  if (facts !== undefined) return facts.kind === 'directory' ? undefined : place;
  const parent = path.dirname(place);
  return parent === place ? undefined : nearestFile(files, parent);
}

/** Context for the message about a disk error. */
export interface Circumstances {
  /** Folder that the command was working in. */
  readonly directory: string;
  /** Command to run again after the error is fixed. */
  readonly next: string;
  /** Nothing can have been bought yet. */
  readonly untouched?: boolean;
  readonly placeOf?: PlaceOf | undefined;
}

/** Turns a disk error into the error that ends the command. Returns anything else unchanged. */
export async function storageError(
  error: unknown,
  files: Files,
  { directory, next, untouched, placeOf }: Circumstances,
): Promise<unknown> {
  if (error instanceof BatchError || !isSystemFault(error)) return error;
  const { message, fix } = await describe(error as FileFault, files, directory, placeOf);
  return new BatchError('storage', untouched === true ? `${message}: nothing was bought` : message, {
    exitCode: EXIT.unavailable,
    hint: `${fix}, then: ${next}`,
    cause: error,
  });
}

/** Errors that concern the path they name, whichever folder the command was working in. */
const OF_THEIR_PATH: ReadonlySet<string> = new Set(['EFTYPE', 'EISDIR', 'ELOOP', 'EEXIST', 'ENOTDIR']);
/** Paths through an open folder mean nothing to a user. */
const BY_DESCRIPTOR = '/proc/self/fd/';

async function describe(
  { code, path: named }: FileFault,
  files: Files,
  directory: string,
  placeOf: PlaceOf = asItIs,
): Promise<PlaceFault> {
  if (named === undefined || named.startsWith(BY_DESCRIPTOR))
    return placeFault(files, directory, code, placeOf);
  if (!OF_THEIR_PATH.has(code))
    // This error always concerns the output folder, never the lockfile.
    return placeFault(files, code === 'ESTALE' ? named : directory, code, placeOf);
  const shown = shellWord(placeOf(named));
  if (code === 'ELOOP' && (await files.facts(named).catch(() => undefined)) === undefined)
    return {
      message: `${shown} cannot be used: it is a symbolic link that leads to nothing (${code})`,
      fix: `remove it (rm ${shown})`,
    };
  const { what, fix } = describeFault(code);
  return { message: `${shown} cannot be used: ${what} (${code})`, fix };
}
