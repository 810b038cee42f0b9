import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll } from 'vitest';

/** The built program, as users run it. */
export const CLI = fileURLToPath(new URL('../../dist/cli.js', import.meta.url));

/** Longest that any single command of these tests may take. */
const COMMAND_MS_MAX = 45_000;

/** The simulator lives as long as the tests of a file. */
const SERVICE_MS_MAX = 10 * 60_000;

const cleanUps: (() => void)[] = [];
afterAll(() => {
  for (const cleanUp of cleanUps.splice(0)) cleanUp();
});

/** A folder of its own, removed after the tests of the file. */
export function folder(): string {
  const made = mkdtempSync(path.join(os.tmpdir(), 'venice-batch-'));
  cleanUps.push(() => rmSync(made, { recursive: true, force: true }));
  return made;
}

export interface Ended {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly stdout: string;
  readonly stderr: string;
}

export interface Started {
  readonly child: ChildProcess;
  readonly ended: Promise<Ended>;
  /** Resolves when stdout and stderr so far match, rejects when the program ends before. */
  seen(pattern: RegExp): Promise<string>;
}

export type Env = Readonly<Record<string, string>>;

/** Starts the program. It is killed when it outlives its time, or the tests. */
export function start(
  args: readonly string[],
  cwd: string,
  env: Env = {},
  livesMsMax = COMMAND_MS_MAX,
): Started {
  const child = spawn(process.execPath, [CLI, ...args], {
    cwd,
    env: { PATH: process.env.PATH ?? '', HOME: cwd, TMPDIR: cwd, ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const kill = () => child.kill('SIGKILL');
  const timer = setTimeout(kill, livesMsMax);
  cleanUps.push(kill);
  let stdout = '';
  let stderr = '';
  let over = false;
  const waiting = new Set<() => void>();
  const heard = () => {
    for (const look of waiting) look();
  };
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    stdout += text;
    heard();
  });
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    stderr += text;
    heard();
  });
  const ended = new Promise<Ended>((resolve) => {
    child.on('close', (code, signal) => {
      clearTimeout(timer);
      over = true;
      resolve({ code, signal, stdout, stderr });
      heard();
    });
  });
  return {
    child,
    ended,
    seen: (pattern) =>
      new Promise((resolve, reject) => {
        const look = () => {
          const found = pattern.exec(stdout) ?? pattern.exec(stderr);
          if (found) resolve(found[1] ?? found[0]);
          else if (over) reject(new Error(`ended without ${pattern}:\n${stdout}\n${stderr}`));
          else return;
          waiting.delete(look);
        };
        waiting.add(look);
        look();
      }),
  };
}

export function run(args: readonly string[], cwd: string, env: Env = {}): Promise<Ended> {
  return start(args, cwd, env).ended;
}

export const KEY = 'sandbox';

export interface Service {
  readonly url: string;
  /** Flags and environment that send the program there. */
  readonly flags: readonly string[];
  readonly env: Env;
  /** Charges of the account so far, by the service's own billing history. */
  charges(): Promise<number>;
}

/** The simulator in a process of its own: it outlives the program under test. */
export async function startService(speed = 40): Promise<Service> {
  const cwd = folder();
  // Without its rate limit: many tests share it, and would wait for one another.
  const args = ['sandbox', '--port', '0', '--sandbox-speed', String(speed), '--no-limit'];
  const started = start(args, cwd, {}, SERVICE_MS_MAX);
  const url = await started.seen(/at (http:\S+)/);
  return {
    url,
    flags: ['--base-url', url],
    env: { VENICE_API_KEY: KEY },
    async charges() {
      const answer = await fetch(`${url}/billing/usage-history?pageSize=1000`, {
        headers: { authorization: `Bearer ${KEY}` },
      });
      const { data } = (await answer.json()) as { data: { amount: number }[] };
      return data.filter(({ amount }) => amount < 0).length;
    },
  };
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

/** Finished audio files below the folder, relative. */
export function audioFiles(cwd: string): string[] {
  return readdirSync(cwd, { recursive: true, encoding: 'utf8' })
    .filter((name) => /\.(wav|flac|mp3)$/.test(name))
    .sort();
}

export function lockLines(cwd: string, name = 'album.lock.jsonl'): Record<string, unknown>[] {
  return readFileSync(path.join(cwd, name), 'utf8')
    .trim()
    .split('\n')
    .slice(1)
    .map((line) => JSON.parse(line) as Record<string, unknown>);
}
