import path from 'node:path';
import { createClock } from '../../src/node/clock.js';
import { systemRandom } from '../../src/node/random.js';
import { openSandboxServer } from '../../src/sandbox/server.js';
import { servedJobs } from '../kill/judge.js';
import { type Env, launchProgram } from './launch.js';

export const KEY = 'sandbox';

/** The longest that the tests of one file use a simulator. */
const SERVICE_MS_MAX = 10 * 60_000;

/** A simulator that outlives the program under test. */
export interface Service {
  readonly url: string;
  /** Flags and environment that point the program to it. */
  readonly flags: readonly string[];
  readonly env: Env;
  /** The folder in which the service keeps its jobs and charges. */
  readonly ledger: string;
  /** All jobs so far, each of them charged, including running ones, which the billing history does not list yet. */
  charges(): Promise<number>;
  /** Charges that the billing history lists. */
  chargesStated(): Promise<number>;
  stop(): void;
}

/** The simulator in this process, without its rate limit: many tests share it, and would slow each other down. */
export async function openService(cwd: string, speed: number): Promise<Service> {
  const directory = path.join(cwd, 'ledger');
  const options = { port: 0, speed, clock: createClock(), random: systemRandom, limited: false, directory };
  const { url, close } = await openSandboxServer(options);
  return serviceAt(url, directory, () => void close());
}

/** The same as `venice-batch sandbox`, in a process of its own. */
export async function launchService(cwd: string, speed: number): Promise<Service> {
  const ledger = path.join(cwd, 'ledger');
  const pace = ['--sandbox-speed', String(speed), '--no-limit'];
  const args = ['sandbox', '--port', '0', ...pace, '--ledger', ledger];
  const started = launchProgram(args, cwd, {}, { livesMsMax: SERVICE_MS_MAX });
  return serviceAt(await started.seen(/at (http:\S+)/), ledger, started.kill);
}

function serviceAt(url: string, ledger: string, stop: () => void): Service {
  return {
    url,
    flags: ['--base-url', url],
    env: { VENICE_API_KEY: KEY },
    ledger,
    charges: async () => servedJobs(ledger, '').length,
    chargesStated: () => countCharges(url),
    stop,
  };
}

const PAGE = 1_000;

async function countCharges(url: string): Promise<number> {
  const answer = await fetch(`${url}/billing/usage-history?pageSize=${PAGE}`, {
    headers: { authorization: `Bearer ${KEY}` },
  });
  const { data } = (await answer.json()) as { data: { amount: number }[] };
  if (data.length >= PAGE) throw new Error('more charges than one page holds');
  return data.filter(({ amount }) => amount < 0).length;
}
