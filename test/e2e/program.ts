import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { afterAll } from 'vitest';
import { type Ended, type Env, launchProgram, type Started } from './launch.js';
import { openService, type Service } from './service.js';

/** Read now: a command that runs in this process has its own environment. */
const TEMPORARY = os.tmpdir();

const cleanUps: (() => void)[] = [];
afterAll(() => {
  for (const cleanUp of cleanUps.splice(0).reverse()) cleanUp();
});

/** Runs when the tests of the file are over. */
export function afterTests(cleanUp: () => void): void {
  cleanUps.push(cleanUp);
}

/** A folder of its own, removed after the tests of the file. */
export function folder(): string {
  const made = mkdtempSync(path.join(TEMPORARY, 'venice-batch-'));
  cleanUps.push(() => rmSync(made, { recursive: true, force: true }));
  return made;
}

/** Starts the program in a process of its own. It is killed after its time, or after the tests. */
export function start(args: readonly string[], cwd: string, env: Env = {}): Started {
  const started = launchProgram(args, cwd, env);
  cleanUps.push(started.kill);
  return started;
}

/** Runs the program to its end in a process of its own. */
export function runProcess(args: readonly string[], cwd: string, env: Env = {}): Promise<Ended> {
  return start(args, cwd, env).ended;
}

/** A simulator that runs until the tests of the file have ended. */
export async function startService(speed = 40): Promise<Service> {
  const service = await openService(folder(), speed);
  cleanUps.push(service.stop);
  return service;
}

/** A manifest of short, cheap tracks of different models. */
export function writeManifest(cwd: string, tracks = 4, extra = ''): string {
  const models = ['stable-audio-25', 'elevenlabs-sound-effects-v2'];
  const lines = Array.from(
    { length: tracks },
    (_, index) =>
      `  - { id: track-${index}, model: ${models[index % models.length]}, prompt: "A short piece number ${index}, piano, 100 BPM" }`,
  );
  writeFileSync(
    path.join(cwd, 'album.yaml'),
    `version: 1\nbudget: 20\n${extra}tracks:\n${lines.join('\n')}\n`,
  );
  return 'album.yaml';
}

/** Finished audio files in the folder, as relative paths. */
export function audioFiles(cwd: string): string[] {
  return readdirSync(cwd, { recursive: true, encoding: 'utf8' })
    .filter((name) => /\.(wav|flac|mp3|m4a|aac|ogg|opus|webm|aiff)$/.test(name))
    .sort();
}

export function lockLines(cwd: string, name = 'album.lock.jsonl'): Record<string, unknown>[] {
  return readFileSync(path.join(cwd, name), 'utf8')
    .trim()
    .split('\n')
    .slice(1)
    .map((line) => JSON.parse(line) as Record<string, unknown>)
    .filter((line) => !('end' in line));
}
