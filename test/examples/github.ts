import { mkdirSync } from 'node:fs';
import path from 'node:path';
import { expect } from 'vitest';
import type { Ended, Env } from '../e2e/launch.js';
import { afterTests, folder, startService } from '../e2e/program.js';
import { KEY } from '../e2e/service.js';
import { startGitServer } from '../tools/git-server.js';
import { createMachine, type Machine, pushFiles } from './machine.js';
import { scriptsOf, workflow } from './workflow.js';

const MANIFEST = `version: 1
defaults: { model: elevenlabs-sound-effects-v2 }
tracks:
  - { id: one, prompt: A door falls shut }
  - { id: two, prompt: Rain on a tin roof }
  - { id: three, prompt: A kettle begins to sing }
`;

/** A repository with the manifest, a stand-in for a bucket, and a service of its own. */
export async function stage(speed = 40) {
  const [server, service] = [await startGitServer(), await startService(speed)];
  afterTests(() => void server.stop());
  pushFiles(server, { 'album.yaml': MANIFEST });
  const share = path.join(folder(), 'share');
  mkdirSync(share);
  const setup = {
    'secrets.VENICE_API_KEY': KEY,
    'vars.VENICE_BATCH_STATE': `file://${share}`,
    'secrets.AWS_ACCESS_KEY_ID': 'unused',
    'secrets.AWS_SECRET_ACCESS_KEY': 'unused',
  };
  const runner = () =>
    createMachine(server, {
      VENICE_BASE_URL: service.url,
      GITHUB_STEP_SUMMARY: path.join(folder(), 'summary.md'),
    });
  return { server, service, setup, runner, share };
}

export interface Outcome {
  readonly failed: readonly string[];
  readonly ended: readonly Ended[];
}

/** Runs the steps of a job, as GitHub does. */
export async function play(
  machine: Machine,
  file: string,
  job: string,
  setup: Env,
  more: Env = {},
): Promise<Outcome> {
  const failed: string[] = [];
  const ended: Ended[] = [];
  for (const step of scriptsOf(workflow(file), job, setup)) {
    if (failed.length > 0 && !step.always) continue;
    const end = await machine.run(step.run, { ...step.env, ...more });
    ended.push(end);
    if (end.code !== 0) failed.push(`${step.name}: ${end.code}\n${end.stdout}\n${end.stderr}`);
  }
  return { failed, ended };
}

/** Starts a job up to its step that generates, and loses its machine once this many takes are queued. */
export async function lose(
  machine: Machine,
  file: string,
  job: string,
  setup: Env,
  queued: number,
): Promise<void> {
  for (const step of scriptsOf(workflow(file), job, setup)) {
    const started = machine.start(step.run, step.env);
    if (!step.run.includes('venice-batch run')) {
      expect((await started.ended).code).toBe(0);
      continue;
    }
    await started.seen(new RegExp(`(?:queued [\\s\\S]*){${queued}}`));
    started.kill();
    await started.ended;
    return;
  }
  throw new Error('no step makes anything');
}
