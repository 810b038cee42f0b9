import { readdirSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { expect, it } from 'vitest';
import { loadManifest } from '../../src/manifest/load.js';
import { systemFiles as disk } from '../../src/node/files.js';
import { checkRequest } from '../../src/plan/capability.js';
import { CATALOGUE_TODAY } from '../../src/sandbox/catalogue-2026-10.js';
import { modelResponse } from '../../src/sandbox/catalogue-entry.js';
import { readCatalogue } from '../../src/venice/wire-models.js';
import { placeOf } from './check.js';

const EXAMPLES = fileURLToPath(new URL('../../examples', import.meta.url));
const MANIFESTS = readdirSync(EXAMPLES).filter((name) => name.endsWith('.yaml'));

it('the examples exist', () => {
  expect(MANIFESTS).toEqual(
    expect.arrayContaining(['album.yaml', 'jingles.yaml', 'narration.yaml', 'sound-effects.yaml']),
  );
});

it.each(MANIFESTS)('the example %s is a valid manifest with a budget and its schema', async (name) => {
  const { manifest, diagnostics, sources } = await loadManifest(disk, `${EXAMPLES}/${name}`, name);
  expect(diagnostics.map(placeOf)).toEqual([]);
  expect(manifest?.budgetMicroUsd).toBeGreaterThan(0);
  expect(sources.get(name)).toMatch(
    /^# yaml-language-server: \$schema=\.\.\/schemas\/manifest\.schema\.json\n/,
  );
});

it('the examples never write to the same file', async () => {
  const stems: string[] = [];
  for (const name of MANIFESTS) {
    const { manifest } = await loadManifest(disk, `${EXAMPLES}/${name}`, name);
    stems.push(...manifest!.takes.map(({ stem }) => stem));
  }
  expect(new Set(stems).size).toBe(stems.length);
});

it.each(MANIFESTS)('the example %s requests only what the models of the sandbox support', async (name) => {
  const { manifest } = await loadManifest(disk, `${EXAMPLES}/${name}`, name);
  const catalogue = readCatalogue({ object: 'list', data: CATALOGUE_TODAY.map(modelResponse) })!;
  const diagnostics = manifest!.takes.flatMap((take) => checkRequest(take, catalogue, 0).diagnostics);
  expect(diagnostics.map(placeOf)).toEqual([]);
});
