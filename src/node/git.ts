import { type ChildProcess, type ChildProcessWithoutNullStreams, spawn } from 'node:child_process';
import type { Git, GitAnswer } from '../core/ports.js';
import { startDeadline } from './deadline.js';

const STDERR_LENGTH_MAX = 64 * 1024;
/**
 * How long to read stderr after git has ended. What git wrote is there at once, but what it started may keep stderr open:
 * the `ssh` that stays for the next connection (`ControlPersist`).
 */
const MESSAGES_MS = 500;
/**
 * With a group of processes per command, all of them can be ended. Windows has none. At a terminal there is none either:
 * a command of the user's for ssh or credentials could not ask there.
 */
const HAS_GROUPS = process.platform !== 'win32' && process.stdin.isTTY !== true;

/**
 * Settings that would prompt, sign, translate or do more than requested; and the settings of a bare repository among the
 * files of a checkout, which may name programs to run.
 */
const QUIET = [
  '-c',
  'safe.bareRepository=explicit',
  '-c',
  'core.hooksPath=/dev/null',
  '-c',
  'gc.auto=0',
  '-c',
  'maintenance.auto=false',
  '-c',
  'push.followTags=false',
  '-c',
  'push.gpgSign=false',
  '-c',
  'push.recurseSubmodules=no',
  '-c',
  'fetch.recurseSubmodules=no',
];

/**
 * Variables that name a repository, or a part of it that git would use instead: the log is in the repository of the
 * folder. A hook sets some of them. Source: `git rev-parse --local-env-vars`, without what only sets configuration, and
 * `GIT_NAMESPACE`.
 */
const ELSEWHERE = [
  ...['GIT_DIR', 'GIT_COMMON_DIR', 'GIT_WORK_TREE', 'GIT_IMPLICIT_WORK_TREE', 'GIT_INDEX_FILE', 'GIT_PREFIX'],
  ...['GIT_OBJECT_DIRECTORY', 'GIT_ALTERNATE_OBJECT_DIRECTORIES', 'GIT_NAMESPACE', 'GIT_SHALLOW_FILE'],
  ...['GIT_GRAFT_FILE', 'GIT_REPLACE_REF_BASE', 'GIT_NO_REPLACE_OBJECTS', 'GIT_INTERNAL_SUPER_PREFIX'],
];

/** Gits without an answer yet. */
const running = new Set<ChildProcess>();

// As they are in groups apart, the Ctrl-C of a terminal does not reach them.
process.on('exit', () => {
  for (const child of running) end(child, 'SIGTERM');
});

export const systemGit = createGit(startDeadline);

/** @param start for tests: starts the deadline of a command, and the one of messages that come after its end */
export function createGit(start: typeof startDeadline): Git {
  return (words, { folder, stdin, deadlineMs, signal }) =>
    new Promise((resolve) => {
      const child = startGit(words, folder);
      running.add(child);
      const pieces: Buffer[] = [];
      let stderr = '';
      const giveUp = (): void => {
        end(child, 'SIGKILL');
        answer(undefined);
      };
      let deadline = start(deadlineMs, giveUp);
      const answer = (code: number | null | undefined, more = ''): void => {
        running.delete(child);
        deadline.off();
        signal?.removeEventListener('abort', giveUp);
        // What git started may keep them open, and this process would not end.
        for (const stream of child.stdio) stream?.destroy();
        child.unref();
        resolve({
          code: code ?? undefined,
          stdout: Buffer.concat(pieces),
          stderr: stderr + more,
        } satisfies GitAnswer);
      };
      const awaitMessages = (): void => {
        const hasEnded = child.exitCode !== null || child.signalCode !== null;
        if (!running.has(child) || !hasEnded || !child.stdout.readableEnded) return;
        deadline.off();
        deadline = start(MESSAGES_MS, () => answer(child.exitCode));
      };
      child.stdout.on('data', (piece: Buffer) => pieces.push(piece));
      child.stderr.on('data', (piece: Buffer) => {
        if (stderr.length < STDERR_LENGTH_MAX) stderr += piece.toString();
      });
      child.stdout.on('end', awaitMessages);
      child.on('exit', awaitMessages);
      child.on('error', (error) => answer(undefined, error.message));
      child.on('close', (code) => answer(code));
      // It may exit before reading everything.
      child.stdin.on('error', () => {});
      child.stdin.end(stdin);
      if (signal?.aborted === true) giveUp();
      else signal?.addEventListener('abort', giveUp);
    });
}

function startGit(words: readonly string[], folder: string): ChildProcessWithoutNullStreams {
  const own = {
    LC_ALL: 'C',
    GIT_TERMINAL_PROMPT: '0',
    GIT_SSH_COMMAND: process.env.GIT_SSH_COMMAND ?? 'ssh -o BatchMode=yes',
  };
  return spawn('git', [...QUIET, ...words], {
    cwd: folder,
    env: { ...process.env, ...Object.fromEntries(ELSEWHERE.map((name) => [name, undefined])), ...own },
    stdio: ['pipe', 'pipe', 'pipe'],
    detached: HAS_GROUPS,
  });
}

/** Ends git, and what it has started: `git-remote-https` and `ssh` would keep running. */
function end(child: ChildProcess, signal: 'SIGKILL' | 'SIGTERM'): void {
  if (child.pid === undefined) return;
  try {
    if (HAS_GROUPS) process.kill(-child.pid, signal);
    else child.kill(signal);
  } catch {
    // They have ended already.
  }
}
