import { type MeasuredJob, measure, startServer } from './processes.js';
import { printTable, type Target } from './verdict.js';

const TRACKS = 100;
const CONCURRENCY = 8;
const PER_MINUTE = 60;
/** Of the clock that service and client use. */
const FACTOR = 15;
const BYTES = 320_000;
/** Submit, one retrieve, clean-up. */
const REQUESTS_LEAST = 3;

/**
 * The built program compared to the loop that everyone writes (`createBare`), both against the simulated service with
 * 60 requests per minute in a fixed window, 20 failures that block the key, and run times with a median of 20 s. They
 * run at the same time, each with its own service, all on one clock that is faster than the system's.
 */
export async function besideTheSeed(folder: string): Promise<readonly Target[]> {
  const [seed, ours] = await Promise.all([once(folder, 'seed'), once(folder, 'ours')]);
  console.log(`\n${TRACKS} tracks, ${CONCURRENCY} at a time, ${PER_MINUTE} requests a minute, fast clock`);
  printTable(
    ['', 'wall', 'over the minimum', 'requests a track', '429', 'blocks of the key'],
    [row('the loop that everyone writes', seed), row('ours', ours)],
  );
  return [
    { what: 'fast clock: answers of 429', found: ours.tooMany, atMost: 0 },
    {
      what: 'fast clock: wall time, relative to the loop',
      found: ours.wallS / seed.wallS,
      atMost: 1 / 1.9,
    },
    {
      what: 'fast clock: requests, relative to the loop',
      found: ours.requests / seed.requests,
      atMost: 1 / 3,
    },
  ];
}

type Outcome = Awaited<ReturnType<typeof once>>;

async function once(folder: string, kind: MeasuredJob['kind']) {
  const epochMs = Date.now();
  const limits = { kind: 'window', perMinute: PER_MINUTE } as const;
  const clock = { epochMs, factor: FACTOR };
  const server = await startServer({ ...clock, limits, speed: 1, audioBytes: BYTES });
  try {
    const { url } = server;
    const job = { kind, url, folder, tracks: TRACKS, concurrency: CONCURRENCY, ...clock };
    const { wallMs } = await measure(job);
    const { requests, tooMany, blocks } = await server.figures();
    const wallS = (wallMs * TRACKS * FACTOR) / 1_000;
    const floorS = (REQUESTS_LEAST * TRACKS * 60) / PER_MINUTE;
    return { wallS, over: wallS / floorS, requests: requests / TRACKS, tooMany, blocks };
  } finally {
    server.close();
  }
}

function row(name: string, { wallS, over, requests, tooMany, blocks }: Outcome): string[] {
  return [
    name,
    `${wallS.toFixed(0)} s`,
    over.toFixed(2),
    requests.toFixed(2),
    String(tooMany),
    String(blocks),
  ];
}
