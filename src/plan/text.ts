/** UTF-16 units of text quoted in a message at most: texts from the manifest or the API can be long. */
const QUOTED_MAX = 60;

/** A value for a message: in quotes, truncated if long. Escape it when printing. */
export function quoted(text: string): string {
  const points = Array.from(text.slice(0, 2 * QUOTED_MAX + 2));
  return points.length > QUOTED_MAX ? `"${points.slice(0, QUOTED_MAX - 1).join('')}…"` : `"${text}"`;
}

/** `a, b and c`; of more than `max` entries, the first and how many more there are. */
export function listed(entries: readonly string[], max: number): string {
  if (entries.length > max) return `${entries.slice(0, max).join(', ')} and ${entries.length - max} more`;
  if (entries.length < 2) return entries.join('');
  return `${entries.slice(0, -1).join(', ')} and ${entries.at(-1)}`;
}

/**
 * The number of characters in a text: as code points, and as UTF-16 units (never fewer). The API does not say which it
 * counts, so a limit is certainly exceeded only if both exceed it.
 */
export function characterCounts(text: string): { readonly points: number; readonly units: number } {
  let points = 0;
  for (const _ of text) points++;
  return { points, units: text.length };
}
