import { isAlias, isMap, isScalar, isSeq, type Node, type Scalar, type YAMLMap, type YAMLSeq } from 'yaml';
import type { Code } from '../core/codes.js';
import type { Diagnostic } from '../core/diagnostic.js';
import type { Located, LocatedEntry, LocatedMap, Range, Source } from './located.js';

/** Values in a manifest, counting those repeated by aliases each time. Three times what 20,000 full tracks have. */
const VALUES_MAX = 1_000_000;

/**
 * Turns a YAML document into plain values with their positions. Expects limited depth. `root` is absent if there are
 * too many values; with other errors it contains everything that could be read.
 */
export function locate(
  contents: Node,
  source: Source,
): { root?: Located; diagnostics: readonly Diagnostic[] } {
  const walk: Walk = { source, anchors: new Map(), values: 0, diagnostics: [] };
  const root = locateNode(contents, walk);
  return { ...(isFull(walk) ? {} : { root }), diagnostics: walk.diagnostics };
}

interface Walk {
  readonly source: Source;
  /** `open` while inside the anchored value: an alias to it there would be infinite. */
  readonly anchors: Map<string, Sized | 'open'>;
  values: number;
  readonly diagnostics: Diagnostic[];
}

interface Sized {
  readonly node: Located;
  readonly values: number;
}

/** @param blank the place of an empty value: its key. Absent for an entry of a list */
function locateNode(node: unknown, walk: Walk, blank?: Range): Located {
  const range = rangeOf(node, blank, walk.source.text);
  if (isAlias(node)) return locateAlias(node.source, range, walk);
  const anchor = (node as { anchor?: string } | null)?.anchor;
  if (anchor !== undefined) walk.anchors.set(anchor, 'open');
  const before = walk.values;
  count(1, range, walk);
  const located = locateValue(node, range, walk, blank === undefined);
  if (anchor !== undefined) walk.anchors.set(anchor, { node: located, values: walk.values - before });
  return located;
}

function locateValue(node: unknown, range: Range, walk: Walk, isEntry: boolean): Located {
  if (isMap(node)) return locateMap(node, range, walk, isEntry);
  if (isSeq(node)) return locateList(node, range, walk);
  return { kind: 'scalar', value: isScalar(node) ? node.value : null, ...range };
}

function locateList(node: YAMLSeq, range: Range, walk: Walk): Located {
  const items = [];
  for (const item of node.items) {
    if (isFull(walk)) break;
    items.push(locateNode(item, walk));
  }
  return { kind: 'list', value: items.map((item) => item.value), items, ...range };
}

function locateMap(node: YAMLMap, range: Range, walk: Walk, isEntry: boolean): LocatedMap {
  const entries = new Map<string, LocatedEntry>();
  const value: Record<string, unknown> = Object.create(null);
  const repeated: Repeated[] = [];
  let faulty = false;
  for (const pair of node.items) {
    if (isFull(walk)) break;
    const key = rangeOf(pair.key, range, walk.source.text);
    const name = isScalar(pair.key) ? String((pair.key as Scalar).value) : undefined;
    const earlier = name === undefined ? undefined : entries.get(name);
    if (name === undefined || name === '<<') {
      faulty = true;
      reportKey(walk, name, key);
    } else if (earlier !== undefined)
      repeated.push({
        name,
        key,
        first: earlier,
        again: shown(isScalar(pair.value) ? pair.value.value : undefined),
      });
    else {
      const child = locateNode(pair.value, walk, key);
      if (TEXTS.has(name)) warnOfCut(pair.value, name, child, walk);
      entries.set(name, { key, node: child });
      value[name] = child.value;
    }
  }
  reportRepeated(repeated, isEntry, walk);
  return { kind: 'map', value, entries, ...(faulty ? { faulty } : {}), ...range };
}

/** Free text fields, in which a # may be intended. */
const TEXTS: ReadonlySet<string> = new Set(['prompt', 'lyrics_prompt', 'title']);

