import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { unreachable } from '../../src/core/errors.js';
import { CLI, type Ended, type Env, launch, launchProgram } from '../e2e/launch.js';

/** When a run is killed. */
export type Way =
  /** Just before the nth call of a system call by one thread. Needs strace. */
  | { readonly kind: 'call'; readonly name: string; readonly nth: number }
  /** Some time after the nth event. */
  | { readonly kind: 'event'; readonly nth: number; readonly delayMs: number }
  | { readonly kind: 'time'; readonly afterMs: number };

export interface Killed {
  readonly ended: Ended;
  /** False if the run ended before that. */
  readonly reached: boolean;
}

/** Calls that change files or talk to the service. Those that a system lacks are left out. */
const CALLS = [
  'fsync',
  'fdatasync',
  'rename',
  'renameat',
  'renameat2',
  'link',
  'linkat',
  'unlink',
  'unlinkat',
  'mkdir',
  'mkdirat',
  'connect',
  'write',
  'writev',
  'pwrite64',
  'sendto',
  'sendmsg',
];

/** One thread for all file operations, so that the nth call is the same step in every run. */
const ONE_THREAD: Env = { UV_THREADPOOL_SIZE: '1' };

export function hasStrace(): boolean {
  try {
    execFileSync('strace', ['-f', '-qq', '-o', '/dev/null', process.execPath, '--version']);
    return true;
  } catch {
    return false;
  }
}

/** How often an undisturbed run makes each system call, in the thread that makes it most. */
export async function countCalls(
  args: readonly string[],
  cwd: string,
  env: Env,
): Promise<ReadonlyMap<string, number>> {
  const log = path.join(cwd, 'calls.log');
  await strace(['-o', log, '-e', `trace=${CALLS.map((name) => `?${name}`).join(',')}`], args, cwd, env).ended;
  const byThread = new Map<string, number>();
  const most = new Map<string, number>();
  for (const [, thread, name] of readFileSync(log, 'utf8').matchAll(/^(\d+)\s+(\w+)\(/gm)) {
    const count = (byThread.get(`${thread} ${name}`) ?? 0) + 1;
    byThread.set(`${thread} ${name}`, count);
    most.set(name!, Math.max(most.get(name!) ?? 0, count));
  }
  return most;
}

/** Runs the program and kills it at that moment. */
export async function runAndKill(way: Way, args: readonly string[], cwd: string, env: Env): Promise<Killed> {
  switch (way.kind) {
    case 'call': {
      const inject = `inject=${way.name}:signal=KILL:when=${way.nth}`;
      return killed(
        strace(['-o', '/dev/null', '-e', `trace=${way.name}`, '-e', inject], args, cwd, env).ended,
      );
    }
    case 'event': {
      const started = launchProgram([...args, '--events', 'ndjson'], cwd, env, { group: true });
      const reported = started.seen(new RegExp(`^(?:[^\\n]*\\n){${way.nth}}`)).catch(() => {});
      setTimeout(started.kill, (await reported) === undefined ? 0 : way.delayMs);
      return killed(started.ended);
    }
    case 'time': {
      const started = launchProgram(args, cwd, env, { group: true });
      setTimeout(started.kill, way.afterMs);
      return killed(started.ended);
    }
    default:
      return unreachable(way);
  }
}

export function nameOf(way: Way): string {
  return way.kind === 'call' ? way.name : way.kind;
}

export function describe(way: Way): string {
  switch (way.kind) {
    case 'call':
      return `${way.name} ${way.nth}`;
    case 'event':
      return `event ${way.nth} + ${way.delayMs} ms`;
    case 'time':
      return `${way.afterMs} ms`;
    default:
      return unreachable(way);
  }
}

/** No `--seccomp-bpf`: with it, calls are not counted, and only the first can be hit. */
function strace(flags: readonly string[], args: readonly string[], cwd: string, env: Env) {
  const command = ['-f', '-qq', ...flags, process.execPath, CLI, ...args];
  return launch(['strace', ...command], cwd, { ...env, ...ONE_THREAD }, { group: true });
}

async function killed(ended: Promise<Ended>): Promise<Killed> {
  const how = await ended;
  return { ended: how, reached: how.signal === 'SIGKILL' };
}
