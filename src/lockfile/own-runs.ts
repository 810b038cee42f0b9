import { dirname } from 'node:path';
import { faultCode } from '../core/errors.js';
import type { Files, Random } from '../core/ports.js';
import { makePrivateFolder, privatePath } from './private-folder.js';

/*
 * Ids of this machine's runs under a lockfile with a shared log. Kept in the private folder, which version control
 * ignores, so that a clone has the lockfile but not these. The holder of the run lock knows that all of them have
 * ended.
 */

const BYTES_MAX = 16 * 1024 * 1024;
const RUN_ID = /^[0-9a-f]{32}$/;

/**
 * Adds a run, durably, and returns the earlier ones. Requires the run lock. Throws the `FileFault`.
 *
 * @param lockPath absolute, links resolved
 */
export async function enterRun(
  files: Files,
  random: Random,
  lockPath: string,
  run: string,
): Promise<ReadonlySet<string>> {
  const path = privatePath(lockPath, '.runs');
  const before = await readRuns(files, path);
  await makePrivateFolder(files, random, lockPath);
  // Start with a line feed: a crash may have torn the last line.
  const handle = await openToAppend(files, path);
  try {
    await handle.write(new TextEncoder().encode(`\n${run}\n`));
    await handle.sync();
  } finally {
    await handle.close();
  }
  await files.syncDirectory(dirname(path));
  return before;
}

/**
 * This machine's runs under a lockfile. Throws the `FileFault`.
 *
 * @param lockPath absolute, links resolved
 */
export function ownRuns(files: Files, lockPath: string): Promise<ReadonlySet<string>> {
  return readRuns(files, privatePath(lockPath, '.runs'));
}

async function readRuns(files: Files, path: string): Promise<ReadonlySet<string>> {
  try {
    const text = new TextDecoder().decode(await files.read(path, BYTES_MAX));
    return new Set(text.split('\n').filter((line) => RUN_ID.test(line)));
  } catch (fault) {
    if (faultCode(fault) === 'ENOENT') return new Set();
    throw fault;
  }
}

async function openToAppend(files: Files, path: string) {
  try {
    return await files.open(path, 'append');
  } catch (fault) {
    if (faultCode(fault) !== 'ENOENT') throw fault;
    return files.open(path, 'exclusive');
  }
}
