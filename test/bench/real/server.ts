import { randomBytes } from 'node:crypto';
import type { LimitOptions } from '../../../src/sandbox/limits.js';
import { listen } from '../../../src/sandbox/server.js';
import { createService, type Service } from '../../../src/sandbox/service.js';
import type { AudioBody } from '../../../src/sandbox/service-response.js';
import { createScaledClock } from './scaled-clock.js';

/** Options of the simulated service. */
export interface ServerOptions {
  readonly epochMs: number;
  /** How much faster its clock runs. */
  readonly factor: number;
  readonly limits: LimitOptions;
  /** Divides the generation times. */
  readonly speed: number;
  readonly audioBytes: number;
}

/** What the service has seen so far. */
export interface ServerFigures {
  /** Submits, retrieves and clean-ups. */
  readonly requests: number;
  readonly tooMany: number;
  readonly blocks: number;
  /** How long each job ran, ms of the service's clock. */
  readonly runMs: readonly number[];
}

export type ServerQuestion =
  | { readonly kind: 'open'; readonly options: ServerOptions }
  | { readonly kind: 'figures' };

/** The length of every track: a file of another length than requested would be downloaded twice. */
const SECONDS = 1;

/** One WAV for all: the time that the service spends on audio is not measured. */
function wav(bytes: number): AudioBody {
  const rate = Math.floor((bytes - 44) / 2 / SECONDS);
  const whole = Buffer.alloc(bytes);
  whole.write('RIFF', 0, 'latin1');
  whole.writeUInt32LE(bytes - 8, 4);
  whole.write('WAVEfmt ', 8, 'latin1');
  whole.writeUInt32LE(16, 16);
  whole.writeUInt16LE(1, 20);
  whole.writeUInt16LE(1, 22);
  whole.writeUInt32LE(rate, 24);
  whole.writeUInt32LE(rate * 2, 28);
  whole.writeUInt16LE(2, 32);
  whole.writeUInt16LE(16, 34);
  whole.write('data', 36, 'latin1');
  whole.writeUInt32LE(bytes - 44, 40);
  randomBytes(bytes - 44).copy(whole, 44);
  return { bytes, chunks: () => [whole] };
}

const PACED = ['POST /audio/queue', 'POST /audio/retrieve', 'POST /audio/complete'];

function figuresOf({ counts, jobs }: Service): ServerFigures {
  const { requests, tooMany, blocks } = counts;
  return {
    requests: PACED.reduce((sum, name) => sum + (requests.get(name) ?? 0), 0),
    tooMany,
    blocks,
    runMs: [...jobs.values()].map((job) => job.runMs),
  };
}

async function open(options: ServerOptions): Promise<Service> {
  const audio = wav(options.audioBytes);
  const service = createService({
    random: Math.random,
    speed: options.speed,
    limits: options.limits,
    balanceUsd: 1_000_000,
    faults: { cleanUpFails: 0 },
    audio: () => audio,
  });
  const { url } = await listen(service, createScaledClock(options.epochMs, options.factor), 0);
  process.send?.({ url });
  return service;
}

let service: Promise<Service> | undefined;
process.on('disconnect', () => process.exit());
process.on('message', async (question: ServerQuestion) => {
  if (question.kind === 'open') service = open(question.options);
  else if (service !== undefined) process.send?.(figuresOf(await service));
});
