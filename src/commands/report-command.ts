import { createHash } from 'node:crypto';
import path from 'node:path';
import { storageError } from '../app/storage-error.js';
import { EXIT, type ExitCode, usageError } from '../core/errors.js';
import { replaceFile } from '../lockfile/atomic-write.js';
import { randomHex } from '../lockfile/private-folder.js';
import { jsonDocument } from '../report/json-text.js';
import { pathText } from '../report/path-text.js';
import type { ReviewFile } from '../review/data.js';
import { embeddedAudio, reportEnd, reportStart } from '../review/html.js';
import { elsewhereNote } from '../session/elsewhere-note.js';
import { nextCommandLine } from '../session/next-command-line.js';
import { requireManifest } from '../session/require-manifest.js';
import { openSession, type Session } from '../session/session.js';
import type { Flags } from '../session/settings.js';
import { hashFile } from '../storage/link-into-place.js';
import { type Output, openOutput } from '../storage/output.js';
import { albumAttempts } from './album-attempts.js';
import { type AlbumView, viewAlbum } from './album-view.js';
import { heightsOf, type Listener, openListener } from './listen.js';
import { readAssets } from './review-world.js';

export interface ReportFlags extends Flags {
  readonly embed?: boolean;
}

/** Writes the review page as one read-only file. Buys nothing and contacts no one. */
export async function reportCommand(manifest: string, { out, ...flags }: ReportFlags): Promise<ExitCode> {
  if (out === undefined)
    throw usageError(
      '`report` requires --out, the file to write',
      nextCommandLine('report', { manifest, flags }, ['--out', 'report.html']),
    );
  const session = await openSession(manifest, { ...flags, report: out });
  await requireManifest(session);
  const listener = await openListener(session);
  try {
    const { data, files } = await write(session, listener, out, flags.embed === true);
    const embedded = flags.embed === true;
    const tracks = data.tracks.length === 1 ? '1 track' : `${data.tracks.length} tracks`;
    const count = files.size === 1 ? '1 file' : `${files.size} files`;
    session.stdout.write(
      flags.json === true
        ? jsonDocument({ schema: 1, report: path.resolve(out), files: files.size, embedded })
        : `wrote ${pathText(out)}: ${tracks}, ${count}${embedded ? ' inside it' : ''}\n`,
    );
    const note = files.size === 0 ? await elsewhereNote(session, ['report', '--out', out]) : undefined;
    if (note !== undefined) session.stderr.write(`note: ${note}\n`);
    return EXIT.ok;
  } finally {
    await listener.close();
  }
}

async function write(session: Session, listener: Listener, out: string, embed: boolean): Promise<AlbumView> {
  const { ports, settings, command } = session;
  const output = await openOutput(ports.files, settings.outputRoot.value);
  const target = await ports.files.real(path.resolve(out));
  const seen = { sounds: listener.sounds, urlOf: linksFrom(path.dirname(target), output.root) };
  const attempts = await albumAttempts(session, output, 'report')();
  await listener.measureFiles((await viewAlbum(session, output, attempts, seen)).files.values());
  const shown = await viewAlbum(session, output, attempts, seen);
  const view = embed ? await withoutChanged(session, output, shown) : shown;
  const scratch = path.join(path.dirname(target), `.${randomHex(ports.random)}.tmp`);
  try {
    await replaceFile(ports.files, target, reportPieces(session, { view, listener, output }, embed), scratch);
    return view;
  } catch (error) {
    const next = command('report', '--out', out);
    throw await storageError(error, ports.files, { directory: path.dirname(target), next });
  }
}

/** A lockfile may name any file below the output root, and a report is published: only what was bought gets into it. */
async function withoutChanged(
  { stderr, placeOf }: Session,
  output: Output,
  view: AlbumView,
): Promise<AlbumView> {
  const files = new Map(view.files);
  for (const [sha256, file] of view.files) {
    if ((await hashFile(output.files, path.join(output.root, file.path)))?.sha256 === sha256) continue;
    files.delete(sha256);
    stderr.write(
      `warning: ${pathText(placeOf(file.path))} was not embedded: it is missing or has changed since it was stored\n`,
    );
  }
  return { ...view, files };
}

/** Relative addresses, so that report and audio can be moved together. */
function linksFrom(folder: string, outputRoot: string): (file: { readonly path: string }) => string {
  return (file) => {
    const names = path.relative(folder, path.join(outputRoot, file.path)).split(path.sep);
    // `./` keeps a colon in the first name from looking like a scheme.
    return `./${names.map(encodeURIComponent).join('/')}`;
  };
}

interface ReportParts {
  readonly view: AlbumView;
  readonly listener: Listener;
  readonly output: Output;
}

/** The report in pieces, so that embedded audio is never completely in memory. */
async function* reportPieces(
  { ports }: Session,
  { view, listener, output }: ReportParts,
  embed: boolean,
): AsyncGenerator<Uint8Array> {
  const assets = await readAssets(ports.files);
  const peaks: Record<string, string> = {};
  for (const file of view.files.values()) {
    const known = await listener.peaks(file);
    if (known !== undefined) peaks[file.sha256] = Buffer.from(heightsOf(known)).toString('base64');
  }
  const hashOf = (text: string) => createHash('sha256').update(text).digest('base64');
  yield Buffer.from(reportStart(view.data, peaks, assets, hashOf));
  if (embed) for (const file of view.files.values()) yield* embedded(output, file);
  yield Buffer.from(reportEnd(assets));
}

async function* embedded(output: Output, file: ReviewFile): AsyncGenerator<Uint8Array> {
  const [start, end] = embeddedAudio(file.sha256, file.mediaType);
  yield Buffer.from(start);
  // Base64 encodes three bytes at a time.
  let rest = Buffer.alloc(0);
  for await (const piece of output.files.stream(path.join(output.root, file.path))) {
    const bytes = Buffer.concat([rest, piece]);
    const whole = bytes.byteLength - (bytes.byteLength % 3);
    yield Buffer.from(bytes.subarray(0, whole).toString('base64'));
    rest = bytes.subarray(whole);
  }
  yield Buffer.from(rest.toString('base64') + end);
}
