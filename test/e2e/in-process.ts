import path from 'node:path';
import pLimit from 'p-limit';
import { type Ended, type Env, environmentOf } from './launch.js';

/** A process has only one working directory, environment and stdout. */
const oneAtATime = pLimit(1);

/**
 * Runs a command of the built program in this process, for tests of what it says and decides. It takes a tenth of the
 * time of a separate process, which is for tests of kills, locks, signals and terminals.
 */
export function run(args: readonly string[], cwd: string, env: Env = {}): Promise<Ended> {
  return oneAtATime(async () => {
    const { main } = await loadProgram();
    const restore = enter(cwd, env);
    const [stdout, stderr] = [capture(process.stdout), capture(process.stderr)];
    try {
      const code = await main(args);
      return { code, signal: null, stdout: stdout.text(), stderr: stderr.text() };
    } finally {
      stdout.release();
      stderr.release();
      restore();
    }
  });
}

const loadProgram = (): Promise<typeof import('../../src/commands/main.js')> =>
  import(new URL('../../dist/commands/main.js', import.meta.url).href);

function enter(cwd: string, env: Env): () => void {
  const before = { cwd: process.cwd(), env: { ...process.env } };
  process.chdir(path.resolve(cwd));
  setEnvironment(environmentOf(cwd, env));
  return () => {
    process.chdir(before.cwd);
    setEnvironment(before.env);
  };
}

function setEnvironment(env: NodeJS.ProcessEnv): void {
  for (const name of Object.keys(process.env)) if (!(name in env)) delete process.env[name];
  Object.assign(process.env, env);
}

function capture(stream: NodeJS.WriteStream) {
  const { write } = stream;
  let text = '';
  stream.write = (chunk: string | Uint8Array, ...more: unknown[]): boolean => {
    text += typeof chunk === 'string' ? chunk : Buffer.from(chunk).toString('utf8');
    for (const one of more) if (typeof one === 'function') one();
    return true;
  };
  return {
    text: () => text,
    release() {
      stream.write = write;
      // Each run adds listeners until its process ends, which all runs share here.
      stream.removeAllListeners('error');
    },
  };
}
