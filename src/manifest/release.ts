import { posix } from 'node:path';
import type { Diagnostic, Span } from '../core/diagnostic.js';
import { fileSafe, foldName } from '../core/file-name.js';
import { hiddenPart } from '../core/hidden-part.js';
import { entryOf, type Located, type Source } from './located.js';
import type { ManifestFile, Release as ReleaseFile } from './manifest.types.js';
import type { MergedTrack } from './merge-defaults.js';
import { templateProblem } from './stems.js';
import type { Release, ReleaseTrack } from './take.js';
import { parseTemplate, renderStem, type Template } from './template.js';
import { unprintableIn } from './unprintable.js';

const OUTPUT_DEFAULT = '{index} {title}.{ext}';
const TRUE_PEAK_DEFAULT = -1;

export interface ReadRelease {
  /** Usable only if there are no errors. */
  readonly release: Release;
  readonly diagnostics: readonly Diagnostic[];
}

/** What the manifest says about a release, checked without reading other files. None of it is part of a request. */
export function readRelease(root: Located, tracks: readonly MergedTrack[], source: Source): ReadRelease {
  const node = entryOf(root, 'release')?.node;
  const file = (node?.kind === 'map' ? node.value : {}) as ReleaseFile;
  const spanOf = (field: keyof ReleaseFile): Span =>
    source.spanOf(entryOf(node, field)?.node ?? entryOf(root, 'release')?.key ?? root);
  const texts = unprintable(file, spanOf);
  const cover = typeof file.cover === 'string' ? coverFaults(file.cover, spanOf('cover')) : [];
  const parsed = parseTemplate(typeof file.output === 'string' ? file.output : OUTPUT_DEFAULT);
  const output = entryOf(node, 'output')?.node;
  const sourced = output && { value: file.output ?? '', range: output };
  const faults = (parsed.faults ?? []).flatMap((fault) =>
    sourced === undefined ? [] : [templateProblem(fault, sourced, source)],
  );
  const listed = releaseTracks(tracks);
  const template = parsed.template ?? [];
  const named = parsed.template === undefined ? [] : nameFaults(template, listed, spanOf('output'));
  return {
    release: {
      ...releaseOf(file, root.value as unknown as ManifestFile, template, listed),
      ...(file.cover === undefined ? {} : { coverSpan: spanOf('cover') }),
    },
    diagnostics: [...texts, ...cover, ...faults, ...named],
  };
}

function releaseOf(
  file: ReleaseFile,
  { title }: ManifestFile,
  template: Template,
  tracks: readonly ReleaseTrack[],
): Release {
  const album = file.album ?? title;
  const albumArtist = file.album_artist ?? file.artist;
  return {
    ...(file.artist === undefined ? {} : { artist: file.artist }),
    ...(album === undefined ? {} : { album }),
    ...(albumArtist === undefined ? {} : { albumArtist }),
    ...(file.date === undefined ? {} : { date: String(file.date) }),
    ...(file.genre === undefined ? {} : { genre: file.genre }),
    ...(file.copyright === undefined ? {} : { copyright: file.copyright }),
    ...(file.comment === undefined ? {} : { comment: file.comment }),
    ...(file.cover === undefined ? {} : { cover: file.cover }),
    ...(file.bitrate === undefined ? {} : { bitrateKbits: file.bitrate }),
    ...(file.loudness === undefined ? {} : { loudnessLufs: file.loudness }),
    truePeakDb: file.true_peak ?? TRUE_PEAK_DEFAULT,
    format: file.format ?? 'original',
    template,
    tracks,
  };
}

