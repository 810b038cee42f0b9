import { writeFileSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, it, vi } from 'vitest';
import { afterTests, audioFiles, startService } from '../e2e/program.js';
import { KEY } from '../e2e/service.js';
import { startGitServer } from '../tools/git-server.js';
import { createMachine, example, PACKAGE, pushFiles } from './machine.js';

// Each starts dozens of processes.
vi.setConfig({ testTimeout: 240_000 });

const manifest = (tracks: readonly string[]) =>
  `version: 1\ndefaults: { model: elevenlabs-sound-effects-v2 }\ntracks:\n${tracks
    .map((id) => `  - { id: ${id}, prompt: A door falls shut in room ${id} }\n`)
    .join('')}`;

describe('the script for cron', () => {
  it('generates what is new, with its state in git, and leaves each machine its own files', async () => {
    const [server, service] = [await startGitServer(), await startService()];
    afterTests(() => void server.stop());
    pushFiles(server, { 'album.yaml': manifest(['one', 'two']), 'cron.sh': example('cron.sh') });
    const machine = async () => {
      const made = createMachine(server, { VENICE_BASE_URL: service.url });
      writeFileSync(path.join(made.clone, '..', 'album.env'), `VENICE_API_KEY=${KEY}\n`);
      expect((await made.run(`npm install --global ${PACKAGE}`)).code).toBe(0);
      return made;
    };
    const studio = await machine();
    const first = await studio.run('./cron.sh');
    expect(first.code, first.stderr).toBe(0);
    expect(audioFiles(studio.clone)).toHaveLength(2);
    // A second machine has nothing to do, and says which machine has the files.
    const other = await machine();
    const second = await other.run('./cron.sh');
    expect(second.code, second.stderr).toBe(0);
    expect(second.stdout).toMatch(/2 of 2 done/);
    expect(second.stdout).toMatch(/2 kept on \S+/);
    expect(audioFiles(other.clone)).toEqual([]);
    pushFiles(server, { 'album.yaml': manifest(['one', 'two', 'three']) });
    const third = await studio.run('./cron.sh');
    expect(third.code, third.stderr).toBe(0);
    expect(audioFiles(studio.clone)).toHaveLength(3);
    expect(await service.charges()).toBe(3);
  });
});
