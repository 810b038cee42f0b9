import { posix } from 'node:path';
import type { Diagnostic } from '../../src/core/diagnostic.js';
import { loadManifestText } from '../../src/manifest/load.js';
import type { LoadedManifest, Take } from '../../src/manifest/take.js';
import { createMemoryDisk } from '../fakes/memory-files.js';

/** Loads a manifest as `/album/album.yaml`; `files` by path relative to `/album`. */
export function load(text: string, files: Readonly<Record<string, string>> = {}): Promise<LoadedManifest> {
  const disk = createMemoryDisk({ '/album/album.yaml': text });
  for (const [path, content] of Object.entries(files)) disk.put(posix.join('/album', path), content);
  return loadManifestText(disk.files, text, '/album/album.yaml', 'album.yaml');
}

/** `code@line:column` of each diagnostic, in their order. */
export async function found(
  text: string,
  files: Readonly<Record<string, string>> = {},
): Promise<readonly string[]> {
  return (await load(text, files)).diagnostics.map(placeOf);
}

export function placeOf({ code, span }: Diagnostic): string {
  return span ? `${code}@${span.line}:${span.column}` : code;
}

/** The takes of a manifest without errors. */
export async function takesOf(
  text: string,
  files: Readonly<Record<string, string>> = {},
): Promise<readonly Take[]> {
  const { manifest, diagnostics } = await load(text, files);
  if (manifest === undefined) throw new Error(`errors: ${diagnostics.map(placeOf).join(', ')}`);
  return manifest.takes;
}

/** A manifest with one track `a`, complete except for these lines, which begin at line 5. */
export function oneTrack(...lines: readonly string[]): string {
  return [
    'version: 1',
    'defaults: { model: m, prompt: p }',
    'tracks:',
    '  - id: a',
    ...lines.map((line) => `    ${line}`),
    '',
  ].join('\n');
}
