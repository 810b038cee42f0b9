import { spawn } from 'node:child_process';
import type { Git, GitAnswer } from '../core/ports.js';

const STDERR_LENGTH_MAX = 64 * 1024;

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

export const systemGit: Git = (words, { folder, stdin, deadlineMs }) =>
  new Promise((resolve) => {
    const own = {
      LC_ALL: 'C',
      GIT_TERMINAL_PROMPT: '0',
      GIT_SSH_COMMAND: process.env.GIT_SSH_COMMAND ?? 'ssh -o BatchMode=yes',
    };
    const child = spawn('git', [...QUIET, ...words], {
      cwd: folder,
      env: { ...process.env, ...Object.fromEntries(ELSEWHERE.map((name) => [name, undefined])), ...own },
      stdio: ['pipe', 'pipe', 'pipe'],
    });
    const pieces: Buffer[] = [];
    let stderr = '';
    const timer = setTimeout(() => child.kill('SIGKILL'), deadlineMs);
    const answer = (code: number | undefined, more = ''): void => {
      clearTimeout(timer);
      resolve({ code, stdout: Buffer.concat(pieces), stderr: stderr + more } satisfies GitAnswer);
    };
    child.stdout.on('data', (piece: Buffer) => pieces.push(piece));
    child.stderr.on('data', (piece: Buffer) => {
      if (stderr.length < STDERR_LENGTH_MAX) stderr += piece.toString();
    });
    child.on('error', (error) => answer(undefined, error.message));
    child.on('close', (code) => answer(code ?? undefined));
    // It may exit before reading everything.
    child.stdin.on('error', () => {});
    child.stdin.end(stdin);
  });