/** In the manifest's order, without skipped tracks. */
function releaseTracks(tracks: readonly MergedTrack[]): readonly ReleaseTrack[] {
  return tracks
    .filter(({ fields }) => fields.release_skip?.value !== true)
    .map(({ id = '', span, fields }, at) => ({
      track: id,
      index: at + 1,
      title: fields.release_title?.value ?? fields.title?.value ?? id,
      ...(fields.release_artist === undefined ? {} : { artist: fields.release_artist.value }),
      ...(fields.release_genre === undefined ? {} : { genre: fields.release_genre.value }),
      ...(fields.release_comment === undefined ? {} : { comment: fields.release_comment.value }),
      span,
    }));
}

/**
 * The name of a released track, without its extension, relative to the release folder.
 *
 * @param model of the take
 * @param take its number, only for `{take}`: a release has one take of each track, so no number is appended
 */
export function releaseStem(
  template: Template,
  { track, index, title }: ReleaseTrack,
  { model, take, count }: { readonly model: string; readonly take: number; readonly count: number },
): ReturnType<typeof renderStem> {
  const namesTake = template.some((piece) => typeof piece !== 'string' && piece.token === 'take');
  return renderStem(template, {
    index: String(index).padStart(Math.max(2, String(count).length), '0'),
    id: track,
    title: fileSafe(title, track),
    model: fileSafe(model, 'model'),
    take: namesTake ? take : 1,
  });
}

/** Names that are equal whichever takes are picked. The picks are not known yet: see `release/name-files.ts`. */
function nameFaults(template: Template, tracks: readonly ReleaseTrack[], span: Span): Diagnostic[] {
  const taken = new Map<string, ReleaseTrack>();
  return tracks.flatMap((track): Diagnostic[] => {
    const { stem, problem } = releaseStem(template, track, { model: 'model', take: 1, count: tracks.length });
    if (problem !== undefined) {
      const message = `\`release.output\` gives track \`${track.track}\` ${problem}`;
      return [{ code: 'output-name', severity: 'error', message, hint: 'shorten or change it', span }];
    }
    const other = taken.get(foldName(stem));
    taken.set(foldName(stem), track);
    if (other === undefined || other.track === track.track) return [];
    return [
      {
        code: 'output-collision',
        severity: 'error',
        message: `the release of \`${other.track}\` and of \`${track.track}\` would both be named \`${stem}\``,
        hint: 'put {id} or {index} into `release.output`',
        span: track.span,
        related: [{ message: `\`${other.track}\` has that name first`, span: other.span }],
      },
    ];
  });
}

/** A cover has to be part of the project, so that the release can be made again anywhere. */
function coverFaults(path: string, span: Span): Diagnostic[] {
  const faultAt = (message: string, hint: string): Diagnostic[] => [
    { code: 'cover-path', severity: 'error', message, hint, span },
  ];
  if (/^([/\\]|~[/\\]|[A-Za-z]:)/.test(path))
    return faultAt('`cover` is an absolute path', "give it relative to the manifest's folder");
  if (path.includes('\\')) return faultAt('a backslash in `cover`', 'separate folders with /');
  if (posix.normalize(path).split('/')[0] === '..')
    return faultAt('`cover` is outside the manifest folder', 'copy the picture into that folder');
  const hidden = hiddenPart(posix.normalize(path));
  if (hidden !== undefined) return faultAt(`\`cover\` leads to \`${hidden}\`: ${DOT}`, COPY);
  return [];
}

const DOT = 'files and folders whose names begin with a dot may hold secrets';
const COPY = 'copy the picture to a file without such a name';

const TEXTS = ['artist', 'album', 'album_artist', 'genre', 'copyright', 'comment', 'cover'] as const;

function unprintable(file: ReleaseFile, spanOf: (field: keyof ReleaseFile) => Span): Diagnostic[] {
  return TEXTS.flatMap((field): Diagnostic[] => {
    const text = file[field];
    const bad = typeof text === 'string' ? unprintableIn(text) : undefined;
    if (bad === undefined) return [];
    const message = `\`${field}\` has the character ${bad}, which cannot be printed`;
    return [
      { code: 'unprintable-character', severity: 'error', message, hint: 'remove it', span: spanOf(field) },
    ];
  });
}
