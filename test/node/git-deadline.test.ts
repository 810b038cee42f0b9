import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, realpathSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type IncomingMessage, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import { startDeadline } from '../../src/node/deadline.js';
import { createGit, systemGit } from '../../src/node/git.js';

const CHILD = fileURLToPath(new URL('./git-child.ts', import.meta.url));
const root = realpathSync(mkdtempSync(path.join(tmpdir(), 'venice-batch-git-')));
const program = execFileSync('sh', ['-c', 'command -v git'], { encoding: 'utf8' }).trim();

/** Accepts each request and never answers. */
let silent: Server;
let url = '';

beforeAll(async () => {
  silent = createServer();
  await once(silent.listen(0, '127.0.0.1'), 'listening');
  url = `http://127.0.0.1:${(silent.address() as AddressInfo).port}/album.git`;
});
afterAll(() => {
  silent.closeAllConnections();
  silent.close();
  rmSync(root, { recursive: true, force: true });
});
beforeEach(() => {
  script('git', `echo $$ >'${path.join(root, 'pid')}'\nexec '${program}' "$@"`);
  vi.stubEnv('PATH', `${root}:${process.env.PATH}`);
});
afterEach(() => {
  vi.unstubAllEnvs();
});

function script(name: string, text: string): string {
  const file = path.join(root, name);
  writeFileSync(file, `#!/bin/sh\n${text}\n`, { mode: 0o755 });
  return file;
}

const pidIn = (name: string) => Number.parseInt(readFileSync(path.join(root, name), 'utf8'), 10);

/** Names of the processes that git started, and its own, without those that have ended and whose parent has not noticed yet. */
function inGroupOfGit(): readonly string[] {
  const lines = execFileSync('ps', ['-A', '-o', 'pgid=,stat=,comm='], { encoding: 'utf8' }).split('\n');
  const rows = lines.map((line) => line.trim().split(/\s+/));
  return rows
    .filter(([group, state]) => group === `${pidIn('pid')}` && !state!.startsWith('Z'))
    .map(([, , name]) => name!);
}

async function nextRequest(): Promise<{ ended: Promise<unknown> }> {
  const [{ socket }] = (await once(silent, 'request')) as [IncomingMessage];
  return { ended: once(socket, 'close') };
}

/** Deadlines that pass when the test says so. */
function deadlines() {
  const all: { readonly delayMs: number; pass(): void }[] = [];
  const start: typeof startDeadline = (delayMs, late) => {
    const deadline = startDeadline(1_000_000, late);
    all.push({ delayMs, pass: late });
    return deadline;
  };
  return { all, start };
}

describe('a remote that is silent', () => {
  it('is answered at the deadline, and nothing that git started is left', async () => {
    const { all, start } = deadlines();
    const requested = nextRequest();
    const answer = createGit(start)(['ls-remote', url], { folder: root, deadlineMs: 120_000 });
    const request = await requested;
    expect(inGroupOfGit().length).toBeGreaterThan(1);
    expect(all.map(({ delayMs }) => delayMs)).toEqual([120_000]);
    all[0]!.pass();
    expect(await answer).toMatchObject({ code: undefined, stderr: '' });
    await request.ended;
    await vi.waitFor(() => expect(inGroupOfGit()).toEqual([]), { timeout: 60_000 });
  });

  it('is no longer waited for once the caller says so', async () => {
    const requested = nextRequest();
    const over = new AbortController();
    const options = { folder: root, deadlineMs: 1_000_000, signal: over.signal };
    const answer = systemGit(['ls-remote', url], options);
    const request = await requested;
    over.abort();
    expect(await answer).toMatchObject({ code: undefined });
    await request.ended;
    await vi.waitFor(() => expect(inGroupOfGit()).toEqual([]), { timeout: 60_000 });
    expect(await systemGit(['ls-remote', url], options)).toMatchObject({ code: undefined });
  });

  it('does not keep git running when the program exits', async () => {
    const requested = nextRequest();
    const child = spawn(process.execPath, ['--import', 'tsx', CHILD], {
      env: { ...process.env, URL_OF_REMOTE: url },
      stdio: ['pipe', 'pipe', 'inherit'],
    });
    const exited = once(child, 'exit');
    const request = await requested;
    child.stdin.end();
    expect(await exited).toEqual([130, null]);
    await request.ended;
    await vi.waitFor(() => expect(inGroupOfGit()).toEqual([]), { timeout: 60_000 });
  });
});

describe('a process that git leaves behind', () => {
  const LEFT = `sleep 1000 </dev/null >/dev/null &\necho $! >'${path.join(root, 'left')}'`;

  afterEach(() => process.kill(pidIn('left'), 'SIGKILL'));

  it('does not delay the answer by holding stderr, and is not ended', async () => {
    script('git', `${LEFT}\necho answered\necho why >&2\nexit 3`);
    const { code, stdout, stderr } = await systemGit(['push'], { folder: root, deadlineMs: 60_000 });
    expect({ code, stdout: stdout.toString(), stderr }).toEqual({
      code: 3,
      stdout: 'answered\n',
      stderr: 'why\n',
    });
    expect(process.kill(pidIn('left'), 0)).toBe(true);
  });

  it('may be the ssh that stays for the next connection', async () => {
    const remote = path.join(root, 'remote.git');
    execFileSync(program, ['init', '--quiet', '--bare', remote]);
    const ssh = script('ssh', `${LEFT}\nwhile [ $# -gt 1 ]; do shift; done\nexec sh -c "$1"`);
    vi.stubEnv('GIT_SSH_COMMAND', `'${ssh}'`);
    vi.stubEnv('GIT_SSH_VARIANT', 'simple');
    const address = `host:${remote}`;
    const asked = systemGit(['ls-remote', address], { folder: root, deadlineMs: 60_000 });
    expect(await asked).toMatchObject({ code: 0, stderr: '' });
    expect(process.kill(pidIn('left'), 0)).toBe(true);
  });
});
