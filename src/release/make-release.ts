import path from 'node:path';
import { fileSafe } from '../core/file-name.js';
import type { Files } from '../core/ports.js';
import type { Release } from '../manifest/take.js';
import type { AudioOutput, PrepareAudio } from './audio-output.js';
import {
  CREDITS,
  creditsText,
  INDEX,
  indexText,
  PLAYLIST,
  playlistText,
  type ReleasedTrack,
  SUMS,
  sumsText,
} from './documents.js';
import { albumGains, trackGains } from './gain-tags.js';
import type { NamedTake } from './name-files.js';
import { type FolderPorts, openStage, type Stage } from './release-folder.js';
import { type StagedFile, stageFile, writeFile } from './staged-file.js';
import { tagsOf } from './tag-values.js';
import { taggerFor } from './tags/tag-file.js';
import { type Cover, coverName, type Tags, UntaggableError } from './tags/tags.js';
import { fitsZip, zipOf } from './zip.js';

export interface ReleaseOrder {
  readonly release: Release;
  readonly takes: readonly NamedTake[];
  readonly cover?: Cover | undefined;
  /** Absolute, without links. */
  readonly target: string;
  readonly zip: boolean;
  /** Reads the original. Throws `OriginalFault` if it has changed since it was stored. */
  read(take: NamedTake): Promise<Uint8Array>;
  /** @param work a folder for scratch files */
  prepare(work: string): PrepareAudio;
  /** Called for each track before work on it begins. */
  progress(take: NamedTake): void;
  readonly stop: AbortSignal;
}

export interface MadeRelease {
  readonly tracks: readonly ReleasedTrack[];
  readonly files: readonly StagedFile[];
  /** Notes for the user, by track. */
  readonly warnings: readonly { readonly track: string; readonly message: string }[];
  /** Absolute. */
  readonly zip?: string;
}

/** Thrown when the release was interrupted: nothing of it is left. */
export class StoppedError extends Error {}

/** Thrown if a release does not fit in an archive. */
export class ZipTooLargeError extends Error {}

/** Audio of a track before it is tagged. */
interface Prepared extends AudioOutput {
  readonly take: NamedTake;
  /** The file with its bytes; absent: the original's bytes are used unchanged. */
  readonly scratch?: string;
}

/**
 * Makes a release and puts it in place, as a whole or not at all. Originals are only read. Two releases of the same
 * originals and manifest are identical, byte for byte.
 */
export async function makeRelease(ports: FolderPorts, order: ReleaseOrder): Promise<MadeRelease> {
  const stage = await openStage(ports, order.target);
  try {
    const prepared: Prepared[] = [];
    const prepareAudio = order.prepare(stage.work);
    for (const take of order.takes) {
      if (order.stop.aborted) throw new StoppedError();
      order.progress(take);
      prepared.push(await prepare(ports.files, stage, order, { take, prepareAudio }));
    }
    const { tracks, files, warnings } = await writeFiles(ports.files, stage, order, prepared);
    if (order.stop.aborted) throw new StoppedError();
    const zip = order.zip ? await writeZip(ports.files, stage, order, files) : undefined;
    await stage.publish(zip);
    return { tracks, files, warnings, ...(zip === undefined ? {} : { zip: `${order.target}.zip` }) };
  } finally {
    await stage.discard();
  }
}

/** The album's loudness is known only after all tracks, so encoded audio is kept until then. */
async function prepare(
  files: Files,
  { work }: Stage,
  order: ReleaseOrder,
  { take, prepareAudio }: { readonly take: NamedTake; readonly prepareAudio: PrepareAudio },
): Promise<Prepared> {
  const { bytes, ...output } = await prepareAudio(await order.read(take), take);
  if (bytes === undefined) return { take, ...output };
  const scratch = path.join(work, `${take.track.index}`);
  await writeFile(files, scratch, [bytes]);
  return { take, scratch, ...output };
}

