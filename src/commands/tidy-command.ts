import { takeStatusesOf } from '../app/take-status.js';
import { BatchError, EXIT, type ExitCode } from '../core/errors.js';
import type { Attempt } from '../lockfile/attempt.js';
import { requireLock } from '../lockfile/read.js';
import type { Manifest } from '../manifest/take.js';
import type { Picks } from '../picks/pick-types.js';
import { readHistory } from '../plan/history.js';
import type { FileMove } from '../plan/plan.js';
import { planTidy, type TidyPlan } from '../plan/tidy.js';
import { jsonDocument } from '../report/json-text.js';
import { pathText } from '../report/path-text.js';
import { type DiskView, recover, stateOf, untrackedFiles } from '../run/recover.js';
import { noteElsewhere } from '../session/elsewhere-note.js';
import { viewOf } from '../session/find-state.js';
import { loadPicks } from '../session/picks.js';
import { openSession, type Session } from '../session/session.js';
import type { Flags } from '../session/settings.js';
import { showDiagnostics } from '../session/show-diagnostics.js';
import { withStore } from '../session/with-store.js';
import { applyMoves } from '../storage/move.js';
import { type Output, openOutput } from '../storage/output.js';
import { changeLockfile } from './change-lockfile.js';

/** Moves files that are neither current nor picked aside, and current ones back. Costs nothing, deletes nothing. */
export async function tidyCommand(manifest: string, flags: Flags): Promise<ExitCode> {
  const session = await openSession(manifest, flags);
  return changeLockfile(session, () => tidy(session));
}

async function tidy(session: Session): Promise<ExitCode> {
  const { settings, ports } = session;
  const { manifest, diagnostics, sources } = await session.load();
  if (manifest === undefined) {
    showDiagnostics(session, diagnostics, sources);
    throw new BatchError(
      'tidy-needs-manifest',
      'tidy needs a valid manifest to know which files are current',
      { exitCode: EXIT.invalid, hint: session.command('validate') },
    );
  }
  const { picks } = await loadPicks(session);
  const output = await openOutput(ports.files, settings.outputRoot.value);
  if (settings.flags.dryRun === true) {
    const attempts = await knownAttempts(session);
    const { moves, changed } = await planFor(session, output, attempts, manifest, picks);
    const stuck = await changedFiles({ output }, attempts, moves);
    printMoves(session, moves, stuck, changed);
    if (attempts.length === 0) await noteElsewhere(session, ...wordsOf(settings.flags));
    return EXIT.ok;
  }
  const { moves, changed, stuck, known } = await withStore(
    session,
    'tidy',
    async ({ store, formerPlaces }) => {
      const context = { output, store };
      await recover(context, ports.clock.nowMs(), { takes: manifest.takes, former: formerPlaces });
      const planned = await planFor(session, output, [...store.attempts.values()], manifest, picks);
      return { ...planned, stuck: await applyMoves(context, planned.moves), known: store.attempts.size };
    },
  );
  printMoves(session, moves, stuck, changed);
  if (known === 0) await noteElsewhere(session, ...wordsOf(settings.flags));
  return stuck.length > 0 ? EXIT.unavailable : EXIT.ok;
}

function wordsOf({ undo, dryRun }: Flags): readonly string[] {
  return ['tidy', ...(undo === true ? ['--undo'] : []), ...(dryRun === true ? ['--dry-run'] : [])];
}

/** Without the lock, and without writing anything. */
async function knownAttempts(session: Session): Promise<readonly Attempt[]> {
  const lockPath = session.settings.lockfilePath.value;
  const read = await requireLock(session.ports.files, lockPath, session.command);
  const { attempts, audio } = await viewOf(session, read, 'tidy');
  await audio?.close();
  return attempts;
}

/** The moves that cannot be made, because the bytes of their file are not the ones that were stored. */
async function changedFiles(
  view: DiskView,
  attempts: readonly Attempt[],
  moves: readonly FileMove[],
): Promise<readonly FileMove[]> {
  const byId = new Map(attempts.map((attempt) => [attempt.attempt, attempt]));
  const changed: FileMove[] = [];
  for (const move of moves) {
    const attempt = byId.get(move.attempt);
    if (attempt !== undefined && (await stateOf(view, attempt, 'hash')) !== 'present') changed.push(move);
  }
  return changed;
}

async function planFor(
  { settings }: Session,
  output: Output,
  attempts: readonly Attempt[],
  manifest: Manifest,
  picks: Picks,
): Promise<TidyPlan> {
  const view = { output };
  const { rows, removed, stored } = await takeStatusesOf(view, attempts, manifest);
  const takes = [...rows, ...removed].map(({ take }) => take);
  return planTidy({
    rows,
    history: readHistory(attempts, stored.files, stored.owners),
    isPicked: ({ track, file }) => file !== undefined && picks.get(track)?.sha256 === file.sha256,
    occupied: await untrackedFiles(view, takes, attempts),
    undo: settings.flags.undo === true,
  });
}

/** @param changed files that would have been moved as well, and are left alone */
function printMoves(
  session: Session,
  moves: readonly FileMove[],
  stuck: readonly FileMove[],
  changed: readonly string[],
): void {
  const { settings, stdout, stderr, placeOf, command } = session;
  const preview = settings.flags.dryRun === true;
  const made = moves.filter((move) => !stuck.includes(move));
  if (settings.flags.json === true) {
    const reported = (of: readonly FileMove[]) => of.map(({ from, to }) => ({ from, to }));
    stdout.write(
      jsonDocument({
        schema: 1,
        output_root: settings.outputRoot.value,
        dry_run: preview,
        moved: reported(made),
        not_moved: reported(stuck),
        changed,
      }),
    );
    return;
  }
  for (const { from, to } of made) stdout.write(`${pathText(placeOf(from))} → ${pathText(placeOf(to))}\n`);
  for (const { from } of stuck)
    stderr.write(
      `warning: ${pathText(placeOf(from))} was not moved: it was changed since it was stored, or its folder cannot be written\n`,
    );
  for (const file of changed)
    stderr.write(
      `warning: ${pathText(placeOf(file))} was not moved: it was changed since it was stored. If you no longer need it, move it away yourself\n`,
    );
  const files = made.length === 1 ? '1 file' : `${made.length} files`;
  if (made.length === 0) stdout.write('nothing to move\n');
  else if (preview)
    stdout.write(
      `${files} would be moved: ${command('tidy', ...(settings.flags.undo === true ? ['--undo'] : []))}\n`,
    );
  else
    stdout.write(
      `${files} moved${settings.flags.undo === true ? '' : `; to undo: ${command('tidy', '--undo')}`}\n`,
    );
}
