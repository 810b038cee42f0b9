import { readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, it, vi } from 'vitest';
import { TEN_MINUTES_LATER } from '../e2e/launch.js';
import { afterTests, audioFiles, folder, startService } from '../e2e/program.js';
import { KEY } from '../e2e/service.js';
import { type GitServer, git, startGitServer } from '../tools/git-server.js';
import { createMachine, example, type Machine, PACKAGE, pushFiles } from './machine.js';

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

  it.each([
    {
      why: 'the host is down',
      spoil: (_: GitServer, { clone }: Machine) =>
        void git(['-C', clone, 'remote', 'set-url', 'origin', 'http://127.0.0.1:9/album.git']),
    },
    {
      why: 'someone committed the lockfile',
      spoil: (server: GitServer, { clone }: Machine) =>
        pushFiles(server, { 'album.lock.jsonl': readFileSync(path.join(clone, 'album.lock.jsonl'), 'utf8') }),
    },
  ])('collects what is paid for, and fails, if it cannot pull: $why', async ({ spoil }) => {
    const [server, service] = [await startGitServer(), await startService(4)];
    afterTests(() => void server.stop());
    pushFiles(server, { 'album.yaml': manifest(['one', 'two']), 'cron.sh': example('cron.sh') });
    const studio = createMachine(server, {
      VENICE_BASE_URL: service.url,
      VENICE_BATCH_STATE: `file://${folder()}`,
    });
    writeFileSync(path.join(studio.clone, '..', 'album.env'), `VENICE_API_KEY=${KEY}\n`);
    expect((await studio.run(`npm install --global ${PACKAGE}`)).code).toBe(0);
    const lost = studio.start('./cron.sh');
    await lost.seen(/(?:queued [\s\S]*){2}/);
    lost.kill();
    await lost.ended;
    spoil(server, studio);
    const next = await studio.run('./cron.sh', TEN_MINUTES_LATER);
    expect(next.stderr).toContain('git pull failed');
    expect(next.code, next.stderr).toBe(1);
    expect(audioFiles(studio.clone)).toHaveLength(2);
    expect(await service.charges()).toBe(2);
  });
});
