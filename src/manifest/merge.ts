import type { Diagnostic, Span } from '../diagnostic.js';
import { entryOf, headOf, type Located, type LocatedMap, type Range, type Source } from './located.js';
import type { Track } from './manifest.types.js';

/** A value of a track and where it was written. */
export interface Sourced<T> {
  readonly value: T;
  readonly range: Range;
  /** The value's place; then, where it came from `defaults`, the track that uses it. */
  readonly spans: readonly [Span, ...Span[]];
}

/** A track with what it takes from `defaults`. Fits the schema, and is not checked any further. */
export interface MergedTrack {
  /** From 1, in the manifest's order. */
  readonly index: number;
  readonly id: string;
  /** Of its id. */
  readonly span: Span;
  readonly fields: { readonly [Field in keyof Track]?: Sourced<NonNullable<Track[Field]>> };
}

/** Where lyrics come from: who sets one of these does not mean the default's other. */
const LYRICS = ['lyrics_prompt', 'lyrics_file'];

/** @param root a manifest as the schema wants it, but for `brokenTracks` (from 0), which are left out */
export function mergeTracks(
  root: LocatedMap,
  source: Source,
  brokenTracks: ReadonlySet<number>,
): readonly MergedTrack[] {
  const defaults = defaultsOf(root, source);
  const tracks = entryOf(root, 'tracks')?.node;
  const items = tracks?.kind === 'list' ? tracks.items : [];
  return items.flatMap((item, index) =>
    brokenTracks.has(index) ? [] : [mergeTrack(item, index + 1, defaults, source)],
  );
}

type Value = Omit<Sourced<unknown>, 'spans'> & { readonly span: Span };

function defaultsOf(root: LocatedMap, source: Source): ReadonlyMap<string, Value> {
  const values = new Map<string, Value>();
  const output = entryOf(root, 'output');
  if (output) values.set('output', located(output.node, source));
  const defaults = entryOf(root, 'defaults')?.node;
  if (defaults?.kind === 'map')
    for (const [field, { node }] of defaults.entries) values.set(field, located(node, source));
  return values;
}

function located(node: Located, source: Source): Value {
  const range = node.kind === 'scalar' ? node : headOf(node);
  return { value: node.value, range, span: source.spanOf(range) };
}

function mergeTrack(
  item: Located,
  index: number,
  defaults: ReadonlyMap<string, Value>,
  source: Source,
): MergedTrack {
  const own: LocatedMap['entries'] = item.kind === 'map' ? item.entries : new Map();
  const id = own.get('id')?.node ?? item;
  const span = source.spanOf(id);
  const fields: Record<string, Sourced<unknown>> = {};
  const ownLyrics = LYRICS.some((field) => own.has(field));
  for (const [field, { value, range, span: place }] of defaults) {
    if (!own.has(field) && !(ownLyrics && LYRICS.includes(field)))
      fields[field] = { value, range, spans: [place, span] };
  }
  for (const [field, { node }] of own) {
    const { value, range, span: place } = located(node, source);
    fields[field] = { value, range, spans: [place] };
  }
  return { index, id: String(id.value), span, fields: fields as MergedTrack['fields'] };
}

/** At the value; where that is in `defaults`, with the track that uses it. */
export function placed(
  { spans: [span, user] }: Sourced<unknown>,
  ...others: readonly { readonly message: string; readonly span: Span }[]
): Pick<Diagnostic, 'span' | 'related'> {
  const related = [...others, ...(user ? [{ message: 'used by this track', span: user }] : [])];
  return related.length > 0 ? { span, related } : { span };
}
