import path from 'node:path';
import { shellWord } from '../core/shell.js';
import type { Attempt } from '../lockfile/attempt.js';
import type { Manifest } from '../manifest/take.js';

const NAMED_MAX = 3;

/**
 * What to tell a user whose manifest has none of the tracks in the shared log: a copied `state:` line would make two
 * manifests share one budget. Only a guess, because all tracks may have been renamed: so it is for a machine without a
 * lockfile, which would prove that the two belong together.
 */
export function otherManifest(
  address: string,
  manifest: Manifest | undefined,
  attempts: Iterable<Attempt>,
): { readonly message: string; readonly separate: string; readonly hint: string } | undefined {
  const tracks = [...new Set([...attempts].map(({ track }) => track))].sort();
  const own = new Set(manifest?.takes.map(({ track }) => track));
  if (manifest === undefined || tracks.length === 0 || tracks.some((track) => own.has(track)))
    return undefined;
  const named = tracks.slice(0, NAMED_MAX).join(', ');
  const more = tracks.length > NAMED_MAX ? ` and ${tracks.length - NAMED_MAX} more` : '';
  const example = separateAddress(address, manifest);
  const suchAs = example === undefined ? '' : `, such as ${shellWord(example)}`;
  const separate = `use a separate address for each manifest${suchAs}, or they share one budget`;
  return {
    separate,
    message: `${address}: no track of the shared log (${named}${more}) is in this manifest: it seems to belong to another manifest`,
    hint: `${separate}; if you renamed all tracks, ignore this`,
  };
}

/** Beside the given one, named after the manifest and its folder. */
function separateAddress(address: string, manifest: Manifest): string | undefined {
  const [place = '', query] = address.split('?');
  const { dir, name: stem } = path.parse(manifest.path);
  const name = `${path.basename(dir)}-${stem}`.replace(/[^A-Za-z0-9_-]+/g, '-').replace(/^-+/, '');
  // Of neither name is anything left.
  if (!/[A-Za-z0-9]/.test(name)) return undefined;
  if (place.startsWith('git:')) return `${place}?ref=${name}`;
  return `${place}/${name}${query === undefined ? '' : `?${query}`}`;
}
