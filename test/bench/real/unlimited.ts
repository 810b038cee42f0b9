import { type MeasuredFigures, type MeasuredJob, measure, startServer } from './processes.js';
import { median, printTable, type Target } from './verdict.js';

const FACTOR = 50;
const CONCURRENCY = 64;
/** Generation takes about a second of the clock: the first poll finds the audio, so three requests per track. */
const SPEED = 20;
/** Until the code is compiled and the figures are stable. */
const WARM_UP_TRACKS = 1_000;
const ROUNDS = 5;
/** 20 s of MP3 at 128 kbit/s. */
const BYTES = 320_000;
/** For tens of thousands of files; and the same audio ten times as long. */
const BYTES_SHORT = 10_000;
const BYTES_LONG = 10 * BYTES_SHORT;

type Row = MeasuredFigures & { readonly name: string; readonly tracks: number; readonly requests: number };

/**
 * What a run costs this machine if nothing limits it: the built program against the simulated service in another
 * process, without a request limit, on a fast clock, so that the 2 s between two polls of a job are 40 ms. Compared to
 * a bare undici loop that makes the same requests and writes the same bytes, without records, syncs, hashes or checks.
 *
 * The cost of the lockfile's records is the difference to a run that appends and syncs them to nowhere; the two
 * alternate. (At 60 requests per minute the disk is idle, and they cost no time at all.)
 *
 * CPU is user and system time of the client's process, for whole runs (manifest, plan, lockfile, progress lines) in a
 * process that has made `WARM_UP_TRACKS` before: start-up and compilation are not counted.
 */
export async function withoutLimit(folder: string): Promise<readonly Target[]> {
  const side = await besideBare(folder);
  const grown = await atScale(folder);
  console.log(`\nWithout a request limit, ${CONCURRENCY} at a time; CPU of the client only, warmed up`);
  console.log(`Files of ${BYTES / 1_000} KB, median of ${ROUNDS}`);
  printRows(side.rows, side.bare);
  console.log(`Files of ${BYTES_SHORT / 1_000} KB`);
  printRows(grown.rows, grown.bare);
  return [...side.targets, ...grown.targets];
}

async function besideBare(folder: string) {
  const bares: Row[] = [];
  const all: Row[] = [];
  const lost: Row[] = [];
  for (let round = 0; round < ROUNDS; round += 1) {
    const job = { folder, tracks: 1_000, warmUpTracks: WARM_UP_TRACKS };
    bares.push(await run('bare loop', { kind: 'bare', ...job }, BYTES));
    all.push(await run('ours', { kind: 'ours', ...job }, BYTES));
    lost.push(await run('ours, records discarded', { kind: 'ours', ...job, lostJournal: true }, BYTES));
  }
  const [bare, ours, without] = [middle(bares), middle(all), middle(lost)];
  const share = median(all.map(({ wallMs }, round) => 100 * (1 - lost[round]!.wallMs / wallMs)));
  const over = median(all.map(({ cpuMs }, round) => cpuMs / bares[round]!.cpuMs));
  return {
    rows: [bare, ours, without],
    bare,
    targets: [
      { what: 'CPU per track at 1,000 tracks, relative to the bare loop', found: over, atMost: 2 },
      { what: 'lockfile records, share of the run time', found: share, atMost: 5, unit: ' %' },
    ],
  };
}

async function atScale(folder: string) {
  const warm = { kind: 'ours', folder, warmUpTracks: WARM_UP_TRACKS } as const;
  // So few tracks that compilation would count: warmed up for longer.
  const few = await run('ours', { ...warm, warmUpTracks: 5_000, tracks: 100, rounds: 20 }, BYTES_SHORT);
  const album = await run('ours', { ...warm, tracks: 5_000 }, BYTES_SHORT);
  const long = await run('ours, ten times the audio', { ...warm, tracks: 5_000 }, BYTES_LONG);
  const many = await run('ours', { ...warm, tracks: 10_000 }, BYTES_SHORT);
  const most = await run('ours', { ...warm, tracks: 20_000, warmUpTracks: 0 }, BYTES_SHORT);
  const bare = await run('bare loop', { ...warm, kind: 'bare', tracks: 10_000 }, BYTES_SHORT);
  return {
    rows: [bare, few, album, long, many, most],
    bare,
    targets: [
      { what: 'CPU per track at 5,000 tracks, relative to 100', found: album.cpuMs / few.cpuMs, atMost: 1.5 },
      { what: 'CPU per track at 10,000 tracks, relative to 100', found: many.cpuMs / few.cpuMs, atMost: 1.2 },
      {
        what: 'more memory for ten times the audio, 5,000 tracks',
        found: long.rssMb - album.rssMb,
        atMost: 10,
        unit: ' MB',
      },
      { what: 'peak memory at 10,000 tracks', found: many.rssMb, atMost: 200, unit: ' MB' },
      { what: 'more memory at 20,000 tracks', found: most.rssMb - many.rssMb, atMost: 10, unit: ' MB' },
    ],
  };
}

type Job = Pick<MeasuredJob, 'kind' | 'folder' | 'tracks' | 'rounds' | 'warmUpTracks' | 'lostJournal'>;

async function run(name: string, job: Job, audioBytes: number): Promise<Row> {
  const clock = { epochMs: Date.now(), factor: FACTOR };
  const server = await startServer({ ...clock, limits: { kind: 'none' }, speed: SPEED, audioBytes });
  try {
    const figures = await measure({ url: server.url, concurrency: CONCURRENCY, ...clock, ...job });
    const { requests, runMs } = await server.figures();
    return { ...figures, name, tracks: job.tracks, requests: requests / runMs.length };
  } finally {
    server.close();
  }
}

function middle(rows: readonly Row[]): Row {
  const cpuMs = median(rows.map((row) => row.cpuMs));
  return rows.find((row) => row.cpuMs === cpuMs)!;
}

function printRows(rows: readonly Row[], bare: Row): void {
  printTable(
    ['', 'tracks', 'requests a track', 'tracks/s', 'CPU a track', 'over bare', 'peak memory'],
    rows.map(({ name, tracks, requests, wallMs, cpuMs, rssMb }) => [
      name,
      tracks.toLocaleString('en-US'),
      requests.toFixed(2),
      (1_000 / wallMs).toFixed(0),
      `${cpuMs.toFixed(2)} ms`,
      (cpuMs / bare.cpuMs).toFixed(2),
      `${rssMb.toFixed(0)} MB`,
    ]),
  );
}
