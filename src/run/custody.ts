import path from 'node:path';
import { faultCode } from '../errors.js';
import type { Attempt, StoredFile } from '../lock/attempt.js';
import type { Retrieved } from '../venice/client.js';
import type { Job, RunContext } from './context.js';
import { notice } from './context.js';
import type { Download } from './download.js';
import { downloadAudio } from './download.js';
import { EXTENSIONS } from './media-names.js';
import { moveAside } from './moves.js';
import { asideStem, hashFile, publishFile } from './publish.js';

/**
 * A file shorter than this share of what was asked for may have been cut where it comes from: it is fetched once more,
 * and taken then. That is told, as it is of one that is too long; never refused: models take the length as a hint.
 */
const LENGTH_RATIO_MIN = 0.9;
const LENGTH_RATIO_MAX = 2;
/** Two files whose lengths differ by less are as long: about one frame of any format. */
const ALIKE_SECONDS = 0.05;

type Complete = Download & { readonly kind: 'complete' };

export type Custody =
  | { readonly kind: 'stored'; readonly file: StoredFile }
  | Exclude<Download, { kind: 'complete' }>
  /** It may have been cut, and this is its first time: fetch once more and compare. */
  | { readonly kind: 'unconfirmed' };

/**
 * Takes the audio into custody: downloaded beside its target, verified, durable under its final name. An
 * existing file that the lockfile does not know is never replaced.
 */
export async function takeCustody(
  context: RunContext,
  job: Job,
  attempt: Attempt,
  audio: Retrieved & { kind: 'audio' },
): Promise<Custody> {
  const { ports, output } = context;
  const stem = job.take?.stem ?? attempt.stem;
  const directory = path.dirname(path.join(output.root, stem));
  const part = partPath(output.root, stem, attempt);
  const fault = await folderFault(context, directory);
  if (fault !== undefined) {
    audio.answer.discard();
    return { kind: 'disk', code: fault };
  }
  const download = await downloadAudio(output.files, ports.inspectMedia, audio, part, context.halt.signal);
  if (download.kind === 'disk' && download.code === 'ENOENT') {
    // Somebody removed the folder: the next try makes it again.
    context.readyFolders.delete(directory);
    return { kind: 'broken', code: download.code };
  }
  if (download.kind === 'mismatch') await keepUnverified(context, part, job);
  if (download.kind !== 'complete') return download;
  if (!isConfirmed(job, attempt, audio, download)) {
    job.lastDownload = download;
    return { kind: 'unconfirmed' };
  }
  warnOfOddities(context, job, attempt, download);
  try {
    const file = await place(context, job, attempt, stem, part, download);
    return { kind: 'stored', file };
  } catch (error) {
    return { kind: 'disk', code: faultCode(error) };
  }
}

/**
 * Where the end of a body is not marked, the same bytes have to come twice. Where it is and the file is short, one as long
 * has to come twice: a cut hits another place each time, and a service may make the file anew for each request.
 */
function isConfirmed(
  { lastDownload: last }: Job,
  attempt: Attempt,
  audio: Retrieved & { kind: 'audio' },
  download: Complete,
): boolean {
  const endIsMarked = audio.answer.framed || audio.contentLength !== undefined;
  if (endIsMarked && lengthRatio(attempt, download) >= LENGTH_RATIO_MIN) return true;
  if (last === undefined) return false;
  if (download.sha256 === last.sha256) return true;
  const differenceSeconds = (last.durationSeconds ?? 0) - (download.durationSeconds ?? 0);
  return endIsMarked && Math.abs(differenceSeconds) <= ALIKE_SECONDS;
}

/** Makes the folder ready, once a run. Returns why it is not. */
async function folderFault(context: RunContext, directory: string): Promise<string | undefined> {
  if (context.readyFolders.has(directory)) return undefined;
  try {
    await context.output.files.makeDirectory(directory);
  } catch (error) {
    return faultCode(error);
  }
  context.readyFolders.add(directory);
  return undefined;
}

function partPath(outputRoot: string, stem: string, attempt: Attempt): string {
  return path.join(outputRoot, `${stem}.${attempt.attempt.slice(0, 8)}.part`);
}

/** Finds the file its place: the wanted name, or, where a stranger stands, one that tells its digest. */
async function place(
  context: RunContext,
  job: Job,
  attempt: Attempt,
  stem: string,
  part: string,
  download: Complete,
): Promise<StoredFile> {
  const { root, files } = context.output;
  const extension = EXTENSIONS[download.mediaType] ?? 'audio';
  const described = { bytes: download.bytes, sha256: download.sha256, media_type: download.mediaType };
  // A queued attempt of an older request must not take the place of the newer one's file.
  const outdated = job.take !== undefined && job.take.digest !== attempt.digest;
  const wanted = outdated ? asideStem(stem, attempt.digest) : stem;
  const candidates = [
    wanted,
    asideStem(stem, attempt.digest),
    `${asideStem(stem, attempt.digest)}-${attempt.attempt.slice(0, 8)}`,
  ];
  for (const candidate of new Set(candidates)) {
    const relative = `${candidate}.${extension}`;
    const target = path.join(root, relative);
    if ((await publishFile(files, part, target)) === 'published') return { path: relative, ...described };
    if (
      (await moveAside(context, relative, attempt)) &&
      (await publishFile(files, part, target)) === 'published'
    )
      return { path: relative, ...described };
    // A run that was killed between publishing and recording left this very file.
    const existing = await hashFile(files, target);
    if (existing?.sha256 === download.sha256 && !isRecorded(context, relative, attempt)) {
      await files.rename(part, target);
      await files.syncDirectory(path.dirname(target));
      return { path: relative, ...described };
    }
    if (candidate === stem)
      notice(
        context,
        'warning',
        'file-in-the-way',
        `${context.settings.placeOf?.(relative) ?? relative} exists and is not in the lockfile: it is left alone, and ${job.key} is stored under another name`,
      );
  }
  throw Object.assign(new Error('no free name'), { code: 'EEXIST' });
}

function isRecorded(context: RunContext, relative: string, except: Attempt): boolean {
  for (const other of context.store.attempts.values())
    if (other.attempt !== except.attempt && other.file?.path === relative) return true;
  return false;
}

async function keepUnverified(context: RunContext, part: string, job: Job): Promise<void> {
  job.mismatches += 1;
  try {
    const { files } = context.output;
    await files.rename(part, part.replace(/\.part$/, '.unverified'));
    await files.syncDirectory(path.dirname(part));
  } catch {
    // Kept under the name of the part file, then: it is evidence, not custody.
  }
}

function warnOfOddities(context: RunContext, job: Job, attempt: Attempt, download: Complete): void {
  if (download.warning !== undefined)
    notice(context, 'warning', 'media-type', `${job.key}: ${download.warning}`);
  const ratio = lengthRatio(attempt, download);
  if (ratio < LENGTH_RATIO_MIN || ratio > LENGTH_RATIO_MAX)
    notice(
      context,
      'warning',
      'length',
      `${job.key} is ${Math.round(download.durationSeconds ?? 0)} s long, ${attempt.duration_seconds} s were asked for`,
    );
}

/** What came over what was asked for; 1 where one of the two is not known. */
function lengthRatio(attempt: Attempt, { durationSeconds }: Complete): number {
  const wanted = attempt.duration_seconds;
  return wanted === undefined || durationSeconds === undefined ? 1 : durationSeconds / wanted;
}
