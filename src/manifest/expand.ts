import type { Diagnostic, Span } from '../diagnostic.js';
import type { Source } from './located.js';
import { lyricsPathFault } from './lyrics.js';
import { type MergedTrack, placed, type Sourced } from './merge.js';
import { createDigester, normaliseRequest, normaliseText, REQUEST_FIELDS } from './request.js';
import { checkTrack, unprintableIn } from './rules.js';
import { createNamer } from './stems.js';
import type { AudioRequest, RequestField, Take } from './take.js';
import { describeTextFault } from './text-fault.js';
import type { TextFile } from './text-file.js';

/** Of a manifest, all tracks together. */
const TAKES_MAX = 50_000;

/** As the schema bounds `lyrics_prompt`. */
const LYRICS_LENGTH_MAX = 100_000;

export interface Expanded {
  /** Complete only where there is no error. */
  readonly takes: readonly Take[];
  readonly diagnostics: readonly Diagnostic[];
}

/**
 * Turns tracks into the takes that are to be made, checked by every rule that needs no model.
 *
 * @param lyrics what each `lyrics_file` holds, by its path as written
 * @param trackCount of the whole manifest
 */
export function expandTracks(
  tracks: readonly MergedTrack[],
  lyrics: ReadonlyMap<string, TextFile>,
  source: Source,
  trackCount: number,
): Expanded {
  const diagnostics: Diagnostic[] = [];
  const takes: Take[] = [];
  const namer = createNamer(source, trackCount);
  const digest = createDigester();
  const ids = new Map<string, Span>();
  const tooMany = tooManyTakes(tracks);
  if (tooMany) return { takes, diagnostics: [tooMany] };
  for (const track of tracks) {
    const first = ids.get(track.id);
    if (first) {
      diagnostics.push(duplicateId(track, first));
      continue;
    }
    ids.set(track.id, track.span);
    const words = lyricsOf(track, lyrics);
    diagnostics.push(...words.diagnostics);
    const request = normaliseRequest(valuesOf(track, words.text));
    diagnostics.push(...checkTrack(track, request));
    const { digest: whole, parts } = digest(request);
    const shared = { ...aboutTrack(track), request, digest: whole, parts };
    for (let take = 1; take <= shared.takes; take += 1) {
      const stem = namer.name(track, take, request.model);
      if (typeof stem === 'string') takes.push({ ...shared, key: keyOf(track.id, take), take, stem });
      else diagnostics.push(...stem);
    }
  }
  return { takes, diagnostics };
}

function tooManyTakes(tracks: readonly MergedTrack[]): Diagnostic | undefined {
  let count = 0;
  for (const { fields, span } of tracks) {
    count += fields.takes?.value ?? 1;
    if (count > TAKES_MAX)
      return {
        code: 'too-many-takes',
        severity: 'error',
        message: 'with all their takes, the tracks of a manifest are at most 50,000',
        hint: 'split it into several manifests',
        span: fields.takes?.spans[0] ?? span,
      };
  }
  return undefined;
}

/** What a take is called: `opening`, `opening#2`. */
function keyOf(id: string, take: number): string {
  return take === 1 ? id : `${id}#${take}`;
}

function aboutTrack(track: MergedTrack) {
  const { id, span, fields } = track;
  return {
    track: id,
    takes: fields.takes?.value ?? 1,
    ...(fields.title ? { title: fields.title.value } : {}),
    span,
    fieldSpans: fieldSpansOf(track),
  };
}

function fieldSpansOf({ fields }: MergedTrack): Take['fieldSpans'] {
  const spans: Partial<Record<RequestField, readonly Span[]>> = {};
  for (const field of REQUEST_FIELDS) {
    const sourced = field === 'lyrics_prompt' ? (fields.lyrics_file ?? fields.lyrics_prompt) : fields[field];
    if (sourced) spans[field] = sourced.spans;
  }
  return spans;
}

function valuesOf({ fields }: MergedTrack, lyrics: string | undefined) {
  const values: Partial<Record<RequestField, unknown>> = { lyrics_prompt: lyrics };
  for (const field of REQUEST_FIELDS) {
    if (field !== 'lyrics_prompt') values[field] = fields[field]?.value;
  }
  return values as Parameters<typeof normaliseRequest>[0] & Partial<AudioRequest>;
}

interface Lyrics {
  readonly text?: string;
  readonly diagnostics: readonly Diagnostic[];
}

function lyricsOf({ fields }: MergedTrack, texts: ReadonlyMap<string, TextFile>): Lyrics {
  const { lyrics_prompt: written, lyrics_file: named } = fields;
  if (written && named) return { diagnostics: [lyricsTwice(written, named)] };
  if (!named) return { ...(written ? { text: written.value } : {}), diagnostics: [] };
  const path = named.value;
  const fault = lyricsPathFault(path);
  if (fault) return { diagnostics: [{ code: 'lyrics-path', severity: 'error', ...fault, ...placed(named) }] };
  const file = texts.get(path);
  if (file === undefined) throw new Error(`lyrics were not read: ${path}`);
  if (file.kind === 'fault')
    return { diagnostics: [{ ...describeTextFault('lyrics', path, file), ...placed(named) }] };
  const problem = textProblem(file.text);
  if (problem === undefined) return { text: file.text, diagnostics: [] };
  const { code, message, hint } = problem;
  return {
    diagnostics: [{ code, severity: 'error', message: `\`${path}\` ${message}`, hint, ...placed(named) }],
  };
}

function textProblem(text: string): { code: string; message: string; hint: string } | undefined {
  const normal = normaliseText(text);
  if (normal === '') return { code: 'empty-text', message: 'is empty', hint: 'write the lyrics into it' };
  const length = [...normal].length;
  if (length > LYRICS_LENGTH_MAX)
    return {
      code: 'too-long',
      message: `has ${length.toLocaleString('en-US')} characters, and the most is ${LYRICS_LENGTH_MAX.toLocaleString('en-US')}`,
      hint: 'shorten it',
    };
  const bad = unprintableIn(normal);
  if (bad === undefined) return undefined;
  return {
    code: 'unprintable-character',
    message: `has the character ${bad}, which cannot be printed`,
    hint: 'is it a text file? remove the character',
  };
}

function lyricsTwice(written: Sourced<string>, named: Sourced<string>): Diagnostic {
  return {
    code: 'lyrics-twice',
    severity: 'error',
    message: 'both `lyrics_file` and `lyrics_prompt` are set',
    hint: 'keep one of the two',
    ...placed(named, { message: '`lyrics_prompt` is set here', span: written.spans[0] }),
  };
}

function duplicateId(track: MergedTrack, first: Span): Diagnostic {
  return {
    code: 'duplicate-id',
    severity: 'error',
    message: `two tracks have the id \`${track.id}\``,
    hint: 'give each its own; for several generations of one track, set `takes`',
    span: track.span,
    related: [{ message: 'first used here', span: first }],
  };
}
