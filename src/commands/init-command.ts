import { unlink, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { BatchError, describeFault, EXIT, type ExitCode, faultCode, usageError } from '../core/errors.js';
import { asOperand, commandLine, shellWord } from '../core/shell.js';
import { systemFiles } from '../node/files.js';
import { MANIFEST_EXTENSION } from '../session/manifest-link.js';
import { siblingManifest } from '../session/sibling.js';

const STARTER = `# yaml-language-server: $schema=SCHEMA
#
# What to make, in order. Try it without a key, at no cost: venice-batch run FILE --sandbox --yes
# See what it would cost:                                  venice-batch plan FILE
# Make it (shows the total, asks, can be run again):       venice-batch run FILE
version: 1
title: My first album

# Where to store the audio, below this folder. Also: {title} {take} {model}
output: out/{index}-{id}.{ext}

# Spending limit for this manifest over all runs, in US dollars.
budget: 5.00

# Defaults for tracks that do not set these fields.
defaults:
  model: MODEL        # see: venice-batch models
  duration_seconds: 60

tracks:
  - id: opening                  # stable: renaming it buys the track again
    title: Opening
    prompt: Uplifting indie-folk, acoustic guitars, hand claps, 120 BPM, major key
    force_instrumental: true

  - id: night-drive
    title: Night Drive
    prompt: Slow synthwave, warm analog bass, gated drums, 84 BPM, minor key
    force_instrumental: true
    takes: 2                     # two versions to choose from
`;

/** This installation's own schema, so that editors need no network. */
function schemaFor(manifest: string): string {
  const schema = fileURLToPath(new URL('../../schemas/manifest.schema.json', import.meta.url));
  const relative = path.relative(path.dirname(path.resolve(manifest)), schema);
  return relative.split(path.sep).join('/');
}

async function starter(name: string): Promise<string> {
  const { CATALOGUE_TODAY } = await import('../sandbox/catalogue-2026-10.js');
  // The first model that can make what the tracks below need.
  const model = CATALOGUE_TODAY.find(
    ({ spec }) =>
      spec.supports_force_instrumental === true &&
      (spec.min_duration ?? 61) <= 60 &&
      (spec.max_duration ?? 0) >= 60,
  );
  return STARTER.replaceAll('FILE', name)
    .replace('SCHEMA', schemaFor(name))
    .replace('MODEL', model?.id ?? '');
}

/** Writes a commented starter manifest. Never overwrites an existing file. */
export async function initCommand(manifest: string): Promise<ExitCode> {
  const name = manifest === '' ? 'album.yaml' : manifest;
  const file = path.resolve(name);
  requireYamlName(name);
  await requireNoOtherManifest(name, file);
  try {
    await writeFile(file, await starter(name), { flag: 'wx' });
  } catch (error) {
    const code = faultCode(error);
    // A full disk leaves a partial file.
    if (code !== 'EEXIST') await unlink(file).catch(() => {});
    throw initError(name, code);
  }
  const run = commandLine(['venice-batch', 'run', asOperand(name), '--sandbox', '--yes']);
  process.stdout.write(
    `wrote ${shellWord(name)}\nNext: ${run}\nin a git repository: add *.sandbox/ to .gitignore, and commit *.lock.jsonl and *.picks.yaml\n`,
  );
  return EXIT.ok;
}

/** Every editor and tool would take YAML under another extension for something else. */
function requireYamlName(name: string): void {
  if (path.extname(name) === '' || MANIFEST_EXTENSION.test(name)) return;
  const renamed = `${name.replace(/\.(?:json|toml|txt|md|ini)$/i, '')}.yaml`;
  throw usageError(
    `${shellWord(name)} does not end in .yaml or .yml: manifests are YAML`,
    `name it like this: ${commandLine(['venice-batch', 'init', asOperand(renamed)])}`,
    'usage',
  );
}

/** A manifest next to another with the same stem would share its lockfile, and every run would refuse both. */
async function requireNoOtherManifest(name: string, file: string): Promise<void> {
  const other = await siblingManifest(systemFiles, file);
  if (other === undefined) return;
  throw usageError(
    `${shellWord(name)} would share the lockfile of ${shellWord(path.basename(other))}`,
    `name another file: ${anotherInit(name)}`,
    'lockfile-shared',
  );
}

function anotherInit(name: string): string {
  const free = `${name.replace(MANIFEST_EXTENSION, '')}-2.yaml`;
  return commandLine(['venice-batch', 'init', asOperand(free)]);
}

function initError(name: string, code: string): BatchError {
  if (code === 'EEXIST')
    return usageError(
      `${shellWord(name)} already exists`,
      `name another file: ${anotherInit(name)}`,
      'exists',
    );
  const { what, fix } = describeFault(code);
  return new BatchError('storage', `${shellWord(name)} cannot be written: ${what} (${code})`, {
    exitCode: EXIT.unavailable,
    hint: `${fix}, then: ${commandLine(['venice-batch', 'init', asOperand(name)])}`,
  });
}
