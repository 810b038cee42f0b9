import { mkdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, it, vi } from 'vitest';
import { parse } from 'yaml';
import { TEN_MINUTES_LATER } from '../e2e/launch.js';
import { afterTests, audioFiles, folder, startService } from '../e2e/program.js';
import { KEY } from '../e2e/service.js';
import { startGitServer } from '../tools/git-server.js';
import { createMachine, example, pushFiles } from './machine.js';

// Each starts dozens of processes.
vi.setConfig({ testTimeout: 240_000 });

interface GitLabJob {
  readonly script: readonly string[];
  readonly retry?: { readonly exit_codes: readonly number[] };
}

interface Pipeline {
  readonly default: { readonly before_script: readonly string[] };
  readonly check: GitLabJob;
  readonly make: GitLabJob;
}

const pipeline = parse(example('gitlab-ci.yml')) as Pipeline;

/** One shell runs all lines of a job. */
function scriptOf(job: 'check' | 'make'): string {
  return [...pipeline.default.before_script, ...pipeline[job].script].join('\n');
}

const MANIFEST = `version: 1
defaults: { model: elevenlabs-sound-effects-v2 }
tracks:
  - { id: one, prompt: A door falls shut }
  - { id: two, prompt: Rain on a tin roof }
`;

describe('the pipeline for GitLab', () => {
  it('checks without secrets, generates once, and continues after a lost runner', async () => {
    const [server, service] = [await startGitServer(), await startService(4)];
    afterTests(() => void server.stop());
    pushFiles(server, { 'album.yaml': MANIFEST });
    const share = path.join(folder(), 'share');
    mkdirSync(share);
    const state = { VENICE_BASE_URL: service.url, VENICE_BATCH_STATE: `file://${share}` };
    const checked = await createMachine(server, state).run(scriptOf('check'));
    expect(checked.code, checked.stderr).toBe(0);
    const env = { ...state, VENICE_API_KEY: KEY };
    const lost = createMachine(server, env).start(scriptOf('make'));
    await lost.seen(/(?:queued [\s\S]*){2}/);
    lost.kill();
    await lost.ended;
    const next = createMachine(server, env);
    const made = await next.run(scriptOf('make'), TEN_MINUTES_LATER);
    expect(made.code, made.stderr).toBe(0);
    expect(audioFiles(next.clone)).toHaveLength(2);
    expect(await service.charges()).toBe(2);
  });

  it('says in a merge request, which has no protected variables, what its plan goes by', async () => {
    const [server, service] = [await startGitServer(), await startService(40)];
    afterTests(() => void server.stop());
    pushFiles(server, { 'album.yaml': MANIFEST });
    const open = { VENICE_BASE_URL: service.url };
    const before = await createMachine(server, open).run(scriptOf('check'));
    expect(before.code, before.stderr).toBe(0);
    expect(before.stdout).toContain('No album.lock.jsonl is committed, so every take counts as new.');
    expect(before.stdout).toMatch(/To buy +2 takes/);
    const state = `file://${folder()}`;
    const make = createMachine(server, { ...open, VENICE_BATCH_STATE: state, VENICE_API_KEY: KEY });
    expect((await make.run(scriptOf('make'))).code).toBe(0);
    const lockfile = readFileSync(path.join(make.clone, 'album.lock.jsonl'), 'utf8');
    pushFiles(server, { 'album.lock.jsonl': lockfile });
    const after = await createMachine(server, open).run(scriptOf('check'));
    expect(after.code, after.stderr).toBe(0);
    expect(after.stdout).not.toContain('counts as new');
    expect(after.stdout).toMatch(/To buy +nothing/);
  });
});
