import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { describe, expect, it } from 'vitest';
import { CLI } from './launch.js';
import { folder, writeManifest } from './program.js';

const ALBUM = fileURLToPath(new URL('../../examples/album.yaml', import.meta.url));
const HEAVY = ['yaml', 'ajv', 'undici', 'listr2', 'music-metadata'];

/** Writes the URL of each loaded module to stderr. */
const HOOKS = `import { writeSync } from 'node:fs';
export function load(url, context, next) {
  writeSync(2, url + '\\n');
  return next(url, context);
}`;
const PRINT_MODULES = `import { register } from 'node:module';
register(${JSON.stringify(`data:text/javascript,${encodeURIComponent(HOOKS)}`)});`;

/** The packages that a command line loads. */
async function packagesOf(args: readonly string[]): Promise<ReadonlySet<string>> {
  const preload = `data:text/javascript,${encodeURIComponent(PRINT_MODULES)}`;
  const { stderr } = await promisify(execFile)(process.execPath, ['--import', preload, CLI, ...args]);
  const found = stderr.matchAll(/\/node_modules\/((?:@[^/]+\/)?[^/]+)\//g);
  return new Set([...found].map(([, name]) => name!));
}

describe('starting', () => {
  it.each(['--version', '--help', 'run --help'])('%s loads nothing heavy', async (line) => {
    const packages = await packagesOf(line.split(' '));
    expect(packages).toContain('commander');
    expect(HEAVY.filter((name) => packages.has(name))).toEqual([]);
  });

  it('a run without a shared log loads no code for it', async () => {
    const preload = `data:text/javascript,${encodeURIComponent(PRINT_MODULES)}`;
    const cwd = folder();
    writeManifest(cwd, 1);
    const args = [
      '--import',
      preload,
      CLI,
      'run',
      'album.yaml',
      '--sandbox',
      '--sandbox-speed',
      '1000',
      '--yes',
    ];
    const { stderr } = await promisify(execFile)(process.execPath, args, { cwd });
    expect(stderr).toContain('/dist/run/execute.js');
    expect(stderr).not.toMatch(/\/dist\/(?:shared-log|node\/(?:git|web)\.js)/);
  });

  // Shows that the tests above would see a package that is loaded.
  it('a command that reads a manifest loads yaml and ajv', async () => {
    const packages = await packagesOf(['validate', ALBUM]);
    expect([...packages]).toEqual(expect.arrayContaining(['yaml', 'ajv']));
  });
});
