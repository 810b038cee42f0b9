import { cpSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { folder } from './program.js';

/** A manifest of cheap tracks: id, prompt and, if given, further fields in flow style. */
export function writeAlbum(cwd: string, tracks: readonly (readonly [string, string, string?])[]): void {
  const lines = tracks.map(
    ([id, prompt, more = '']) => `  - { id: ${id}, prompt: ${JSON.stringify(prompt)}${more} }\n`,
  );
  const head = 'version: 1\nbudget: 20\ndefaults: { model: stable-audio-25 }\ntracks:\n';
  writeFileSync(path.join(cwd, 'album.yaml'), head + lines.join(''));
}

/** A copy, so that concurrent commands do not share it. */
export function folderWith(source: string): string {
  const made = folder();
  cpSync(source, made, { recursive: true });
  return made;
}