/** `Summer #1 hit` is read as `Summer`: an intended comment has a space after its #. */
function warnOfCut(node: unknown, name: string, range: Range, walk: Walk): void {
  if (!isScalar(node) || node.type !== 'PLAIN' || !/^[^\s#!]/.test(node.comment ?? '')) return;
  walk.diagnostics.push({
    code: 'text-cut',
    severity: 'warning',
    message: `\`${name}\` ends before the #: after a space it begins a comment`,
    hint: 'put the text into quotes',
    span: walk.source.spanOf({ start: Math.max(range.start, range.end - 1), end: range.end }),
  });
}

function reportKey(walk: Walk, name: '<<' | undefined, key: Range): void {
  if (name === undefined) report(walk, 'yaml-syntax', key, 'the name of a field is not plain text');
  else
    report(
      walk,
      'merge-key',
      key,
      'merge keys (`<<`) are not supported',
      'put what tracks share in `defaults`',
    );
}

function locateAlias(name: string, range: Range, walk: Walk): Located {
  const target = walk.anchors.get(name);
  if (target !== undefined && target !== 'open') {
    count(target.values, range, walk);
    return { ...target.node, ...range };
  }
  if (target === 'open')
    report(walk, 'endless-alias', range, `\`*${name}\` is inside the value that it repeats`, 'write it out');
  else
    report(
      walk,
      'unknown-anchor',
      range,
      `no value before this one is marked \`&${name}\``,
      `if it is text, put it into quotes: "*${name}"`,
    );
  return { kind: 'scalar', value: null, faulty: true, ...range };
}

function count(values: number, range: Range, walk: Walk): void {
  if (isFull(walk)) return;
  walk.values += values;
  if (isFull(walk))
    report(
      walk,
      'manifest-too-large',
      range,
      `the manifest has more than ${VALUES_MAX.toLocaleString('en-US')} values, repeated ones counted`,
      'repeat less with aliases, or split it into several manifests',
    );
}

function isFull(walk: Walk): boolean {
  return walk.values > VALUES_MAX;
}

const SHOWN_MAX = 100;

function shown(value: unknown): string | undefined {
  return typeof value === 'string' || typeof value === 'number'
    ? String(value).slice(0, SHOWN_MAX)
    : undefined;
}

interface Repeated {
  readonly name: string;
  readonly key: Range;
  readonly first: LocatedEntry;
  /** The later value, if it is plain. */
  readonly again: string | undefined;
}

/**
 * In an entry of a list, a second `id` begins a track whose dash is missing: the other repeated fields are that track's.
 * If it has the same value and is alone, it is only a line too many.
 */
function reportRepeated(repeated: readonly Repeated[], isEntry: boolean, walk: Walk): void {
  const isTrack = ({ name, first, again }: Repeated) =>
    isEntry &&
    name === 'id' &&
    again !== undefined &&
    (repeated.length > 1 || again !== shown(first.node.value));
  const tracks = repeated.filter(isTrack);
  for (const { name, key, first, again } of tracks.length > 0 ? tracks : repeated)
    walk.diagnostics.push({
      code: 'duplicate-key',
      severity: 'error',
      message: `\`${name}\` is set twice`,
      hint: tracks.length > 0 ? `start a new track: \`- id: ${again}\`` : 'keep one of the two',
      span: walk.source.spanOf(key),
      related: [{ message: 'first set here', span: walk.source.spanOf(first.key) }],
    });
}

function report(walk: Walk, code: Code, range: Range, message: string, hint?: string): void {
  walk.diagnostics.push({
    code,
    severity: 'error',
    message,
    ...(hint === undefined ? {} : { hint }),
    span: walk.source.spanOf(range),
  });
}

/** The node without trailing space. For an empty value, the position is `blank`. */
function rangeOf(node: unknown, blank: Range | undefined, text: string): Range {
  const [start, end] = (node as Partial<Node> | null)?.range ?? [0, 0];
  if (start === end) return blank ?? { start, end: start + 1 };
  // A block scalar includes the line end before what follows.
  if (!isScalar(node) || !node.type?.startsWith('BLOCK')) return { start, end };
  return { start, end: start + text.slice(start, end).trimEnd().length };
}
