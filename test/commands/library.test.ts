import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { plan } from '../../src/index.js';

describe('the library', () => {
  let cwd = '';
  beforeAll(() => {
    cwd = mkdtempSync(path.join(os.tmpdir(), 'venice-batch-'));
    const track = (id: string) =>
      `  - { id: ${id}, model: elevenlabs-sound-effects-v2, prompt: A door falls shut }\n`;
    writeFileSync(path.join(cwd, 'album.yaml'), `version: 1\ntracks:\n${track('one')}${track('two')}`);
  });
  afterAll(() => rmSync(cwd, { recursive: true, force: true }));

  it.each([
    ['all without a selection', {}, ['one', 'two']],
    ['what is named', { only: ['two'] }, ['two']],
    ['nothing where a selection has come to nothing', { only: [] }, []],
    ['all where nothing is excepted', { except: [], force: [] }, ['one', 'two']],
  ])('plans to buy %s', async (_, selection, keys) => {
    const { prepared } = await plan({
      manifest: path.join(cwd, 'album.yaml'),
      sandbox: true,
      ...selection,
    });
    expect(prepared?.plan.purchases.map(({ take }) => take.key)).toEqual(keys);
  });
});
