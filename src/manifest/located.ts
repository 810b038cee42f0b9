import type { Span } from '../core/diagnostic.js';

/** Position in a source text: UTF-16 offsets, the end exclusive. */
export interface Range {
  readonly start: number;
  readonly end: number;
}

/**
 * A value and its position. `value` is plain data (maps have no prototype), so that it can be checked as a whole; its
 * parts keep their positions. Values from aliases are shared, not copied.
 */
export type Located = LocatedScalar | LocatedList | LocatedMap;

export interface LocatedScalar extends Range {
  readonly kind: 'scalar';
  readonly value: unknown;
  /** An alias without a target. Already reported; its intended value is unknown. */
  readonly faulty?: true;
}

export interface LocatedList extends Range {
  readonly kind: 'list';
  readonly value: readonly unknown[];
  readonly items: readonly Located[];
}

export interface LocatedMap extends Range {
  readonly kind: 'map';
  readonly value: Readonly<Record<string, unknown>>;
  readonly entries: ReadonlyMap<string, LocatedEntry>;
  /** A part could not be read (a merge key). Already reported; what else it should contain is unknown. */
  readonly faulty?: true;
}

export interface LocatedEntry {
  readonly key: Range;
  readonly node: Located;
}

/** A source text, and the mapping from its offsets to lines and columns. */
export interface Source {
  /** As named by spans. */
  readonly file: string;
  readonly text: string;
  spanOf(range: Range): Span;
}

/** The first entry's key, or the start of the node: a short mark for a whole map or list. */
export function headOf(node: Located): Range {
  if (node.kind === 'map') {
    for (const entry of node.entries.values()) return entry.key;
  }
  return { start: node.start, end: Math.min(node.end, node.start + 1) };
}

export function entryOf(node: Located | undefined, key: string): LocatedEntry | undefined {
  return node?.kind === 'map' ? node.entries.get(key) : undefined;
}

/** The node at a JSON Pointer (RFC 6901), or the last existing one on the way. */
export function nodeAt(root: Located, pointer: string): Located {
  let node = root;
  for (const part of pointer.split('/').slice(1)) {
    const key = part.replaceAll('~1', '/').replaceAll('~0', '~');
    const next = node.kind === 'list' ? node.items[Number(key)] : entryOf(node, key)?.node;
    if (next === undefined) return node;
    node = next;
  }
  return node;
}
