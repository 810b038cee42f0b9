import { type ChildProcess, spawn } from 'node:child_process';
import { rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';

/** The built program, as users run it. */
export const CLI = fileURLToPath(new URL('../../dist/cli.js', import.meta.url));

/** The program's private files are kept apart from the folders that tests look at. */
const STATE = path.join(tmpdir(), `venice-batch-tests-${process.pid}`);
process.once('exit', () => rmSync(STATE, { recursive: true, force: true }));

/** The longest that any command of these tests may take. */
const COMMAND_MS_MAX = 150_000;

export interface Ended {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly stdout: string;
  readonly stderr: string;
}

export interface Started {
  readonly child: ChildProcess;
  readonly ended: Promise<Ended>;
  /** Resolves when stdout or stderr so far match (with the first group, if any). Rejects if the program ends first. */
  seen(pattern: RegExp): Promise<string>;
  /** Kills it and everything it started, at once. */
  kill(): void;
}

export type Env = Readonly<Record<string, string>>;

export interface LaunchOptions {
  /** It is killed after this time. */
  readonly livesMsMax?: number;
  /** In a group of its own, so that its children are killed with it. */
  readonly group?: boolean;
  /** With a stdin to write to. */
  readonly typed?: boolean;
}

/** Nothing of the developer's own environment except the path. */
export function environmentOf(cwd: string, env: Env): Env {
  return { PATH: process.env.PATH ?? '', HOME: cwd, TMPDIR: cwd, XDG_STATE_HOME: STATE, ...env };
}

/** Starts a command. */
export function launch(
  command: readonly [string, ...string[]],
  cwd: string,
  env: Env = {},
  { livesMsMax = COMMAND_MS_MAX, group = false, typed = false }: LaunchOptions = {},
): Started {
  const [program, ...args] = command;
  const child = spawn(program, args, {
    cwd,
    env: environmentOf(cwd, env),
    stdio: [typed ? 'pipe' : 'ignore', 'pipe', 'pipe'],
    detached: group,
  });
  const kill = () => {
    if (group) killGroup(child);
    else child.kill('SIGKILL');
  };
  const timer = setTimeout(kill, livesMsMax);
  let stdout = '';
  let stderr = '';
  let over = false;
  const waiting = new Set<() => void>();
  const heard = () => {
    for (const look of waiting) look();
  };
  child.stdout!.setEncoding('utf8').on('data', (text: string) => {
    stdout += text;
    heard();
  });
  child.stderr!.setEncoding('utf8').on('data', (text: string) => {
    stderr += text;
    heard();
  });
  const ended = new Promise<Ended>((resolve, reject) => {
    child.on('error', reject);
    child.on('close', (code, signal) => {
      clearTimeout(timer);
      over = true;
      resolve({ code, signal, stdout, stderr });
      heard();
    });
  });
  const seen = (pattern: RegExp) =>
    new Promise<string>((resolve, reject) => {
      const look = () => {
        const found = pattern.exec(stdout) ?? pattern.exec(stderr);
        if (found) resolve(found[1] ?? found[0]);
        else if (over) reject(new Error(`ended without ${pattern}:\n${stdout}\n${stderr}`));
        else return;
        waiting.delete(look);
      };
      waiting.add(look);
      look();
    });
  return { child, ended, seen, kill };
}

/** Starts the built program. */
export function launchProgram(
  args: readonly string[],
  cwd: string,
  env: Env = {},
  options: LaunchOptions = {},
): Started {
  return launch([process.execPath, CLI, ...args], cwd, env, options);
}

/** Only before it is reaped: afterwards the number may be another process's. */
function killGroup(child: ChildProcess): void {
  if (child.pid === undefined || child.exitCode !== null || child.signalCode !== null) return;
  try {
    process.kill(-child.pid, 'SIGKILL');
  } catch {
    // It has just ended.
  }
}

/** The clock of a later run, by which a lost run has gone silent. */
export const TEN_MINUTES_LATER: Env = {
  NODE_OPTIONS: `--import data:text/javascript,${encodeURIComponent(
    'const now = Date.now; Date.now = () => now() + 600_000;',
  )}`,
};
