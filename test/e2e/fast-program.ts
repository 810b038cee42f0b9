import { fileURLToPath } from 'node:url';
import { CLI, type Ended, launch } from './launch.js';

const PRELOADED = fileURLToPath(new URL('fast-clock.js', import.meta.url));
const FACTOR = 10;
const EPOCH_MS = Date.now();

/** The clock of `runFast`: ten times real time. */
export function fastNowMs(): number {
  return EPOCH_MS + (Date.now() - EPOCH_MS) * FACTOR;
}

/** Runs the built program by that clock, for at most this much of its own time. */
export function runFast(
  words: readonly string[],
  cwd: string,
  { url, ownMsMax }: { readonly url: string; readonly ownMsMax: number },
): Promise<Ended> {
  const env = { VENICE_API_KEY: 'VENICE_INFERENCE_KEY_x', FAST_CLOCK: `${EPOCH_MS}x${FACTOR}` };
  const command = [process.execPath, '--import', PRELOADED, CLI, ...words, '--base-url', url] as const;
  return launch(command, cwd, env, { livesMsMax: ownMsMax / FACTOR }).ended;
}
