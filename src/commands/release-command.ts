import path from 'node:path';
import { type GatheredRelease, gatherRelease, OriginalFault, readOriginal } from '../app/gather-release.js';
import { storageError } from '../app/storage-error.js';
import type { Diagnostic } from '../core/diagnostic.js';
import { BatchError, EXIT, type ExitCode, usageError } from '../core/errors.js';
import type { Files } from '../core/ports.js';
import { shellWord } from '../core/shell.js';
import { requireLock } from '../lockfile/read.js';
import { removeFolder } from '../node/remove-folder.js';
import { plannedFiles, plannedTracks } from '../release/dry-run.js';
import { makeRelease, StoppedError, ZipTooLargeError } from '../release/make-release.js';
import { UndecodableError } from '../release/prepare-audio.js';
import {
  type InTheWay,
  InTheWayError,
  isReleaseZip,
  linkObstacleAt,
  obstacleAt,
  zipObstacleAt,
} from '../release/release-folder.js';
import { escapeForeign } from '../report/escape.js';
import { jsonDocument } from '../report/json-text.js';
import { pathText } from '../report/path-text.js';
import { type ReleaseReport, releaseJson, releaseWarnings, renderRelease } from '../report/release-text.js';
import { tableWidth } from '../report/terminal.js';
import { elsewhereNote } from '../session/elsewhere-note.js';
import { pullFor, viewOf } from '../session/find-state.js';
import { loadPicks } from '../session/picks.js';
import { placesIn } from '../session/place.js';
import { requireManifest } from '../session/require-manifest.js';
import { openSession, type Session } from '../session/session.js';
import type { Flags } from '../session/settings.js';
import { showDiagnostics } from '../session/show-diagnostics.js';
import { openOutput } from '../storage/output.js';
import { watchInterrupt } from './interrupt.js';
import { prepareAudio, requireEncoders } from './release-audio.js';

export interface ReleaseFlags extends Flags {
  readonly to: string;
  readonly zip?: boolean;
  readonly first?: boolean;
  readonly dryRun?: boolean;
}

/** Copies the chosen takes to a folder, tagged and named. Reads the originals, buys nothing and works offline. */
export async function releaseCommand(manifest: string, flags: ReleaseFlags): Promise<ExitCode> {
  const session = await openSession(manifest, flags);
  await requireManifest(session);
  const { files } = session.ports;
  const again = session.command('release', ...wordsOf(flags));
  if (flags.to === '')
    throw usageError('--to is empty', `name a folder: ${session.command('release', '--to', 'release')}`);
  const target = await files.real(path.resolve(flags.to));
  try {
    const sources = await sourcesOf(session, flags);
    if ('refused' in sources) return sources.refused;
    await refuseObstacles(session, target, flags);
    return await carryOut(session, flags, target, sources);
  } catch (error) {
    const refusal =
      error instanceof InTheWayError
        ? await notReplaced(session, error.obstacle, flags)
        : asRefusal(error, session, again);
    throw await storageError(refusal, files, { directory: target, next: again });
  }
}

type Gathered = Extract<GatheredRelease, { ok: true }> & {
  readonly view: { readonly output: Awaited<ReturnType<typeof openOutput>> };
};

async function sourcesOf(
  session: Session,
  flags: ReleaseFlags,
): Promise<Gathered | { readonly refused: ExitCode }> {
  const { ports, settings, command, placeOf } = session;
  const loaded = await session.load();
  const refuse = (diagnostics: readonly Diagnostic[], code: ExitCode) => {
    if (flags.json === true) session.stdout.write(jsonDocument({ schema: 1, released: false, diagnostics }));
    showDiagnostics(session, diagnostics, loaded.sources);
    return { refused: code };
  };
  if (loaded.manifest === undefined) return refuse(loaded.diagnostics, EXIT.invalid);
  const read = await requireLock(ports.files, settings.lockfilePath.value, command);
  const view = { output: await openOutput(ports.files, settings.outputRoot.value) };
  const shared = await viewOf(session, read, 'release');
  await pullFor(session, shared, view.output);
  const gathered = await gatherRelease(ports.files, view, {
    manifest: loaded.manifest,
    attempts: shared.attempts,
    picks: (await loadPicks(session)).picks,
    first: flags.first === true,
    fetchable: shared.fetchable,
    command,
    placeOf,
  });
  if (gathered.ok) {
    showDiagnostics(session, gathered.warnings, loaded.sources);
    return { ...gathered, view };
  }
  const code = { choice: EXIT.usage, tracks: EXIT.tracks, manifest: EXIT.invalid }[gathered.because];
  const unpicked = gathered.diagnostics.filter(({ code: one }) => one === 'unpicked').length;
  const result = refuse(gathered.diagnostics, code);
  const note =
    read.attempts.size === 0 ? await elsewhereNote(session, ['release', ...wordsOf(flags)]) : undefined;
  if (note !== undefined) session.stderr.write(`note: ${note}\n`);
  if (unpicked > 0)
    session.stderr.write(
      `to take the first take of every track without a pick: ${command('release', ...wordsOf({ ...flags, first: true }))}\n`,
    );
  return result;
}

