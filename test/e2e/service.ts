import path from 'node:path';
import { servedJobs } from '../kill/judge.js';
import { type Env, launchProgram } from './launch.js';

export const KEY = 'sandbox';

/** The simulator lives as long as the tests of a file. */
const SERVICE_MS_MAX = 10 * 60_000;

/** The simulator, in a process of its own: it outlives the program under test. */
export interface Service {
  readonly url: string;
  /** Flags and environment that send the program there. */
  readonly flags: readonly string[];
  readonly env: Env;
  /** The folder of what the service itself knows. */
  readonly ledger: string;
  /** Jobs so far, each of which is charged: those too that still run, of which the billing history does not tell yet. */
  charges(): Promise<number>;
  /** Charges of the account so far, by the billing history. */
  chargesStated(): Promise<number>;
  stop(): void;
}

/** Without its rate limit: many tests share it, and would wait for one another. */
export async function launchService(cwd: string, speed: number): Promise<Service> {
  const ledger = path.join(cwd, 'ledger');
  const pace = ['--sandbox-speed', String(speed), '--no-limit'];
  const args = ['sandbox', '--port', '0', ...pace, '--ledger', ledger];
  const started = launchProgram(args, cwd, {}, { livesMsMax: SERVICE_MS_MAX });
  const url = await started.seen(/at (http:\S+)/);
  return {
    url,
    flags: ['--base-url', url],
    env: { VENICE_API_KEY: KEY },
    ledger,
    charges: async () => servedJobs(ledger, '').length,
    chargesStated: () => countCharges(url),
    stop: () => started.kill(),
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
