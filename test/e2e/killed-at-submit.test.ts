import { writeFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import { serialiseLock } from '../../src/lockfile/lock-text.js';
import { attempt, id } from '../lockfile/build.js';
import { type Scene, scene } from './scene.js';

const TAKES = ['one', 'two', 'three', 'four'];

/** An album whose first run was killed while it waited for the responses to these submits. */
async function killedAt(tracks: readonly string[]): Promise<Scene> {
  const prompts = Object.fromEntries([...TAKES, 'five'].map((track) => [track, `The noise of ${track}`]));
  const album = await scene({ prompts });
  const endpoint = album.service.url;
  const header = { format: 'venice-batch-lock', version: 2, endpoint, lineage: '0'.repeat(32) } as const;
  const intents = tracks.map((track) => attempt({ attempt: id(track), track, stem: `out/${track}` }));
  writeFileSync(album.lockPath, serialiseLock(header, intents));
  return album;
}

it.each([['plan'], ['run', '--yes']])(
  '%s shows what is in doubt when it buys nothing',
  async (verb, ...words) => {
    const album = await killedAt(TAKES);
    const ended = await album.run(verb, ...words);
    expect(ended.code).toBe(8);
    // Nothing was lost on the way.
    expect(ended.stderr).toContain('no response is recorded for 4 submits in a row');
    expect(ended.stderr).toContain('may have been charged: four, one, three and two.');
    expect(ended.stderr).toContain('venice-batch resolve album.yaml');
    for (const track of TAKES)
      expect(ended.stdout + ended.stderr).toMatch(new RegExp(`^\\? +${track} +in doubt`, 'm'));
    expect(await album.charges()).toBe(0);
  },
);

it('the run that finds a submit without a response lists it, like any later run', async () => {
  const album = await killedAt(['two']);
  for (const run of ['first', 'second']) {
    const ended = await album.run('run', '--yes');
    expect([ended.code, ended.stdout], run).toEqual([8, expect.stringMatching(/In doubt\n {2}\? two\n/)]);
  }
  expect(await album.charges()).toBe(4);
});