async function carryOut(
  session: Session,
  flags: ReleaseFlags,
  target: string,
  gathered: Gathered,
): Promise<ExitCode> {
  const { ports, stderr } = session;
  const { files, processes } = ports;
  const { release, takes, cover, view } = gathered;
  await requireEncoders(release, takes);
  const zip = flags.zip === true ? { zip: `${target}.zip` } : {};
  const earlier = await earlierZip(session, flags, target);
  stderr.write(releaseWarnings({ warnings: earlier }));
  if (flags.dryRun === true) {
    const tracks = plannedTracks(release, takes);
    const planned = {
      tracks,
      files: plannedFiles(tracks, cover),
      warnings: [...shownWarnings(gathered), ...earlier],
      folder: target,
      dryRun: true,
    };
    printReport(session, flags, { ...planned, ...zip });
    return EXIT.ok;
  }
  const interrupt = watchInterrupt(() => stderr.write('stopping: nothing is released\n'));
  let at = 0;
  try {
    const made = await makeRelease(
      { files, processes, removeFolder },
      {
        release,
        takes,
        cover,
        target,
        zip: flags.zip === true,
        read: (take) => readOriginal(view, take),
        prepare: prepareAudio(gathered, ports),
        progress({ stem }) {
          at += 1;
          if (flags.json !== true) stderr.write(`[${at}/${takes.length}] ${escapeForeign(stem)}\n`);
        },
        stop: interrupt.signal,
      },
    );
    stderr.write(releaseWarnings(made));
    printReport(session, flags, {
      ...made,
      ...zip,
      warnings: [...shownWarnings(gathered), ...earlier, ...made.warnings],
      folder: target,
      dryRun: false,
    });
    return EXIT.ok;
  } catch (error) {
    if (!(error instanceof StoppedError)) throw error;
    return interrupt.signal.reason === 'SIGINT' ? EXIT.sigint : EXIT.sigterm;
  } finally {
    interrupt.release();
  }
}

/** The warnings already shown, for the JSON document. */
function shownWarnings({ warnings }: Gathered): ReleaseReport['warnings'] {
  return warnings.map(({ track, message }) => ({ track, message }));
}

/** A release without `--zip` leaves the archive of an earlier one as it is. */
async function earlierZip(
  { ports, command }: Session,
  flags: ReleaseFlags,
  target: string,
): Promise<ReleaseReport['warnings']> {
  const archive = `${target}.zip`;
  if (flags.zip === true || !(await isReleaseZip(ports.files, archive))) return [];
  const renew = command('release', ...wordsOf({ ...flags, zip: true, dryRun: false }));
  const message = `${displayed(archive)} is the archive of an earlier release and may be out of date; to renew it: ${renew}`;
  return [{ track: null, message }];
}

/** Relative to the working directory. */
function displayed(absolute: string): string {
  return pathText(placesIn(path.dirname(absolute), process.cwd())(path.basename(absolute)));
}

function printReport({ stdout }: Session, flags: ReleaseFlags, report: ReleaseReport): void {
  if (flags.json === true) {
    stdout.write(releaseJson(report));
    return;
  }
  const here = process.cwd();
  const placeOf = (absolute: string) => placesIn(path.dirname(absolute), here)(path.basename(absolute));
  stdout.write(renderRelease(report, { width: tableWidth(stdout, process.env), placeOf }));
}

/** Replaces nothing but an earlier release. Throws `BatchError` (exit 2). */
async function refuseObstacles(session: Session, target: string, flags: ReleaseFlags): Promise<void> {
  const { files } = session.ports;
  const obstacle =
    (await linkObstacleAt(files, path.resolve(flags.to))) ??
    (await obstacleAt(files, target)) ??
    (flags.zip === true ? await zipObstacleAt(files, `${target}.zip`) : undefined);
  if (obstacle !== undefined) throw await notReplaced(session, obstacle, flags);
}

async function notReplaced(
  { ports, command }: Session,
  obstacle: InTheWay,
  flags: ReleaseFlags,
): Promise<BatchError> {
  const to = await freeFolder(ports.files, flags.to);
  const other = command('release', ...wordsOf({ ...flags, to }));
  return usageError(
    `${pathText(obstacle.path)} ${obstacle.what}: it is not replaced`,
    // It may be the project, or the folder of the audio.
    `release to another folder: ${other}`,
    'release-folder',
  );
}

/** A name for a new folder beside this one, or inside it for `.`, `..` and `/`. */
async function freeFolder(files: Files, to: string): Promise<string> {
  const plain = path.join(path.dirname(to), path.basename(to));
  const name = ['.', '..', ''].includes(path.basename(plain)) ? path.join(plain, 'release') : plain;
  const isTaken = async (folder: string) =>
    (await files.facts(path.resolve(folder))) !== undefined ||
    (await files.facts(path.resolve(`${folder}.zip`))) !== undefined;
  if (name !== plain && !(await isTaken(name))) return name;
  for (let number = 2; ; number += 1) if (!(await isTaken(`${name}-${number}`))) return `${name}-${number}`;
}

/** Turns what ended the release into an error that says what to do. */
function asRefusal(error: unknown, { command }: Session, again: string): unknown {
  if (error instanceof OriginalFault)
    return new BatchError(
      'original-changed',
      `the file of ${escapeForeign(error.message)} changed while it was being read: nothing was released`,
      { exitCode: EXIT.tracks, hint: `put it back; to see the options: ${command('verify')}` },
    );
  if (error instanceof UndecodableError)
    return usageError(
      `${escapeForeign(error.track)}: ${error.format} cannot be decoded here, which \`loudness\` and \`format\` need`,
      `install ffmpeg, then: ${again}`,
      'release-unsupported',
    );
  if (error instanceof ZipTooLargeError)
    return usageError(
      'a ZIP file can hold at most 4 GiB, and the release has more',
      `leave --zip out, or set \`format: flac\` in \`release\`: ${shellWord(again)}`,
      'zip-too-large',
    );
  return error;
}

function wordsOf({ to, zip, first, dryRun }: ReleaseFlags): readonly string[] {
  return [
    '--to',
    to,
    ...(zip === true ? ['--zip'] : []),
    ...(first === true ? ['--first'] : []),
    ...(dryRun === true ? ['--dry-run'] : []),
  ];
}
