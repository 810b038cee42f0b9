import { mkdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { beforeAll, describe, expect, it } from 'vitest';
import * as library from '../../src/index.js';
import { launch } from './launch.js';
import { folder } from './program.js';

const ROOT = fileURLToPath(new URL('../../', import.meta.url));
const PAGE = readFileSync(path.join(ROOT, 'examples', 'library.md'), 'utf8');
/** By the heading above each, in order. */
const EXAMPLES = [...PAGE.matchAll(/^## (\w+)\n[\s\S]*?```js\n([\s\S]*?)```$/gm)].map(([, name, code]) => {
  return { name: name!, code: code! };
});

const MODEL = 'elevenlabs-sound-effects-v2';
const ALBUM = `version: 1
tracks:
  - { id: opening, model: ${MODEL}, prompt: A door falls shut, duration_seconds: 1 }
  - { id: ending, model: ${MODEL}, prompt: A door opens, duration_seconds: 1 }
  - { id: lost, model: ${MODEL}, prompt: "[sandbox:lost-answer] A bell", duration_seconds: 1 }
`;

/** What each has to print, for this album, after those above it. */
const PRINTS: Readonly<Record<string, RegExp>> = {
  load: /^3 takes$/,
  models: new RegExp(`^${MODEL} `, 'm'),
  plan: /^opening 0\.\d+\nending 0\.\d+\nlost 0\.\d+\ntotal: \$0\.\d+$/,
  apply: /^0 1$/,
  run: /^ending done .*ending\.wav charged\nlost in_doubt undefined unknown$/m,
  collect: /^8 0 still in flight$/,
  status: /^opening done\nending done\nlost in_doubt\nspent: \$0\.\d+$/,
  verify: /^all files are unchanged$/,
  resolve: /^lost was not charged$/,
};

describe('the documentation of the library', () => {
  let cwd = '';
  beforeAll(() => {
    cwd = folder();
    // A project of its own: Node.js would otherwise read any package.json above it, in the folder for temporary files.
    writeFileSync(path.join(cwd, 'package.json'), '{"private":true}\n');
    mkdirSync(path.join(cwd, 'node_modules'));
    symlinkSync(ROOT, path.join(cwd, 'node_modules', 'venice-batch'), 'dir');
    writeFileSync(path.join(cwd, 'album.yaml'), ALBUM);
  });

  it('has an example for each function', () => {
    const functions = Object.entries(library).filter(
      ([name, value]) => typeof value === 'function' && /^[a-z]/.test(name),
    );
    expect(EXAMPLES.map(({ name }) => name).sort()).toEqual(functions.map(([name]) => name).sort());
  });

  it.each(EXAMPLES)('has an example for $name that runs', async ({ name, code }) => {
    writeFileSync(path.join(cwd, `${name}.mjs`), code);
    const { code: exitCode, stdout, stderr } = await launch([process.execPath, `${name}.mjs`], cwd).ended;
    expect({ exitCode, stderr }).toEqual({ exitCode: 0, stderr: '' });
    expect(stdout.trim()).toMatch(PRINTS[name]!);
  });
});
