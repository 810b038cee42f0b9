import type { Systems } from './machine.js';
import { drawSystems } from './machine.js';
import type { NetworkRates } from './network.js';
import type { CrashPoint } from './process.js';
import type { Rng } from './random.js';
import { drawRates } from './random.js';
import type { ServerRates } from './server.js';
import type { DiskRates } from './sim-files.js';

/** What a seed draws once: the world it plays in. */
export interface Scenario {
  /** How far the service answers as described in October 2026: see `Ways`. */
  readonly today: number;
  readonly disk: DiskRates;
  readonly network: NetworkRates;
  readonly server: ServerRates;
  readonly unframed: number;
  readonly thorough: boolean;
  readonly keep: boolean;
  /** Share of the list price of everything; absent: no budget. */
  readonly budgetShare: number | undefined;
  readonly balanceShare: number;
  /** Runs with faults, before the faults stop. */
  readonly rounds: number;
  readonly crashShare: number;
  readonly powerShare: number;
  /** Chance, between two runs, of each thing the user may do. */
  readonly meddling: number;
  readonly systems: Systems;
}

const DISK_FAULTS = ['ioError', 'full', 'readOnly', 'slow'] as const;
const NETWORK_FAULTS = [
  'noConnection',
  'requestLost',
  'answerLost',
  'proxyAnswers',
  'proxySpoils',
  'garbled',
  'bodyCut',
  'bodyStalls',
  'slow',
  'lateHeaders',
] as const;
const SERVER_FAULTS = [
  'jobFails',
  'shortLife',
  'slowJob',
  'rejects',
  'overloaded',
  'limitWindow',
  'authWindow',
  'stray404',
  'completeFalse',
  'corruptAudio',
  'otherForms',
  'priceChange',
] as const;

export const NO_DISK_FAULTS: DiskRates = { ioError: 0, full: 0, readOnly: 0, slow: 0 };

export function calmRates<Name extends string>(rates: Readonly<Record<Name, number>>): Record<Name, number> {
  return Object.fromEntries(Object.keys(rates).map((name) => [name, 0])) as Record<Name, number>;
}

/** @param pricesRng Separate, like waysRng, so that other seeds play as before. */
export function drawScenario(rng: Rng, pricesRng: Rng, waysRng: Rng): Scenario {
  return {
    today: waysRng.pick([0, 1, 1, waysRng.next()]),
    disk: drawRates(rng, DISK_FAULTS, { share: 0.2, low: 0.002, high: 0.1 }),
    network: drawRates(rng, NETWORK_FAULTS, { share: 0.3, low: 0.01, high: 0.5 }),
    server: {
      ...drawRates(rng, SERVER_FAULTS, { share: 0.25, low: 0.01, high: 0.5 }),
      ...drawRates(pricesRng, ['underQuotes'] as const, { share: 0.2, low: 0.01, high: 0.5 }),
      ...drawRates(waysRng, ['passing5xx'] as const, { share: 0.25, low: 0.05, high: 0.5 }),
    },
    unframed: rng.chance(0.3) ? rng.next() : 0,
    thorough: rng.chance(0.7),
    keep: rng.chance(0.1),
    budgetShare: rng.chance(0.5) ? undefined : rng.pick([0.5, 1, 1, 1.5, 3]),
    balanceShare: rng.chance(0.15) ? rng.next() : 100,
    rounds: rng.between(1, 4),
    crashShare: rng.pick([0, 0.5, 0.9, 1]),
    powerShare: rng.next(),
    meddling: restless(rng.chance(0.5) ? 0 : rng.next() * 0.3, waysRng),
    systems: drawSystems(rng),
  };
}

/** Some worlds are much busier than most, to show what only two rare events together cause. */
function restless(meddling: number, rng: Rng): number {
  return meddling > 0 && rng.chance(0.3) ? 0.3 + rng.next() * 0.6 : meddling;
}

