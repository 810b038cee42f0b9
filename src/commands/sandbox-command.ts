import path from 'node:path';
import { BatchError, EXIT, type ExitCode, faultCode, usageError } from '../core/errors.js';
import { createClock } from '../node/clock.js';
import { systemRandom } from '../node/random.js';
import { type Flags, sandboxAsOf } from '../session/settings.js';
import { watchInterrupt } from './interrupt.js';

interface SandboxFlags extends Flags {
  readonly port: string;
  readonly ledger?: string;
  /** False with `--no-limit`. */
  readonly limit: boolean;
}

/** Serves the simulator on loopback until interrupted. */
export async function sandboxCommand(_subject: string, flags: SandboxFlags): Promise<ExitCode> {
  const port = /^\d{1,5}$/.test(flags.port) ? Number(flags.port) : Number.NaN;
  const speed = flags.sandboxSpeed === undefined ? 1 : Number(flags.sandboxSpeed);
  if (!(port <= 65_535))
    throw usageError(`--port takes a number from 0 to 65535: ${flags.port}`, 'write it like --port 8377');
  if (!(speed >= 0.01 && speed <= 100_000))
    throw usageError(
      `--sandbox-speed takes a number from 0.01 to 100000: ${flags.sandboxSpeed}`,
      'write it like --sandbox-speed 20',
    );
  const { sandboxAs: as } = sandboxAsOf(flags);
  const { openSandboxServer } = await import('../sandbox/server.js');
  let server: { url: string; close(): Promise<void> };
  try {
    server = await openSandboxServer({
      port,
      speed,
      clock: createClock(),
      random: systemRandom,
      limited: flags.limit,
      as,
      ...(flags.ledger === undefined ? {} : { directory: path.resolve(flags.ledger) }),
    });
  } catch (error) {
    throw new BatchError(
      'sandbox-port',
      `the sandbox cannot listen on port ${port} (${faultCode(error) || 'error'})`,
      {
        exitCode: EXIT.unavailable,
        hint: 'choose another --port, or a free one: venice-batch sandbox --port 0',
        cause: error,
      },
    );
  }
  process.stdout.write(
    `sandbox: a simulated Venice audio API, no real money, at ${server.url}\n` +
      `use it: VENICE_API_KEY=sandbox venice-batch run album.yaml --base-url ${server.url}\n`,
  );
  const interrupt = watchInterrupt(() => {});
  await new Promise<void>((resolve) =>
    interrupt.signal.addEventListener('abort', () => resolve(), { once: true }),
  );
  await server.close();
  interrupt.release();
  return EXIT.ok;
}
