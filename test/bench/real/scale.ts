import { mkdtempSync, rmSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { type MeasuredFigures, type MeasuredJob, measure, startServer } from './processes.js';
import { judge, median, printTable } from './verdict.js';

/*
 * What a run costs this machine when nothing holds it back: the built program against the simulated service in
 * another process, without a request limit, with a clock that runs faster, so that the 2 s between two polls of a
 * job are 40 ms. Beside it a bare undici loop that makes the same requests and writes the same bytes, and does
 * nothing else. CPU is user and system time of the client's process.
 */

const FACTOR = 50;
const CONCURRENCY = 64;
/** Generation times of about a second of the clock: the first poll finds the audio, three requests a track. */
const SPEED = 20;
/** Until the code is compiled and the figures no longer fall. */
const WARM_UP_TRACKS = 2_000;
const ROUNDS = 3;
const BYTES = 100_000;
/** Where tens of thousands of files are written. */
const BYTES_MANY = 10_000;

// Kept to the end: file systems are slow for a while where many files were just removed.
const folder = mkdtempSync(path.join(os.tmpdir(), 'venice-batch-bench-'));

async function run(
  job: Pick<MeasuredJob, 'kind' | 'tracks'> & Partial<MeasuredJob>,
  audioBytes = BYTES,
): Promise<MeasuredFigures & { requests: number }> {
  const epochMs = Date.now();
  const server = await startServer({
    epochMs,
    factor: FACTOR,
    limits: { kind: 'none' },
    speed: SPEED,
    audioBytes,
  });
  try {
    const figures = await measure({
      url: server.url,
      folder,
      epochMs,
      factor: FACTOR,
      concurrency: CONCURRENCY,
      ...job,
    });
    const { requests, runMs } = await server.figures();
    return { ...figures, requests: requests / runMs.length };
  } finally {
    server.close();
  }
}

type Row = Awaited<ReturnType<typeof run>>;
const rows: string[][] = [];

function tell(name: string, tracks: number, figures: Row, over: number): void {
  rows.push([
    name,
    tracks.toLocaleString('en-US'),
    figures.requests.toFixed(2),
    (1_000 / figures.wallMs).toFixed(0),
    `${figures.cpuMs.toFixed(2)} ms`,
    over.toFixed(2),
    `${figures.rssMb.toFixed(0)} MB`,
  ]);
}

try {
  const bare: Row[] = [];
  const ours: Row[] = [];
  for (let round = 0; round < ROUNDS; round += 1) {
    const same = { tracks: 1_000, warmUpTracks: WARM_UP_TRACKS };
    bare.push(await run({ kind: 'bare', ...same }));
    ours.push(await run({ kind: 'ours', ...same, lockShare: true }));
  }
  const middle = (some: readonly Row[]) =>
    some.find(({ cpuMs }) => cpuMs === median(some.map((row) => row.cpuMs)))!;
  const [bareRow, oursRow] = [middle(bare), middle(ours)];
  tell('bare loop', 1_000, bareRow, 1);
  tell('ours', 1_000, oursRow, oursRow.cpuMs / bareRow.cpuMs);

  const few = await run({ kind: 'ours', tracks: 100, rounds: 10, warmUpTracks: WARM_UP_TRACKS }, BYTES_MANY);
  const many = await run({ kind: 'ours', tracks: 10_000, warmUpTracks: WARM_UP_TRACKS }, BYTES_MANY);
  const most = await run({ kind: 'ours', tracks: 20_000 }, BYTES_MANY);
  const bareMany = await run({ kind: 'bare', tracks: 10_000, warmUpTracks: WARM_UP_TRACKS }, BYTES_MANY);
  tell('bare loop, small files', 10_000, bareMany, 1);
  tell('ours, small files', 100, few, few.cpuMs / bareMany.cpuMs);
  tell('ours, small files', 10_000, many, many.cpuMs / bareMany.cpuMs);
  tell('ours, small files', 20_000, most, most.cpuMs / bareMany.cpuMs);
  printTable(['', 'tracks', 'requests', 'tracks/s', 'CPU a track', 'over bare', 'peak memory'], rows);

  judge([
    {
      what: 'CPU a track at 1,000 tracks, over the bare loop',
      found: oursRow.cpuMs / bareRow.cpuMs,
      atMost: 2,
    },
    { what: 'CPU a track at 10,000 tracks, over that at 100', found: many.cpuMs / few.cpuMs, atMost: 1.2 },
    { what: 'peak memory at 10,000 tracks', found: many.rssMb, atMost: 200, unit: ' MB' },
    { what: 'more memory at 20,000 tracks', found: most.rssMb - many.rssMb, atMost: 10, unit: ' MB' },
    {
      what: 'lockfile records, share of the CPU of a run',
      found:
        (100 * median(ours.map(({ lockCpuMs = 0 }) => lockCpuMs))) / median(ours.map(({ cpuMs }) => cpuMs)),
      atMost: 5,
      unit: ' %',
    },
  ]);
} finally {
  rmSync(folder, { recursive: true, force: true });
}