async function writeFiles(
  files: Files,
  stage: Stage,
  order: ReleaseOrder,
  prepared: readonly Prepared[],
): Promise<Omit<MadeRelease, 'zip'>> {
  const album = albumGains(prepared);
  const staged: StagedFile[] = [];
  const warnings: { track: string; message: string }[] = [];
  const stageOne = async (name: string, content: Uint8Array | string) => {
    staged.push(await stageFile(files, stage.folder, name, content));
  };
  const tracks = prepared.map((one) => releasedTrack(one));
  for (const [at, one] of prepared.entries()) {
    if (order.stop.aborted) throw new StoppedError();
    const { take, scratch } = one;
    const audio = scratch === undefined ? await order.read(take) : await files.read(scratch, AUDIO_BYTES_MAX);
    if (scratch !== undefined) await files.remove(scratch);
    const gains = [...trackGains(one), ...album(one)];
    const tagged = tag(audio, one.mediaType, tagsOf(order, take, gains));
    await stageOne(tracks[at]!.path, tagged.bytes);
    const messages = [...one.warnings, ...(tagged.warning === undefined ? [] : [tagged.warning])];
    warnings.push(...messages.map((message) => ({ track: take.track.track, message })));
  }
  const { cover, release } = order;
  if (cover !== undefined) await stageOne(coverName(cover), cover.bytes);
  await stageOne(PLAYLIST, playlistText(release, tracks));
  await stageOne(CREDITS, creditsText(release, tracks));
  await stageOne(INDEX, indexText(release, tracks));
  staged.sort((a, b) => (a.path < b.path ? -1 : 1));
  await stageOne(SUMS, sumsText(staged));
  return { tracks, files: staged, warnings };
}

const AUDIO_BYTES_MAX = 4 * 1024 ** 3;

function tag(
  audio: Uint8Array,
  mediaType: string,
  tags: Tags,
): { readonly bytes: Uint8Array; readonly warning?: string } {
  const tagger = taggerFor(mediaType);
  if (tagger === undefined)
    return { bytes: audio, warning: `${mediaType} has no tags: it is released without` };
  try {
    return { bytes: tagger(audio, tags) };
  } catch (error) {
    if (!(error instanceof UntaggableError)) throw error;
    return { bytes: audio, warning: `it cannot be tagged, and is released without tags: ${error.message}` };
  }
}

export function releasedTrack({
  take,
  extension,
  ...output
}: Pick<
  Prepared,
  'take' | 'extension' | 'seconds' | 'loudnessLufs' | 'truePeakDb' | 'gainDb' | 'limitedDb'
>): ReleasedTrack {
  const { track, attempt, file, stem } = take;
  const { seconds, loudnessLufs, truePeakDb, gainDb, limitedDb } = output;
  return {
    path: `${stem}.${extension}`,
    track: track.track,
    index: track.index,
    title: track.title,
    ...(track.artist === undefined ? {} : { artist: track.artist }),
    take: attempt.take,
    model: attempt.model,
    madeOn: (attempt.at.stored ?? attempt.at.queued ?? attempt.at.intent ?? '').slice(0, 10),
    digest: attempt.digest,
    originalSha256: file.sha256,
    ...(seconds === undefined ? {} : { seconds: rounded(seconds, 3) }),
    ...(loudnessLufs === undefined ? {} : { loudnessLufs: rounded(loudnessLufs, 2) }),
    ...(truePeakDb === undefined ? {} : { truePeakDb: rounded(truePeakDb, 2) }),
    ...(gainDb === undefined ? {} : { gainDb: rounded(gainDb, 2) }),
    ...(limitedDb === undefined ? {} : { limitedDb: rounded(limitedDb, 2) }),
  };
}

/** As precise as `qc`. The last digits of a sum may differ between machines, and the documents must not. */
function rounded(value: number, digits: number): number {
  return Math.round(value * 10 ** digits) / 10 ** digits;
}

/** Next to the folder that becomes the release. The index comes first, because it identifies an archive of ours. */
async function writeZip(
  files: Files,
  stage: Stage,
  { release }: ReleaseOrder,
  staged: readonly StagedFile[],
): Promise<string> {
  const isIndex = ({ path: name }: StagedFile) => name === INDEX;
  const ordered = [...staged.filter(isIndex), ...staged.filter((file) => !isIndex(file))];
  const root = fileSafe(release.album ?? 'release', 'release');
  const entries = ordered.map((file) => ({ ...file, file: file.path, path: `${root}/${file.path}` }));
  if (!fitsZip(entries)) throw new ZipTooLargeError();
  const zip = path.join(stage.work, 'release.zip');
  const content = new Map(
    entries.map((entry) => [entry.path, path.join(stage.folder, ...entry.file.split('/'))]),
  );
  await writeFile(
    files,
    zip,
    zipOf(entries, (entry) => files.stream(content.get(entry.path)!)),
  );
  return zip;
}
