import { readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { run } from './in-process.js';
import type { Ended, Env, Started } from './launch.js';
import { afterTests, folder, lockLines, start } from './program.js';
import { openService, type Service } from './service.js';

/** An album in a folder of its own, with a service of its own: concurrent tests do not count each other's charges. */
export interface Scene {
  readonly cwd: string;
  readonly service: Service;
  /** Runs `venice-batch <verb> album.yaml <words>` against the service, in this process. */
  run(verb: string, ...words: readonly string[]): Promise<Ended>;
  /** The same in a process of its own. */
  start(verb: string, ...words: readonly string[]): Started;
  charges(): Promise<number>;
  /** The lockfile's lines except its header. */
  lock(): Record<string, unknown>[];
  readonly lockPath: string;
}

export interface SceneOptions {
  /** Prompts by track id. Default: `one` and `two`. */
  readonly prompts?: Readonly<Record<string, string>>;
  readonly env?: Env;
}

const PROMPTS = { one: 'A door falls shut', two: 'Rain on a tin roof' };

export async function scene({ prompts = PROMPTS, env = {} }: SceneOptions = {}): Promise<Scene> {
  const cwd = folder();
  const service = await openService(folder(), 1_000);
  afterTests(service.stop);
  writePrompts(cwd, prompts);
  const line = (verb: string, words: readonly string[]) => [
    ...verb.split(' '),
    'album.yaml',
    ...words,
    ...service.flags,
  ];
  const variables = { ...service.env, ...env };
  return {
    cwd,
    service,
    start: (verb, ...words) => start(line(verb, words), cwd, variables),
    run: (verb, ...words) => run(line(verb, words), cwd, variables),
    charges: service.charges,
    lock: () => lockLines(cwd),
    lockPath: path.join(cwd, 'album.lock.jsonl'),
  };
}

/** A manifest of cheap sounds. */
export function writePrompts(cwd: string, prompts: Readonly<Record<string, string>>): void {
  const tracks = Object.entries(prompts).map(
    ([id, prompt]) =>
      `  - { id: ${id}, model: elevenlabs-sound-effects-v2, prompt: ${JSON.stringify(prompt)} }\n`,
  );
  writeFileSync(path.join(cwd, 'album.yaml'), `version: 1\nbudget: 5\ntracks:\n${tracks.join('')}`);
}

export function edit(file: string, change: (text: string) => string): void {
  writeFileSync(file, change(readFileSync(file, 'utf8')));
}
