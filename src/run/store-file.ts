import path from 'node:path';
import { emitNotice } from '../core/emit-notice.js';
import { faultCode } from '../core/errors.js';
import { foldName } from '../core/file-name.js';
import type { Attempt, StoredFile } from '../lockfile/attempt.js';
import type { Download } from '../storage/download.js';
import { downloadAudio } from '../storage/download.js';
import { partName, placeFile } from '../storage/place-file.js';
import type { Retrieved } from '../venice/client.js';
import type { Job, RunContext } from './context.js';
import { dropKept, keepDownload } from './keep-download.js';

/**
 * A file shorter than this share of the requested length may have been cut by the service: it is fetched once more, and
 * then accepted with a warning, as is one that is too long. It is never refused, because models take the length as a
 * hint.
 */
const LENGTH_RATIO_MIN = 0.9;
const LENGTH_RATIO_MAX = 2;
/** Durations that differ by less than about one frame of any format count as equal. */
const ALIKE_SECONDS = 0.05;

type Complete = Download & { readonly kind: 'complete' };

export type StoreOutcome =
  | { readonly kind: 'stored'; readonly file: StoredFile }
  | Exclude<Download, { kind: 'complete' | 'mismatch' }>
  | { readonly kind: 'mismatch'; readonly code: string; readonly kept: StoredFile | undefined }
  /** It may have been cut, and this is the first download: fetch it once more and compare. */
  | { readonly kind: 'unconfirmed'; readonly kept: StoredFile | undefined };

/**
 * Stores the audio: downloaded next to its target, verified, durable under its final name. A file that is not in the
 * lockfile is never replaced.
 */
export async function storeAudio(
  context: RunContext,
  job: Job,
  attempt: Attempt,
  audio: Retrieved & { kind: 'audio' },
): Promise<StoreOutcome> {
  const { ports, output } = context;
  const stem = job.take?.stem ?? attempt.stem;
  const directory = path.dirname(path.join(output.root, stem));
  const part = path.join(output.root, partName(stem, attempt));
  const fault = await folderFault(context, directory);
  if (fault !== undefined) {
    audio.answer.discard();
    return { kind: 'disk', code: fault };
  }
  const download = await downloadAudio(output.files, ports.inspectMedia, audio, part, context.halt.signal);
  if (download.kind === 'disk' && download.code === 'ENOENT') {
    // The folder was removed: the next try creates it again.
    context.readyFolders.delete(directory);
    return { kind: 'broken', code: download.code };
  }
  if (download.kind === 'mismatch') {
    job.mismatches += 1;
    const kept = await keepDownload(context, job, attempt, part, download.received);
    return { kind: 'mismatch', code: download.code, kept };
  }
  if (download.kind !== 'complete') return download;
  if (!isConfirmed(job, attempt, audio, download)) {
    job.lastDownload = download;
    job.unconfirmed += 1;
    return { kind: 'unconfirmed', kept: await keepDownload(context, job, attempt, part, download) };
  }
  warnOfOddities(context, job, attempt, download);
  try {
    // A queued attempt with an older request, or of a removed track, must not take the name of a current file.
    const outdated =
      job.take === undefined ? context.wantedStems.has(foldName(stem)) : job.take.digest !== attempt.digest;
    const { bytes, sha256, mediaType } = download;
    const found = { place: part, bytes, sha256, media_type: mediaType };
    const file = await placeFile(context, attempt, { stem, outdated }, found, (relative, why) =>
      emitNotice(
        context,
        'warning',
        'file-in-the-way',
        `${context.settings.placeOf?.(relative) ?? relative} ${why}: it is left alone, and ${job.key} is stored under another name`,
      ),
    );
    await dropKept(context, job);
    return { kind: 'stored', file };
  } catch (error) {
    // The downloaded file was removed: fetch it again.
    if (faultCode(error) === 'ENOENT') return { kind: 'broken', code: 'ENOENT' };
    return { kind: 'disk', code: faultCode(error) };
  }
}

/**
 * If the end of the body is not marked, the same bytes have to arrive twice. If it is marked and the file is short, one
 * of the same length has to arrive twice: a cut would be at a different place each time, while the service may generate
 * the file again for each request.
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

/** Creates the folder, once per run. Returns why it cannot be used. */
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

function warnOfOddities(context: RunContext, job: Job, attempt: Attempt, download: Complete): void {
  if (download.warning !== undefined)
    emitNotice(context, 'warning', 'media-type', `${job.key}: ${download.warning}`);
  const ratio = lengthRatio(attempt, download);
  if (ratio < LENGTH_RATIO_MIN || ratio > LENGTH_RATIO_MAX)
    emitNotice(
      context,
      'warning',
      'length',
      `${job.key} is ${Math.round(download.durationSeconds ?? 0)} s long; ${attempt.duration_seconds} s were requested`,
    );
}

/** Actual length divided by requested length; 1 if either is unknown. */
function lengthRatio(attempt: Attempt, { durationSeconds }: Complete): number {
  const wanted = attempt.duration_seconds;
  return wanted === undefined || durationSeconds === undefined ? 1 : durationSeconds / wanted;
}
