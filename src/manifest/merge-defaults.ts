import type { Diagnostic, Span } from '../core/diagnostic.js';
import { entryOf, headOf, type Located, type LocatedMap, type Range, type Source } from './located.js';
import type { Track } from './manifest.types.js';

/** A value of a track and where it was written. */
export interface Sourced<T> {
  readonly value: T;
  readonly range: Range;
  /** The value's place, and if it came from `defaults`, then the track that uses it. */
  readonly spans: readonly [Span, ...Span[]];
}

/** A track with its values from `defaults`. */
export interface MergedTrack {
  /** From 1, in the manifest's order. */
  readonly index: number;
  /** Absent if the track has none. */
  readonly id?: string;
  /** The name used in messages. */
  readonly name: string;
  /** Place of its id, or of its beginning. */
  readonly span: Span;
  /** Fields that match the schema. */
  readonly fields: { readonly [Field in keyof Track]?: Sourced<NonNullable<Track[Field]>> };
  /** Whether an error that hides the field's value was already reported: it is then neither set nor absent. */
  isUnknown(field: keyof Track): boolean;
}

/** Sources of lyrics. A track that sets one of these does not also want the other from `defaults`. */
const LYRICS = ['lyrics_prompt', 'lyrics_file'];

/**
 * The tracks of a manifest, with everything that is known about each.
 *
 * @param unfit JSON Pointers of what does not match the schema, see `SchemaCheck`
 */
export function mergeTracks(
  root: Located,
  source: Source,
  unfit: ReadonlySet<string>,
): readonly MergedTrack[] {
  const defaults = defaultsOf(root, source, unfit);
  const tracks = entryOf(root, 'tracks')?.node;
  const items = tracks?.kind === 'list' ? tracks.items : [];
  return items.flatMap((item, index) => {
    const layer = layerOf(item, `/tracks/${index}`, unfit);
    return item.kind === 'map' ? [mergeTrack(item, layer, index, defaults, source)] : [];
  });
}

interface Layer {
  /** Fields that match the schema. */
  readonly entries: readonly (readonly [string, Located])[];
  /** Whether the field is set, or was meant to be. */
  sets(field: string): boolean;
  /** Whether a reported error hides the value. */
  hides(field: string): boolean;
}

/** @param at the JSON Pointer of `map` */
function layerOf(map: Located | undefined, at: string, unfit: ReadonlySet<string>): Layer {
  const own: LocatedMap['entries'] = map?.kind === 'map' ? map.entries : new Map();
  const partly = unfit.has(at) || (map?.kind === 'map' && map.faulty === true);
  const isUnfit = (field: string) => unfit.size > 0 && unfit.has(`${at}/${field}`);
  return {
    // `null` unsets a field, which removes a default.
    entries: [...own].flatMap(([field, { node }]) =>
      isUnfit(field) || node.value === null ? [] : [[field, node] as const],
    ),
    sets: (field) => own.has(field) || isUnfit(field),
    hides: (field) => isUnfit(field) || (partly && !own.has(field)),
  };
}

type Value = Omit<Sourced<unknown>, 'spans'> & { readonly span: Span };

interface Defaults {
  readonly values: ReadonlyMap<string, Value>;
  hides(field: string): boolean;
}

/** `output` may also be beside `defaults`. */
function defaultsOf(root: Located, source: Source, unfit: ReadonlySet<string>): Defaults {
  const values = new Map<string, Value>();
  const whole = layerOf(root, '', unfit);
  const layer = layerOf(entryOf(root, 'defaults')?.node, '/defaults', unfit);
  const outputs = whole.entries.filter(([field]) => field === 'output');
  for (const [field, node] of [...outputs, ...layer.entries]) values.set(field, located(node, source));
  return {
    values,
    hides: (field) =>
      layer.hides(field) ||
      (!layer.sets(field) && (field === 'output' ? whole.hides(field) : whole.hides('defaults'))),
  };
}

function located(node: Located, source: Source): Value {
  const range = node.kind === 'scalar' ? node : headOf(node);
  return { value: node.value, range, span: source.spanOf(range) };
}

function mergeTrack(
  item: LocatedMap,
  layer: Layer,
  index: number,
  defaults: Defaults,
  source: Source,
): MergedTrack {
  const id = idOf(item, source);
  const span = source.spanOf(id?.node ?? headOf(item));
  const fields: Record<string, Sourced<unknown>> = {};
  const ownLyrics = LYRICS.some(layer.sets);
  const isOwn = (field: string) => layer.sets(field) || (ownLyrics && LYRICS.includes(field));
  for (const [field, { value, range, span: place }] of defaults.values)
    if (!isOwn(field)) fields[field] = { value, range, spans: [place, span] };
  for (const [field, node] of layer.entries) {
    const { value, range, span: place } = located(node, source);
    fields[field] = { value, range, spans: [place] };
  }
  return {
    index: index + 1,
    ...(id === undefined ? {} : { id: id.text }),
    name: id === undefined ? `track ${index + 1}` : `track \`${id.text}\``,
    span,
    fields: fields as MergedTrack['fields'],
    isUnknown: (field) => layer.hides(field) || (!isOwn(field) && defaults.hides(field)),
  };
}

/** Also returns an invalid id: two equal ones are still duplicates. */
function idOf(map: LocatedMap, source: Source): { text: string; node: Located } | undefined {
  const node = entryOf(map, 'id')?.node;
  const value = node?.value;
  if (node === undefined || (typeof value !== 'string' && typeof value !== 'number')) return undefined;
  // `01` is not the id `1`, although YAML reads both as the same number.
  const text = typeof value === 'number' ? source.text.slice(node.start, node.end) : value;
  return text === '' ? undefined : { text, node };
}

/** At the value; if that is in `defaults`, also at the track that uses it. */
export function placed(
  { spans: [span, user] }: Sourced<unknown>,
  ...others: readonly { readonly message: string; readonly span: Span }[]
): Pick<Diagnostic, 'span' | 'related'> {
  const related = [...others, ...(user ? [{ message: 'used by this track', span: user }] : [])];
  return related.length > 0 ? { span, related } : { span };
}
