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
  /** Charges of the account so far, by the service's own billing history. */
  charges(): Promise<number>;
  stop(): void;
}

/**
 * Without its rate limit: many tests share it, and would wait for one another.
 *
 * @param more further flags of the `sandbox` command
 */
export async function launchService(
  cwd: string,
  speed: number,
  ...more: readonly string[]
): Promise<Service> {
  const args = ['sandbox', '--port', '0', '--sandbox-speed', String(speed), '--no-limit', ...more];
  const started = launchProgram(args, cwd, {}, { livesMsMax: SERVICE_MS_MAX });
  const url = await started.seen(/at (http:\S+)/);
  return {
    url,
    flags: ['--base-url', url],
    env: { VENICE_API_KEY: KEY },
    charges: () => countCharges(url),
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
