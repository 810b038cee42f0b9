import path from 'node:path';
import { takeStatusesOf } from '../app/take-status.js';
import { BatchError, EXIT } from '../core/errors.js';
import type { Attempt } from '../lockfile/attempt.js';
import { type PicksRead, readPicks } from '../picks/picks-file.js';
import { readHistory } from '../plan/history.js';
import { buildReview, type ReviewInput } from '../review/build.js';
import type { ReviewData, ReviewFile } from '../review/data.js';
import { picksFileOf } from '../session/picks.js';
import type { Session } from '../session/session.js';
import { readableManifest } from '../session/unreadable.js';
import type { Output } from '../storage/output.js';
import type { ListenedFile } from './listen.js';
import { expectedOf } from './sounds.js';

/** A file in the view, with the requested sound. */
export type ShownFile = ReviewFile & ListenedFile;

/** Current state of an album from manifest, lockfile, picks and disk. */
export interface AlbumView {
  readonly data: ReviewData;
  /** All files shown, by SHA-256. */
  readonly files: ReadonlyMap<string, ShownFile>;
  readonly picks: Extract<PicksRead, { ok: true }>;
}

/** Reads everything again, and changes nothing. Throws `BatchError` if the picks cannot be read. */
export async function viewAlbum(
  session: Session,
  output: Output,
  attempts: readonly Attempt[],
  { sounds, urlOf }: Pick<ReviewInput, 'sounds' | 'urlOf'>,
): Promise<AlbumView> {
  const { settings } = session;
  const manifest = await readableManifest(session);
  const { rows, stored } = await takeStatusesOf({ output }, attempts, manifest);
  const picks = await knownPicks(session);
  const data = buildReview({
    title: manifest?.title,
    manifest: session.displayPath,
    sandbox: settings.sandbox,
    manifestRead: manifest !== undefined,
    rows,
    attempts,
    holdings: readHistory(attempts, stored.files, stored.owners).holdings,
    picks: picks.picks,
    sounds,
    urlOf,
  });
  return { data, files: filesIn(data, attempts), picks };
}

function filesIn({ tracks }: ReviewData, attempts: readonly Attempt[]): ReadonlyMap<string, ShownFile> {
  const expected = new Map(attempts.map((attempt) => [attempt.file?.sha256, expectedOf(attempt)]));
  const files = tracks.flatMap(({ takes }) => takes).flatMap(({ file }) => file ?? []);
  return new Map(files.map((file) => [file.sha256, { ...file, expected: expected.get(file.sha256) ?? {} }]));
}

/** Puts the error on one line: the page polls, and shows it to the user. */
async function knownPicks(session: Session): Promise<AlbumView['picks']> {
  const file = picksFileOf(session.settings);
  const read = await readPicks(session.ports.files, file, path.relative(process.cwd(), file));
  if (read.ok) return read;
  const { code, message, hint, span } = read.diagnostics[0]!;
  const place = span === undefined ? '' : `${span.file}:${span.line}:${span.column}: `;
  throw new BatchError(code, `${place}${message}`, { exitCode: EXIT.invalid, hint });
}
