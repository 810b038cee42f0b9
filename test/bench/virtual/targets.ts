import type { Outcome } from './cell.js';
import type { PolicyName } from './policies.js';

/** Finds an outcome; throws if no table has the name. */
export type Find = (table: string, concurrency: number, policy?: PolicyName) => Outcome;

export interface Target {
  readonly says: string;
  readonly value: number;
  readonly bound: number;
  readonly atLeast?: boolean;
}

const WIDTHS = [4, 8, 16, 64, 0];

export function isMet({ value, bound, atLeast }: Target): boolean {
  return atLeast === true ? value >= bound : value <= bound;
}

export function nameOf(concurrency: number): string {
  return concurrency === 0 ? 'none' : String(concurrency);
}

const TODAY = '40 submits and 120 polls a minute';

/** Targets under today's limits. */
export function routeTargetsOf(find: Find): readonly Target[] {
  const cells = [
    ...[10, 80, 100, 1_000].map((tracks) => `ln20, ${tracks} tracks, ${TODAY}`),
    `ln45, 1000 tracks, ${TODAY}`,
    `bimodal, 1000 tracks, ${TODAY}`,
    `ln20, 1000 tracks, ${TODAY}, a sliding minute`,
  ].flatMap((name) => WIDTHS.map((width) => find(name, width)));
  return [
    {
      says: `ln20, 1000 tracks, ${TODAY}, C=none: makespan over the lower bound`,
      value: find(`ln20, 1000 tracks, ${TODAY}`, 0).ratio,
      bound: 1.03,
    },
    {
      says: `ln20, 80 tracks, ${TODAY}, C=none: makespan over the lower bound`,
      value: find(`ln20, 80 tracks, ${TODAY}`, 0).ratio,
      bound: 1.15,
    },
    {
      says: `${TODAY}: answers of 429 in any cell, as a mean of its runs`,
      value: cells.reduce((most, { refusals }) => Math.max(most, refusals), 0),
      bound: 1,
    },
  ];
}

/** Targets if one limit holds for all requests of a model. */
export function targetsOf(find: Find, ours: readonly Outcome[], costUs: number): readonly Target[] {
  return [
    ...makespans(find, 'ln20, 1000 tracks, 60 a minute', [1.12, 1.2, 1.06, 1.03, 1.03]),
    ...makespans(find, 'ln45, 1000 tracks, 60 a minute', [1.07, 1.12, 1.3, 1.07, 1.07]),
    ...[64, 0].map((width) => ({
      says: `ln20, 10000 tracks, C=${nameOf(width)}: makespan over bound`,
      value: find('ln20, 10000 tracks, 60 a minute', width).ratio,
      bound: 1.01,
    })),
    ...WIDTHS.map((width) => ({
      says: `ln20, 100 tracks, C=${nameOf(width)}: makespan over the oracle's`,
      value:
        find('ln20, 100 tracks, 60 a minute', width).makespanMs /
        find('ln20, 100 tracks, 60 a minute', width, 'oracle').makespanMs,
      bound: 1.2,
    })),
    ...requests(find),
    {
      says: 'answers of 429 in windows of 60 and 120 and in a token bucket of 60, all cells together',
      value: ours.reduce((sum, outcome) => sum + outcome.refusals, 0),
      bound: 0,
    },
    ...others(find),
    ...naive(find),
    ...wrong(find),
    ...unlimited(find),
    { says: 'scheduler at 10000 tracks, microseconds per request', value: costUs, bound: 100 },
  ];
}

function makespans(find: Find, table: string, bounds: readonly number[]): readonly Target[] {
  return WIDTHS.map((width, place) => ({
    says: `${table}, C=${nameOf(width)}: makespan over bound`,
    value: find(table, width).ratio,
    bound: bounds[place]!,
  }));
}

/** With as many jobs in flight as the budget can collect: 14 of 20 s, 40 of 45 s. */
function requests(find: Find): readonly Target[] {
  const cells = [
    ...[16, 64, 0].map((width) => ['ln20, 1000 tracks, 60 a minute', width] as const),
    ...[64, 0].map((width) => ['ln45, 1000 tracks, 60 a minute', width] as const),
    ...[16, 64, 0].map((width) => ['ln20, 10000 tracks, 60 a minute', width] as const),
  ];
  return cells.map(([table, width]) => ({
    says: `${table}, C=${nameOf(width)}: requests a track`,
    value: find(table, width).requestsPerTrack,
    bound: 3.1,
  }));
}

function others(find: Find): readonly Target[] {
  const tables = [
    'ln20, 1000 tracks, 60 a minute, another client takes 20 a minute',
    'ln20, 200 tracks, 60 a minute, another client takes 50 a minute',
  ];
  return tables.flatMap((table) =>
    [4, 16, 0].flatMap((width) => [
      {
        says: `${table}, C=${nameOf(width)}: 429 in any window`,
        value: find(table, width).refusalsInWindowMax,
        bound: 3,
      },
      { says: `${table}, C=${nameOf(width)}: blocked`, value: find(table, width).blocks, bound: 0 },
    ]),
  );
}

function naive(find: Find): readonly Target[] {
  const table = 'ln20, 1000 tracks, 60 a minute';
  const [loop, ours] = [find(table, 8, 'every 3 s'), find(table, 8)];
  return [
    {
      says: 'C=8: faster than polling every 3 s, times',
      value: loop.makespanMs / ours.makespanMs,
      bound: 1.9,
      atLeast: true,
    },
    {
      says: 'C=8: requests, as a share of polling every 3 s',
      value: ours.requestsPerTrack / loop.requestsPerTrack,
      bound: 1 / 3,
    },
  ];
}

function wrong(find: Find): readonly Target[] {
  return ['ln20', 'ln45'].flatMap((law) =>
    ['high', 'low'].flatMap((way) =>
      WIDTHS.map((width) => {
        const table = `${law}, 1000 tracks, 60 a minute`;
        return {
          says: `${law}, 1000 tracks, C=${nameOf(width)}: makespan over bound lost by a P80 twice too ${way}`,
          value: find(`${table}, P80 reported twice too ${way}`, width).ratio - find(table, width).ratio,
          bound: 0.02,
        };
      }),
    ),
  );
}

function unlimited(find: Find): readonly Target[] {
  const table = 'ln20, 1000 tracks, no limit';
  return [4, 8, 16].flatMap((width) => [
    { says: `${table}, C=${width}: mean wait, s`, value: find(table, width).waitMs / 1_000, bound: 1.1 },
    {
      says: `${table}, C=${width}: requests a track`,
      value: find(table, width).requestsPerTrack,
      bound: 8.2,
    },
  ]);
}
