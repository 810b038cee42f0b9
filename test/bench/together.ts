/*
 * The built program four times at once on one manifest, each in its own empty folder, with a shared log in a folder:
 * how long they take compared to one alone, and how many 429s each gets. In real time, against the sandbox with today's
 * limits: 40 submits and 120 polls per minute and user, in no header.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { servedJobs } from '../kill/judge.js';

const CLI = fileURLToPath(new URL('../../dist/cli.js', import.meta.url));
const TRACKS = 100;
const JOBS = 4;
const RATIO_MAX = 1.1;

const root = mkdtempSync(path.join(os.tmpdir(), 'venice-batch-together-'));
const children = new Set<ChildProcess>();

function start(cwd: string, ...words: readonly string[]): ChildProcess {
  const { PATH } = process.env;
  const child = spawn(process.execPath, [CLI, ...words], {
    cwd,
    env: {
      PATH,
      HOME: cwd,
      TMPDIR: cwd,
      XDG_STATE_HOME: path.join(root, 'state'),
      VENICE_API_KEY: 'sandbox',
    },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  children.add(child);
  child.on('exit', () => children.delete(child));
  return child;
}

async function startSandbox(cwd: string): Promise<string> {
  const child = start(cwd, 'sandbox', '--port', '0', '--ledger', path.join(cwd, 'ledger'));
  child.stderr?.resume();
  for await (const line of createInterface({ input: child.stdout! })) {
    const url = /at (http:\S+)/.exec(line)?.[1];
    if (url === undefined) continue;
    child.stdout?.resume();
    return url;
  }
  throw new Error('the sandbox did not start');
}

function manifest(): string {
  const tracks = Array.from(
    { length: TRACKS },
    (_, at) => `  - { id: track-${at + 1}, prompt: "A short sound, number ${at + 1}" }`,
  );
  return `version: 1\ndefaults: { model: elevenlabs-sound-effects-v2, duration_seconds: 1 }\ntracks:\n${tracks.join('\n')}\n`;
}

/** @returns number of 429s */
async function runJob(cwd: string, url: string, share: string): Promise<number> {
  mkdirSync(cwd);
  writeFileSync(path.join(cwd, 'album.yaml'), manifest());
  const words = ['run', 'album.yaml', '--yes', '--budget', '20', '--state', `file://${share}`];
  const child = start(cwd, ...words, '--base-url', url, '--debug');
  const ended = new Promise<number | null>((resolve) => child.on('close', resolve));
  child.stdout?.resume();
  let refusals = 0;
  const last: string[] = [];
  for await (const line of createInterface({ input: child.stderr! })) {
    if (/#\d+ < 429 /.test(line)) refusals += 1;
    last.push(line);
    if (last.length > 10) last.shift();
  }
  const code = await ended;
  if (code !== 0) throw new Error(`a job ended with ${code}:\n${last.join('\n')}`);
  return refusals;
}

async function scene(jobs: number) {
  const cwd = path.join(root, `${jobs}`);
  const share = path.join(cwd, 'share');
  mkdirSync(share, { recursive: true });
  const url = await startSandbox(cwd);
  const startMs = performance.now();
  const refusals = await Promise.all(
    Array.from({ length: jobs }, (_, at) => runJob(path.join(cwd, `job-${at}`), url, share)),
  );
  const seconds = (performance.now() - startMs) / 1_000;
  return { seconds, refusals, charges: servedJobs(path.join(cwd, 'ledger'), '').length };
}

try {
  // At the same time, so that other load on the machine slows both down.
  const [one, four] = await Promise.all([scene(1), scene(JOBS)]);
  const ratio = four.seconds / one.seconds;
  console.log(`${TRACKS} tracks, the built program in real time`);
  console.log(`one job ${one.seconds.toFixed(0)} s, 429: ${one.refusals.join(' ')}`);
  console.log(
    `${JOBS} jobs ${four.seconds.toFixed(0)} s, 429: ${four.refusals.join(' ')}; ratio ${ratio.toFixed(3)}`,
  );
  for (const { charges } of [one, four])
    if (charges !== TRACKS) throw new Error(`${charges} charges for ${TRACKS} tracks`);
  if (ratio > RATIO_MAX || Math.max(...four.refusals) > 1) {
    console.log(`  MISSED: at most ${RATIO_MAX} of one job's time, and one answer of 429 for each job`);
    process.exitCode = 1;
  }
} finally {
  for (const child of children) child.kill('SIGKILL');
  rmSync(root, { recursive: true, force: true });
}
