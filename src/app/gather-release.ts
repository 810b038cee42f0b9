import path from 'node:path';
import pLimit from 'p-limit';
import type { Diagnostic } from '../core/diagnostic.js';
import { faultCode } from '../core/errors.js';
import { hiddenPart } from '../core/hidden-part.js';
import type { Files } from '../core/ports.js';
import { takeKey } from '../core/take-key.js';
import type { Attempt } from '../lockfile/attempt.js';
import type { Manifest, Release } from '../manifest/take.js';
import type { DecideInput } from '../plan/decide.js';
import { chooseTakes, originalHint, type TrackWarning } from '../release/choose-takes.js';
import { readCover } from '../release/cover.js';
import { type NamedTake, nameFiles } from '../release/name-files.js';
import type { Cover } from '../release/tags/tags.js';
import { type DiskView, stateOf } from '../run/recover.js';
import { type HashOf, hashedOnce } from '../storage/link-into-place.js';
import { takeStatusesOf } from './take-status.js';

export interface ReleaseSources {
  readonly manifest: Manifest;
  readonly attempts: readonly Attempt[];
  /** SHA-256 of the picked take, by track. */
  readonly picks: ReadonlyMap<string, { readonly sha256: string }>;
  readonly first: boolean;
  readonly fetchable?: DecideInput['fetchable'];
  /** Another command of this program, ready to paste. */
  command(verb: string, ...words: string[]): string;
  /** Name of a file in messages: its path relative to the output root. */
  placeOf(file: string): string;
}

/** The contents of a release, or every reason why it cannot be made. */
export type GatheredRelease =
  | {
      readonly ok: true;
      readonly release: Release;
      readonly takes: readonly NamedTake[];
      readonly cover?: Cover;
      readonly warnings: readonly TrackWarning[];
    }
  | {
      readonly ok: false;
      readonly diagnostics: readonly Diagnostic[];
      /**
       * `choice`: the user has to choose. `tracks`: a file is missing. `manifest`: the manifest asks for something
       * impossible.
       */
      readonly because: 'choice' | 'tracks' | 'manifest';
    };

const HASHES_AT_ONCE = 4;

/** Reads every original once to check that it is unchanged. Changes nothing. */
export async function gatherRelease(
  files: Files,
  view: DiskView,
  sources: ReleaseSources,
): Promise<GatheredRelease> {
  const { manifest, attempts } = sources;
  const { release } = manifest;
  if (release === undefined) throw new Error('a manifest that was not read from a file');
  const { rows } = await takeStatusesOf(view, attempts, manifest, { fetchable: sources.fetchable });
  const { chosen, problems, warnings } = chooseTakes({ ...sources, tracks: release.tracks, rows });
  const named = nameFiles(release, chosen);
  const cover = await coverOf(files, manifest, release);
  const changed = await changedOriginals(view, named.named, sources);
  const missing = [
    ...problems.filter(({ code }) => code === 'not-made' || code === 'original-missing'),
    ...changed,
  ];
  const faults = [...named.problems, ...('problem' in cover ? [cover.problem] : [])];
  const diagnostics = [...problems, ...changed, ...faults];
  if (diagnostics.length === 0)
    return {
      ok: true,
      release,
      takes: named.named,
      warnings,
      ...('cover' in cover ? { cover: cover.cover } : {}),
    };
  const because = faults.length > 0 ? 'manifest' : missing.length > 0 ? 'tracks' : 'choice';
  return { ok: false, diagnostics, because };
}

async function changedOriginals(
  view: DiskView,
  takes: readonly NamedTake[],
  { command, placeOf, fetchable }: ReleaseSources,
): Promise<readonly Diagnostic[]> {
  const limit = pLimit(HASHES_AT_ONCE);
  const look = hashedOnce(view.output.files);
  const found = await Promise.all(
    takes.map((take) =>
      limit(async (): Promise<Diagnostic[]> => {
        if ((await placeOfOriginal(view, take, look)) !== undefined) return [];
        const isThere = (await stateOf(view, take.attempt, 'size')) !== 'missing';
        const name = `${takeKey(take.attempt)} (${placeOf(take.file.path)})`;
        return [
          {
            code: isThere ? 'original-changed' : 'original-missing',
            severity: 'error',
            message: isThere
              ? `the file of ${name} is not the one that was stored`
              : `the file of ${name} is missing`,
            hint: originalHint(!isThere && fetchable?.(take.attempt) === true, command),
            span: take.track.span,
          },
        ];
      }),
    ),
  );
  return found.flat();
}

/** Path of the stored bytes. If a move was interrupted by a crash, they are in either place. */
async function placeOfOriginal(
  view: DiskView,
  { attempt, file }: NamedTake,
  hashOf?: HashOf,
): Promise<string | undefined> {
  for (const place of attempt.move_to === undefined ? [file.path] : [file.path, attempt.move_to])
    if ((await stateOf(view, attempt, 'hash', place, hashOf)) === 'present') return place;
  return undefined;
}

/** Thrown if an original has changed since it was checked. */
export class OriginalFault extends Error {}

const AUDIO_BYTES_MAX = 4 * 1024 ** 3;

/** The bytes of an original, as stored. Throws `OriginalFault`. */
export async function readOriginal(view: DiskView, take: NamedTake): Promise<Uint8Array> {
  const place = await placeOfOriginal(view, take);
  if (place === undefined) throw new OriginalFault(takeKey(take.attempt));
  return view.output.files.read(path.join(view.output.root, place), AUDIO_BYTES_MAX);
}

const COVER_BYTES_MAX = 16 * 1024 * 1024;

/** Links are followed, but not out of the manifest's folder. */
async function coverOf(
  files: Files,
  { directory }: Manifest,
  { cover, coverSpan }: Release,
): Promise<{ readonly cover: Cover } | { readonly problem: Diagnostic } | Record<string, never>> {
  if (cover === undefined) return {};
  const problem = (what: string, hint: string) => ({
    problem: {
      code: 'cover-unusable',
      severity: 'error',
      message: `\`cover\`: ${cover} ${what}`,
      hint,
      ...(coverSpan === undefined ? {} : { span: coverSpan }),
    } as const,
  });
  try {
    const [root, real] = [await files.real(directory), await files.real(path.join(directory, cover))];
    if (!real.startsWith(root.endsWith(path.sep) ? root : root + path.sep))
      return problem('is outside the manifest folder', 'copy the picture into that folder');
    if (hiddenPart(path.relative(root, real)) !== undefined)
      return problem(
        'is a link to a file or folder whose name begins with a dot',
        'copy the picture instead',
      );
    const read = readCover(await files.read(real, COVER_BYTES_MAX));
    if (read === 'other') return problem('is neither a JPEG nor a PNG picture', 'save it as one of the two');
    if (read === 'damaged') return problem('is damaged or incomplete', 'save or copy the picture again');
    return { cover: read };
  } catch (error) {
    const code = faultCode(error);
    if (code === '') throw error;
    if (code === 'ENOENT') return problem('does not exist', 'name a picture in the manifest folder');
    if (code === 'EFBIG') return problem('is larger than 16 MiB', 'save a smaller one');
    return problem(`cannot be read (${code})`, 'name a picture in the manifest folder');
  }
}
