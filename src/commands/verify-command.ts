import { orNotPulled } from '../app/pull-here.js';
import type { SharedView } from '../app/shared-view.js';
import { takeStatusesOf } from '../app/take-status.js';
import { type CheckedFile, checkFiles, isBad } from '../app/verify-files.js';
import { EXIT, type ExitCode } from '../core/errors.js';
import { takeKey } from '../core/take-key.js';
import type { Attempt } from '../lockfile/attempt.js';
import { boughtTwice } from '../lockfile/bought-twice.js';
import { requireLock } from '../lockfile/read.js';
import { boughtTwicePhrase, boughtTwiceTake } from '../plan/bought-twice-warning.js';
import { isFetchable, isNothingHere, missingHint } from '../plan/latest-attempts.js';
import type { PlanRow } from '../plan/plan.js';
import { retryFlags } from '../plan/selection.js';
import { escapeForeign } from '../report/escape.js';
import { jsonDocument } from '../report/json-text.js';
import { pathText } from '../report/path-text.js';
import { NOTHING_BOUGHT } from '../report/status-text.js';
import { elsewhereNote } from '../session/elsewhere-note.js';
import { pullFor, viewOf } from '../session/find-state.js';
import { requireManifest } from '../session/require-manifest.js';
import { openSession, type Session } from '../session/session.js';
import type { Flags } from '../session/settings.js';
import { manifestOrWarning } from '../session/unreadable.js';
import { openOutput } from '../storage/output.js';

/**
 * Hashes every stored file again and compares it with the lockfile. Changes nothing, but downloads missing files from
 * the audio store if one is configured.
 */
export async function verifyCommand(manifest: string, flags: Flags): Promise<ExitCode> {
  const session = await openSession(manifest, flags);
  await requireManifest(session);
  const { ports, settings, stdout, command } = session;
  const lockPath = settings.lockfilePath.value;
  const outputRoot = settings.outputRoot.value;
  const read = await requireLock(ports.files, lockPath, command);
  const view = { output: await openOutput(ports.files, outputRoot) };
  const shared = await viewOf(session, read, 'verify');
  const notPulled = await pullFor(session, shared, view.output);
  const { attempts, keptBy } = shared;
  const fetchable = orNotPulled(shared.fetchable, notPulled);
  const statuses = await takeStatusesOf(view, attempts, await manifestOrWarning(session), {
    keptBy,
    fetchable,
  });
  const files = await checkFiles(view, attempts, statuses);
  const doubles = boughtTwice(attempts);
  if (flags.json === true) {
    const reported = files.map(({ attempt: { track, take }, word, path, state, machine }) => {
      return { path, track, take, state, needed: word !== undefined, ...(machine && { machine }) };
    });
    const bought_twice = doubles.map(boughtTwiceTake);
    const warnings = (shared.warnings ?? []).map(({ code, message, hint = null }) => ({
      code,
      message,
      hint,
    }));
    stdout.write(
      jsonDocument({ schema: 1, output_root: outputRoot, warnings, files: reported, bought_twice }),
    );
  } else {
    for (const double of doubles) stdout.write(`warning: ${boughtTwicePhrase(double)}\n`);
    const nothingBought = attempts.length === 0;
    stdout.write(nothingBought ? NOTHING_BOUGHT : verdictText(files, statuses.rows, session, shared));
    const note = nothingBought ? await elsewhereNote(session, ['verify']) : undefined;
    if (note !== undefined) stdout.write(`${note}\n`);
  }
  return files.some(isBad) ? EXIT.tracks : EXIT.ok;
}

/** Files that differ from what was stored, how many match, and what to do. */
function verdictText(
  files: readonly CheckedFile[],
  rows: readonly PlanRow[],
  { placeOf, command }: Pick<Session, 'placeOf' | 'command'>,
  shared: Pick<SharedView, 'attempts' | 'audio'>,
): string {
  const lines = files
    .filter(({ state, word }) => state !== 'present' && word !== undefined)
    .map(({ path, state, machine }) => {
      const note = machine === undefined ? '' : `   (on ${escapeForeign(machine)})`;
      return `${state}  ${pathText(placeOf(path))}${note}`;
    });
  const kept = shared.attempts.filter((one) => one.state === 'unverified' && one.kept !== undefined);
  lines.push(...kept.map((one) => `unverified  ${pathText(placeOf(one.kept?.path ?? ''))}`));
  const bad = files.filter(isBad);
  const needed = files.filter(({ word }) => word !== undefined).length;
  const away = files.filter(({ state }) => state === 'elsewhere').length;
  const elsewhere = away === 0 ? '' : `; ${away} kept elsewhere`;
  lines.push(`${needed - bad.length - away} of ${needed} files verified${elsewhere}${unneededPhrase(files)}`);
  lines.push(
    ...nextSteps(bad, kept[0], rows, { audio: shared.audio, command }).map((step) => `Next: ${step}`),
  );
  return `${lines.join('\n')}\n`;
}

/** Each in words, then the command: a `#` behind it would not be a comment in every shell. */
function nextSteps(
  bad: readonly CheckedFile[],
  kept: Attempt | undefined,
  rows: readonly PlanRow[],
  { audio, command }: Pick<SharedView, 'audio'> & Pick<Session, 'command'>,
): readonly string[] {
  const [refetchable, others] = [bad.filter(isRemote), bad.filter((file) => !isRemote(file))];
  const changed = others.filter(({ state }) => state === 'changed');
  const steps: string[] = [];
  if (refetchable.length > 0)
    steps.push(
      `download ${refetchable.length === 1 ? 'it' : 'them'} again, at no cost: ${command('collect')}`,
    );
  if (kept !== undefined)
    steps.push(
      `if the kept download sounds right: ${command('accept', takeKey(kept))}; otherwise: ${command('collect')}`,
    );
  if (isNothingHere(rows) || rows.some(isFetchable)) steps.push(missingHint(rows, command));
  else if (others.length > changed.length)
    steps.push(`put the missing files back, or buy them again: ${command('run', '--retry-failed')}`);
  if (changed.length > 0 && audio !== undefined)
    steps.push(`move the changed files away, and download the originals, at no cost: ${command('pull')}`);
  else if (changed.length > 0) {
    const words = retryFlags({ retryFailed: false, force: changed.flatMap(({ word }) => word ?? []) });
    steps.push(`put the original files back, or buy them again: ${command('run', ...words)}`);
  }
  return steps;
}

/** Only counted: a file that was replaced by a new purchase, and then deleted, would be listed for ever. */
function unneededPhrase(files: readonly CheckedFile[]): string {
  const unneeded = files.filter(({ state, word }) => state !== 'present' && word === undefined);
  const counts = [...new Set(unneeded.map(({ state }) => state))].map(
    (state) => `${unneeded.filter((file) => file.state === state).length} ${state}`,
  );
  return counts.length === 0 ? '' : `; no longer needed: ${counts.join(', ')}`;
}

/** The service still has a copy. It is deleted only once this one is complete. */
function isRemote({ attempt }: CheckedFile): boolean {
  return attempt.state === 'stored';
}
