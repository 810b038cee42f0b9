import type { S3Call } from '../../../src/shared-log/s3-client.js';
import { createRng, type Rng } from '../random.js';
import { CALM_RUN, calmRates, type RunDraw, type Scenario } from '../scenario.js';
import type { Incarnation } from '../world.js';

/**
 * What only few worlds of several machines have, because it takes several rare events in a row to matter. Each has a
 * stream of its own, so that other worlds stay as they are.
 */
export interface Hardships {
  /** The credentials of some runs do not allow writing audio, or expire before the run can write its outcomes to the log. */
  readonly refusals: { readonly audio: number; readonly log: number; readonly from: RegExp } | undefined;
  /** The service deletes finished audio after a day, and the user may not come back sooner. */
  readonly forgets: Rng | undefined;
  /** The user asks to buy failed takes again, or finished ones, and approves that long after the run has planned it. */
  readonly latePlans: Rng | undefined;
  /** The service deletes nothing, however often it is asked. */
  readonly endlessCleanUps: boolean;
  /** The user settles attempts by what the lockfile says before it is brought up to date. */
  readonly outdated: Rng | undefined;
  /** Copies of the log are damaged, and repaired without a backup. */
  readonly worn: Rng | undefined;
  /** Objects of the audio store are damaged. */
  readonly damages: Rng | undefined;
}

export const NO_HARDSHIPS: Hardships = {
  refusals: undefined,
  forgets: undefined,
  latePlans: undefined,
  endlessCleanUps: false,
  outdated: undefined,
  worn: undefined,
  damages: undefined,
};

export function drawHardships(seed: number): Hardships {
  const drawn = (name: string, share: number) => {
    const rng = createRng(seed, `fleet ${name}`);
    return rng.chance(share) ? rng : undefined;
  };
  const refused = drawn('refused audio', 0.05);
  const latePlans = drawn('late plans', 0.05);
  const outdated = drawn('outdated copies', 0.06);
  const damages = drawn('damaged audio', 0.06);
  const audio = refused === undefined ? 0 : 0.6;
  const log = outdated === undefined && latePlans === undefined ? 0 : 0.7;
  const from = outdated === undefined ? STORED : SUBMITTED;
  return {
    refusals: audio + log === 0 ? undefined : { audio, log, from },
    forgets: refused ?? latePlans,
    latePlans,
    endlessCleanUps: drawn('endless clean-ups', 0.03) !== undefined,
    outdated,
    worn: drawn('worn copies', 0.1),
    // Only what the service still has may be damaged: anything else would be lost.
    damages: (refused ?? latePlans) === undefined ? damages : undefined,
  };
}

/** The first record that cannot be written to the log. */
const SUBMITTED = /"state":"(?:queued|in_doubt)"/;
const STORED = /"state":"stored"/;

/** Lost responses, so that there is something to settle. */
export const LOST_SUBMITS = { requestLost: 0.3, answerLost: 0.3 };

export function withHardships(scenario: Scenario, hardships: Hardships): Scenario {
  const { forgets, latePlans, endlessCleanUps, outdated } = hardships;
  const isHard = forgets !== undefined || outdated !== undefined;
  return {
    ...scenario,
    ...(isHard ? { rounds: latePlans === undefined ? Math.max(2, scenario.rounds) : 1 } : {}),
    ...(isHard
      ? {
          disk: calmRates(scenario.disk),
          network: calmRates(scenario.network),
          server: calmRates(scenario.server),
        }
      : {}),
    ...(endlessCleanUps ? { server: { ...scenario.server, completeFalse: 1 } } : {}),
  };
}

/** Answers whether a request of this process is refused. */
export function createRefusals(seed: number, { refusals }: Hardships) {
  const drawn = new Map<Incarnation, { readonly audio: boolean; readonly log: boolean; begun: boolean }>();
  const drawnFor = (incarnation: Incarnation) => {
    const rng = createRng(seed, `refused ${incarnation.name}`);
    return {
      audio: rng.chance(refusals?.audio ?? 0),
      log: rng.chance(refusals?.log ?? 0),
      begun: false,
    };
  };
  return (incarnation: Incarnation, { method, key = '' }: S3Call, bytes: Uint8Array): boolean => {
    // What the user says reaches the log, or is refused.
    if (refusals === undefined || method !== 'PUT' || !incarnation.witness.buys) return false;
    const its = drawn.get(incarnation) ?? drawnFor(incarnation);
    drawn.set(incarnation, its);
    if (key.startsWith('audio/')) return its.audio;
    its.begun ||= its.log && refusals.from.test(Buffer.from(bytes).toString());
    return its.begun;
  };
}

const DAY_MS = 86_400_000;
export const KEPT_MS = DAY_MS;

/** How long the user stays away after a round. */
export function awayMs({ forgets }: Hardships): number {
  return forgets?.chance(0.6) ? forgets.between(DAY_MS, 2 * DAY_MS) : 0;
}

const THINK_MS = { low: 30_000, high: 900_000 };

/** A run whose plan is old when the user approves it. */
export function drawLatePlan(rng: Rng): RunDraw {
  const force = rng.chance(0.3);
  const thinkMs = rng.between(THINK_MS.low, THINK_MS.high);
  return { ...CALM_RUN, force, retryFailed: !force, thinkMs };
}
