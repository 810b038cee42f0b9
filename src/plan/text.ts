/** UTF-16 units of text quoted in a message at most: what the manifest or the API says can be long. */
const QUOTED_MAX = 60;

/** A value as a message shows it: in quotes, cut where it is long. Escaping is left to the one who prints. */
export function quoted(text: string): string {
  const points = Array.from(text.slice(0, 2 * QUOTED_MAX + 2));
  return points.length > QUOTED_MAX ? `"${points.slice(0, QUOTED_MAX - 1).join('')}…"` : `"${text}"`;
}

/** `a, b and c`; of more than `max` entries the first, and how many more there are. */
export function listed(entries: readonly string[], max: number): string {
  if (entries.length > max) return `${entries.slice(0, max).join(', ')} and ${entries.length - max} more`;
  if (entries.length < 2) return entries.join('');
  return `${entries.slice(0, -1).join(', ')} and ${entries.at(-1)}`;
}

/**
 * How many characters a text has: as code points, and as UTF-16 units (never fewer). The API does not say
 * which of the two it counts, so a limit is proven broken only where both break it.
 */
export function characterCounts(text: string): { readonly points: number; readonly units: number } {
  let points = 0;
  for (const _ of text) points++;
  return { points, units: text.length };
}
