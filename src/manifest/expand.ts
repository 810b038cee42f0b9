import { REQUEST_FIELDS, type RequestField } from '../core/audio-request.js';
import type { Diagnostic, Span } from '../core/diagnostic.js';
import { TAKES_MAX, takeKey } from '../core/take-key.js';
import { checkTrack } from './check-track.js';
import type { Source } from './located.js';
import { type LyricsFile, lyricsOf } from './lyrics.js';
import type { MergedTrack } from './merge-defaults.js';
import { createDigester, normaliseAround, normaliseRequest, type RequestInput } from './request.js';
import { createNamer } from './stems.js';
import type { Manifest, Take } from './take.js';

export interface Expanded {
  /** Complete only if there are no errors. */
  readonly takes: readonly Take[];
  readonly diagnostics: readonly Diagnostic[];
  readonly extraTake: NonNullable<Manifest['extraTake']>;
}

/**
 * Expands tracks into the takes to make, checked by every rule that does not depend on a model.
 *
 * @param lyrics content of each `lyrics_file`, by its path as written
 */
export function expandTracks(
  tracks: readonly MergedTrack[],
  lyrics: ReadonlyMap<string, LyricsFile>,
  source: Source,
): Expanded {
  const tooMany = tooManyTakes(tracks);
  const diagnostics: Diagnostic[] = [...tooMany, ...duplicateIds(tracks)];
  const takes: Take[] = [];
  const namer = createNamer(source, tracks);
  const digest = createDigester();
  const makers = new Map<string, (take: number) => Take | readonly Diagnostic[]>();
  for (const track of tracks) {
    const words = lyricsOf(track, lyrics);
    diagnostics.push(...words.diagnostics);
    const input = inputOf(track, words.text);
    const request = normaliseRequest(input);
    diagnostics.push(...checkTrack(track, request));
    const { digest: whole, parts } = digest(request);
    const former = digest(normaliseRequest(input, normaliseAround)).digest;
    const formerly = former === whole ? {} : { formerDigest: former };
    const shared = { request, digest: whole, ...formerly, parts, ...aboutTrack(track) };
    const make = (take: number): Take | readonly Diagnostic[] => {
      const stem = namer.name(track, take, request.model);
      if (typeof stem !== 'string') return stem;
      return { key: takeKey({ track: shared.track, take }), take, stem, ...shared };
    };
    // With too many takes no list is built. The first of each track shows what else is wrong.
    for (let take = 1; take <= (tooMany.length > 0 ? 1 : shared.takes); take += 1) {
      const made = make(take);
      if ('key' in made) takes.push(made);
      else diagnostics.push(...made);
    }
    makers.set(shared.track, make);
  }
  return { takes, diagnostics, extraTake: onDemand(makers) };
}

/** Each name is assigned once: repeated calls get the same result. */
function onDemand(
  makers: ReadonlyMap<string, (take: number) => Take | readonly Diagnostic[]>,
): Expanded['extraTake'] {
  const known = new Map<string, Take | readonly Diagnostic[]>();
  return (track, take) => {
    const key = takeKey({ track, take });
    const made = known.get(key) ?? makers.get(track)?.(take) ?? [];
    known.set(key, made);
    return 'key' in made ? { ...made, extra: true } : made;
  };
}

function tooManyTakes(tracks: readonly MergedTrack[]): Diagnostic[] {
  let count = 0;
  for (const { fields, span } of tracks) {
    count += fields.takes?.value ?? 1;
    if (count > TAKES_MAX)
      return [
        {
          code: 'too-many-takes',
          severity: 'error',
          message: 'a manifest can have at most 50,000 takes in total',
          hint: 'split it into several manifests',
          span: fields.takes?.spans[0] ?? span,
        },
      ];
  }
  return [];
}

function aboutTrack(track: MergedTrack) {
  const { id = '', span, fields } = track;
  return {
    track: id,
    takes: fields.takes?.value ?? 1,
    ...(fields.title ? { title: fields.title.value } : {}),
    ...(fields.audio ? { audioElsewhere: true as const } : {}),
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

function inputOf({ fields }: MergedTrack, lyrics: string | undefined): RequestInput {
  const input = Object.fromEntries(REQUEST_FIELDS.map((field) => [field, fields[field]?.value]));
  return { ...(input as RequestInput), lyrics_prompt: lyrics };
}

function duplicateIds(tracks: readonly MergedTrack[]): Diagnostic[] {
  const firsts = new Map<string, Span>();
  return tracks.flatMap(({ id, span }) => {
    const first = id === undefined ? undefined : firsts.get(id);
    if (id !== undefined && first === undefined) firsts.set(id, span);
    if (first === undefined) return [];
    return [
      {
        code: 'duplicate-id',
        severity: 'error',
        message: `two tracks have the id \`${id}\``,
        hint: 'give each its own id; for several generations of one track, set `takes`',
        span,
        related: [{ message: 'first used here', span: first }],
      },
    ];
  });
}
