import { type ChildProcess, execFile, fork } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import type { Figures as MeasuredFigures, Job as MeasuredJob } from './measured.js';
import type { ServerFigures, ServerOptions } from './server.js';

export type { MeasuredFigures, MeasuredJob };

const CHILD_MS_MAX = 15 * 60_000;

/** In a process of its own, without this one's loader. */
export async function measure(job: MeasuredJob): Promise<MeasuredFigures> {
  const program = fileURLToPath(new URL('measured.js', import.meta.url));
  const { stdout } = await promisify(execFile)(process.execPath, [program, JSON.stringify(job)], {
    timeout: CHILD_MS_MAX,
  });
  return JSON.parse(stdout.trim().split('\n').at(-1) ?? '') as MeasuredFigures;
}

export interface BenchServer {
  readonly url: string;
  figures(): Promise<ServerFigures>;
  close(): void;
}

/** The simulated service in a process of its own, so that its work is not counted as the client's. */
export async function startServer(options: ServerOptions): Promise<BenchServer> {
  const child = fork(fileURLToPath(new URL('server.ts', import.meta.url)));
  child.send({ kind: 'open', options });
  const { url } = await answer<{ url: string }>(child);
  return {
    url,
    figures: () => {
      child.send({ kind: 'figures' });
      return answer<ServerFigures>(child);
    },
    close: () => child.disconnect(),
  };
}

async function answer<T>(child: ChildProcess): Promise<T> {
  const ended = once(child, 'exit').then(([code]) => {
    throw new Error(`the bench server ended with ${code}`);
  });
  const [message] = await Promise.race([once(child, 'message'), ended]);
  return message as T;
}