/** How one run goes: when it is killed, suspended, asked to stop, or joined by a second one. */
export interface RunDraw {
  readonly crash: CrashPoint | undefined;
  readonly crashIsPower: boolean;
  /** First Ctrl-C after this time. */
  readonly stopAfterMs: number | undefined;
  readonly pause: { readonly afterMs: number; readonly forMs: number } | undefined;
  readonly secondAfterMs: number | undefined;
  readonly secondElsewhere: boolean;
  /** The operations of the run at which the lockfile is replaced or deleted, or the guard is deleted, from outside. */
  readonly tamperAt: readonly number[];
  /** From this operation on, the lockfile is put back or deleted as soon as that matters, and the run is killed. */
  readonly revertFrom: number | undefined;
  /** On the second machine. */
  readonly elsewhere: boolean;
  readonly container: boolean;
  readonly retryFailed: boolean;
  readonly force: boolean;
  readonly failFast: boolean;
  readonly detach: boolean;
  readonly timeoutMs: number | undefined;
  readonly concurrency: number | undefined;
  readonly otherKey: boolean;
  /** Buy one track only: the first, or the one at this index. */
  readonly only: boolean | number;
  readonly mode: 'run' | 'collect' | 'frozen';
  readonly declines: boolean;
  /** How long the user looks at the plan. */
  readonly thinkMs: number;
  readonly skewMs: number;
}

/** Most crashes come early in a run; late ones have to occur too. */
const OPERATIONS_MAX = { any: 500, names: 80 };

export function drawRun(rng: Rng, scenario: Scenario, crashRng: Rng): RunDraw {
  const crashes = rng.chance(scenario.crashShare);
  const sort = crashRng.chance(0.3) ? 'names' : 'any';
  const operation = Math.ceil(OPERATIONS_MAX[sort] ** rng.next());
  const meddles = () => rng.chance(scenario.meddling);
  const someMs = () => Math.ceil(300_000 ** rng.next());
  return {
    crash: crashes ? { operation, sort, after: rng.chance(0.5) } : undefined,
    crashIsPower: rng.chance(scenario.powerShare),
    stopAfterMs: meddles() ? someMs() : undefined,
    pause: meddles() ? { afterMs: someMs(), forMs: someMs() } : undefined,
    secondAfterMs: rng.chance(scenario.meddling * 1.5 + (scenario.systems.second ? 0.15 : 0))
      ? someMs()
      : undefined,
    secondElsewhere: rng.chance(0.7),
    tamperAt: meddles() ? [0, 1, 2, 3].map(() => rng.between(1, 250)) : [],
    revertFrom: crashRng.chance(scenario.meddling) ? crashRng.between(1, 100) : undefined,
    elsewhere: scenario.systems.second && rng.chance(0.4),
    container: scenario.systems.containers && rng.chance(0.7),
    retryFailed: meddles(),
    force: rng.chance(scenario.meddling / 2),
    failFast: meddles(),
    detach: meddles(),
    timeoutMs: meddles() ? someMs() : undefined,
    concurrency: meddles() ? rng.between(1, 3) : undefined,
    otherKey: rng.chance(scenario.meddling / 4),
    only: meddles(),
    mode: meddles() ? rng.pick(['collect', 'frozen']) : 'run',
    declines: rng.chance(scenario.meddling / 4),
    thinkMs: rng.chance(0.1) ? rng.between(60_000, 1_800_000) : rng.between(0, 20_000),
    skewMs: meddles() ? rng.between(-3_600_000, 3_600_000) : 0,
  };
}

export const CALM_RUN: RunDraw = {
  crash: undefined,
  crashIsPower: false,
  stopAfterMs: undefined,
  pause: undefined,
  secondAfterMs: undefined,
  secondElsewhere: false,
  tamperAt: [],
  revertFrom: undefined,
  elsewhere: false,
  container: false,
  retryFailed: false,
  force: false,
  failFast: false,
  detach: false,
  timeoutMs: undefined,
  concurrency: undefined,
  otherKey: false,
  only: false,
  mode: 'run',
  declines: false,
  thinkMs: 0,
  skewMs: 0,
};
