/** The requested bytes of a file: first and last, both included. */
export type ByteRange =
  | { readonly kind: 'whole' }
  | { readonly kind: 'part'; readonly first: number; readonly last: number }
  | { readonly kind: 'outside' };

/**
 * Reads a `Range` header (RFC 9110, 14.1). Anything but one plain byte range gets the whole file, as the RFC allows.
 */
export function readRange(header: string | undefined, sizeBytes: number): ByteRange {
  const [, from, to] = /^bytes=(\d*)-(\d*)$/.exec(header?.trim() ?? '') ?? [];
  if (from === undefined || to === undefined || (from === '' && to === '')) return { kind: 'whole' };
  if (from === '') {
    const first = Math.max(0, sizeBytes - Number(to));
    return first < sizeBytes ? { kind: 'part', first, last: sizeBytes - 1 } : { kind: 'outside' };
  }
  const first = Number(from);
  const last = to === '' ? sizeBytes - 1 : Math.min(Number(to), sizeBytes - 1);
  if (to !== '' && Number(to) < first) return { kind: 'whole' };
  return first < sizeBytes ? { kind: 'part', first, last } : { kind: 'outside' };
}
