import path from 'node:path';
import { BatchError, describeFault, EXIT, faultCode, usageError } from '../core/errors.js';
import { shellWord } from '../core/shell.js';
import { replaceFile } from '../lockfile/atomic-write.js';
import { randomHex } from '../lockfile/private-folder.js';
import type { SavedPlan } from '../plan/saved-plan.js';
import { readSavedPlan, SAVED_PLAN_BYTES_MAX, savedPlanText } from '../plan/saved-plan-file.js';
import type { Session } from '../session/session.js';
import type { Flags } from '../session/settings.js';

/**
 * The saved plan that `--plan` names; `undefined` without the flag. Throws `BatchError` (exit 2) for an invalid file,
 * and for flags that contradict the plan.
 */
export async function readPlanFile({ settings, ports, command }: Session): Promise<SavedPlan | undefined> {
  const name = settings.flags.plan;
  if (name === undefined) return undefined;
  const other = contradiction(settings.flags);
  if (other !== undefined)
    throw usageError(
      `--plan and ${other} cannot be combined: the plan says what is bought`,
      `leave ${other} out: ${command('run', '--plan', name)}`,
    );
  let bytes: Uint8Array;
  try {
    bytes = await ports.files.read(path.resolve(name), SAVED_PLAN_BYTES_MAX);
  } catch (error) {
    throw new BatchError(
      'plan-unreadable',
      `the plan ${shellWord(name)} cannot be read: ${describeFault(faultCode(error)).what} (${faultCode(error)})`,
      {
        exitCode: EXIT.usage,
        hint: `save one: ${command('plan', '--out', name)}`,
        cause: error,
      },
    );
  }
  const read = readSavedPlan(Buffer.from(bytes).toString('utf8'));
  if (read.ok) return read.saved;
  throw usageError(
    `${shellWord(name)} ${read.why}`,
    read.code === 'plan-newer-version'
      ? 'update venice-batch to the release that saved it'
      : `save one: ${command('plan', '--out', name)}`,
    read.code,
  );
}

/** Returns the first flag that cannot be combined with `--plan`. */
function contradiction({
  only,
  except,
  force,
  more,
  onlyUnpicked,
  retryFailed,
  frozen,
}: Flags): string | undefined {
  if (only !== undefined) return '--only';
  if (except !== undefined) return '--except';
  if (force !== undefined) return '--force';
  if (more !== undefined) return '--more';
  if (onlyUnpicked === true) return '--only-unpicked';
  if (retryFailed === true) return '--retry-failed';
  return frozen === true ? '--frozen' : undefined;
}

/** Writes the plan to the file of `--out`. Throws `BatchError` (exit 12) on a disk error. */
export async function writePlanFile(session: Session, name: string, saved: SavedPlan): Promise<void> {
  const { ports, command } = session;
  const file = path.resolve(name);
  const text = savedPlanText(saved);
  const read = readSavedPlan(text);
  if (!read.ok)
    throw usageError(
      `the plan cannot be saved: it ${read.why}`,
      'select with fewer or shorter patterns in --only, --except or --force',
      'plan-not-a-plan',
    );
  try {
    const scratch = path.join(path.dirname(file), `.${randomHex(ports.random)}.tmp`);
    await replaceFile(ports.files, file, [Buffer.from(text)], scratch);
  } catch (error) {
    const { what, fix } = describeFault(faultCode(error));
    throw new BatchError(
      'plan-unwritable',
      `the plan cannot be saved to ${shellWord(name)}: ${what} (${faultCode(error)})`,
      {
        exitCode: EXIT.unavailable,
        hint: `${fix}, then: ${command('plan', '--out', name)}`,
        cause: error,
      },
    );
  }
}
