/** Name of a take: `opening`, `opening#2`. Unique within a manifest. */
export function takeKey({ track, take }: { readonly track: string; readonly take: number }): string {
  return take === 1 ? track : `${track}#${take}`;
}

/** Limit per manifest, for all tracks together. */
export const TAKES_MAX = 50_000;
