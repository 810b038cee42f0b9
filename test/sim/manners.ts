import type { TransportRequest } from '../../src/core/ports.js';
import type { Judge } from './judge.js';
import type { ServerAnswer } from './server.js';
import type { Incarnation } from './world.js';

/** How one run treats the service: the pauses it keeps, and the errors it causes. */
export interface Manners {
  sent(request: TransportRequest): void;
  /** Called when the service has answered. */
  handled(request: TransportRequest, answer: ServerAnswer): void;
  /** Called when the run has read that response to its end. */
  read(request: TransportRequest, answer: ServerAnswer): void;
}

/** The pause after a 429 without headers, minus what latency may hide. */
const PAUSE_MS = 59_000;
const ERRORS_WITHIN_MS = 30_000;
/** The lower of the two published limits. */
const ERRORS_MAX = 20;
const JOB_ROUTES: ReadonlySet<string> = new Set(['/audio/queue', '/audio/retrieve', '/audio/complete']);

export function createManners(incarnation: Incarnation, blame: Judge['blame'], nowMs: () => number): Manners {
  /** By route and model; cleared once the run's clock has jumped. */
  const pauses = new Map<string, { readonly untilMs: number; readonly leapMs: number }>();
  let errorsMs: number[] = [];
  const { name, buys } = incarnation.witness;
  const isJobs = ({ path }: TransportRequest) => buys && JOB_ROUTES.has(path);
  return {
    sent: (request) => {
      if (!isJobs(request)) return;
      const pause = pauses.get(keyOf(request));
      if (pause !== undefined && pause.leapMs === incarnation.leapMs && nowMs() < pause.untilMs)
        blame('P', `${name} asks ${keyOf(request)} ${Math.round(pause.untilMs - nowMs())} ms too early`);
    },
    handled: (request, { status }) => {
      if (!isJobs(request) || status < 400 || status >= 500 || status === 429) return;
      errorsMs = [...errorsMs.filter((ms) => ms > nowMs() - ERRORS_WITHIN_MS), nowMs()];
      if (errorsMs.length > ERRORS_MAX)
        blame('Q', `${name} caused ${errorsMs.length} answers of 4xx in 30 s`);
    },
    read: (request, answer) => {
      if (!isJobs(request) || !isUnstatedLimit(answer)) return;
      const { leapMs } = incarnation;
      pauses.set(keyOf(request), { untilMs: nowMs() + PAUSE_MS, leapMs });
    },
  };
}

/** A 429 about a limit, without a time. */
function isUnstatedLimit({ status, headers, body }: ServerAnswer): boolean {
  if (status !== 429 || Object.keys(headers).some((header) => header.startsWith('x-ratelimit'))) return false;
  return Buffer.from(body).toString().includes('Rate limit');
}

function keyOf({ path, body }: TransportRequest): string {
  const { model } = JSON.parse(body ?? '{}') as { model?: string };
  return `${path} ${model}`;
}
