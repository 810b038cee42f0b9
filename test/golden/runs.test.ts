import { readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { loadManifest } from '../../src/manifest/load.js';
import { jsonText } from '../../src/report/json-text.js';
import { renderJson } from '../../src/report/run-json.js';
import { createMemoryDisk } from '../fakes/memory-files.js';
import { HOME, play } from './play.js';

/*
 * What users keep and scripts read, byte for byte. A difference here changes a contract: check it, add it to the
 * changelog, and accept it with `npx vitest run --config test/vitest.config.ts test/golden -u`.
 */

const EXAMPLES = fileURLToPath(new URL('../../examples', import.meta.url));
/** One take for each way to end that the sandbox offers, and every field of a request. */
const ENDINGS = fileURLToPath(new URL('.', import.meta.url));

function filesIn(folder: string): Record<string, string> {
  return Object.fromEntries(
    readdirSync(folder, { recursive: true, encoding: 'utf8' })
      .filter((name) => /\.(yaml|txt)$/.test(name))
      .map((name) => [`${HOME}/${name}`, readFileSync(`${folder}/${name}`, 'utf8')]),
  );
}

const MANIFESTS = [
  { folder: EXAMPLES, name: 'album' },
  { folder: EXAMPLES, name: 'jingles' },
  { folder: EXAMPLES, name: 'narration' },
  { folder: EXAMPLES, name: 'sound-effects' },
  { folder: ENDINGS, name: 'endings' },
];

describe.each(MANIFESTS)('$name.yaml in the sandbox', ({ folder, name }) => {
  const files = filesIn(folder);

  it('produces the same requests and digests as before', async () => {
    const disk = createMemoryDisk(files);
    const { manifest } = await loadManifest(disk.files, `${HOME}/${name}.yaml`, `${name}.yaml`);
    const takes = manifest?.takes.map(({ key, digest, parts, request }) => ({ key, digest, parts, request }));
    await expect(`${jsonText(takes, 2)}\n`).toMatchFileSnapshot(`bytes/${name}.requests.json`);
  });

  it('produces the same lockfile, JSON document and events as before', async () => {
    const { lockfile, outcome, events } = await play(name, files);
    await expect(lockfile).toMatchFileSnapshot(`bytes/${name}.lock.jsonl`);
    await expect(renderJson(outcome, HOME)).toMatchFileSnapshot(`bytes/${name}.run.json`);
    const lines = events.map((event) => `${jsonText(event)}\n`);
    await expect(lines.join('')).toMatchFileSnapshot(`bytes/${name}.events.ndjson`);
  });
});
