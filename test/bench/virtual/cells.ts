import type { LawName } from './chance.js';
import { POLICY_NAMES, type PolicyName } from './policies.js';
import type { LimitRule } from './service.js';
import type { Scene } from './world.js';

/** A table of the report: one situation, run by each policy with several numbers of jobs in flight. */
export interface Table {
  /** Unique; targets refer to it. */
  readonly name: string;
  readonly scene: Omit<Scene, 'seed' | 'concurrency'>;
  /** 0: no number given. */
  readonly concurrencies: readonly number[];
  readonly policies: readonly PolicyName[];
  readonly seeds: number;
}

const WIDTHS = [4, 8, 16, 64, 0];
const PER_60: LimitRule = { kind: 'window', perMinute: 60 };
const PER_120: LimitRule = { kind: 'window', perMinute: 120 };
const BY_ROUTE: LimitRule = { kind: 'routes', routes: { submit: 40, poll: 120, shape: 'window' } };
const UNLIMITED: LimitRule = { kind: 'window' };
const SIMPLE_AND_OURS = ['P80, then 3 s', 'ours'] as const;

function seedsFor(tracks: number): number {
  return tracks <= 100 ? 20 : tracks <= 1_000 ? 16 : 1;
}

function table(
  law: LawName,
  tracks: number,
  limit: LimitRule,
  more: Partial<Table> & { readonly special?: Partial<Scene>; readonly note?: string } = {},
): Table {
  const { special, note, ...rest } = more;
  const reported =
    limit.routes !== undefined
      ? `${limit.routes.submit} submits and ${limit.routes.poll} polls a minute`
      : limit.perMinute === undefined
        ? 'no limit'
        : `${limit.perMinute} a minute`;
  const kind = limit.kind === 'bucket' ? ', token bucket' : '';
  return {
    name: `${law}, ${tracks} tracks, ${reported}${kind}${note === undefined ? '' : `, ${note}`}`,
    scene: { law, tracks, limit, p80Factor: 1, ...special },
    concurrencies: WIDTHS,
    policies: POLICY_NAMES,
    seeds: seedsFor(tracks),
    ...rest,
  };
}

/** Today's limits of the service: one per route, in no header. */
export function routeTables(): readonly Table[] {
  const oursAndOracle: Partial<Table> = { policies: ['ours', 'oracle'] };
  const { routes } = BY_ROUTE;
  return [
    table('ln20', 1_000, BY_ROUTE),
    table('ln20', 10, BY_ROUTE),
    table('ln20', 80, BY_ROUTE),
    table('ln20', 100, BY_ROUTE),
    table('ln20', 10_000, BY_ROUTE),
    table('ln45', 1_000, BY_ROUTE, oursAndOracle),
    table('bimodal', 1_000, BY_ROUTE, oursAndOracle),
    table(
      'ln20',
      1_000,
      { kind: 'routes', routes: { ...routes!, shape: 'sliding' } },
      { ...oursAndOracle, note: 'a sliding minute' },
    ),
    table(
      'ln20',
      1_000,
      { kind: 'routes', routes: { ...routes!, submit: 25 } },
      { policies: ['ours'], concurrencies: [0], note: 'unlike what is documented' },
    ),
    table('ln20', 200, BY_ROUTE, {
      policies: ['ours'],
      concurrencies: [0],
      special: { otherPerMinute: 15 },
      note: 'another client submits 15 a minute',
    }),
  ];
}

/** Run unless all are requested: every dimension, but not every combination. */
export function usualTables(): readonly Table[] {
  return [
    ...routeTables(),
    table('ln20', 1_000, PER_60),
    table('ln45', 1_000, PER_60),
    table('bimodal', 1_000, PER_60),
    table('ln20', 10, PER_60),
    table('ln20', 100, PER_60),
    table('ln45', 100, PER_60),
    table('ln20', 10_000, PER_60, { policies: ['ours', 'oracle'] }),
    table('ln20', 1_000, PER_120),
    table('ln45', 1_000, PER_120, { policies: ['ours', 'oracle'] }),
    table('ln20', 1_000, UNLIMITED),
    table('ln45', 1_000, UNLIMITED, { policies: ['ours', 'oracle'] }),
    table('ln20', 1_000, { kind: 'bucket', perMinute: 60 }, { policies: ['ours', 'oracle'] }),
    ...wrongTables(),
    ...hardTables(),
  ];
}

/** The service reports wrong run times. */
function wrongTables(): readonly Table[] {
  const wrong = (law: LawName, p80Factor: number, note: string): Table =>
    table(law, 1_000, PER_60, { policies: SIMPLE_AND_OURS, special: { p80Factor }, note });
  const { p80Factor: _, ...unreported } = table('ln20', 1_000, PER_60).scene;
  return [
    wrong('ln20', 2, 'P80 reported twice too high'),
    wrong('ln20', 0.5, 'P80 reported twice too low'),
    wrong('ln45', 2, 'P80 reported twice too high'),
    wrong('ln45', 0.5, 'P80 reported twice too low'),
    { ...wrong('ln20', 1, 'P80 not reported'), scene: unreported },
  ];
}

/** Trouble that a client cannot avoid. */
function hardTables(): readonly Table[] {
  const hard = (
    note: string,
    limit: Partial<LimitRule>,
    special: Partial<Scene> = {},
    tracks = 1_000,
  ): Table =>
    table(
      'ln20',
      tracks,
      { ...PER_60, ...limit },
      { policies: ['ours'], concurrencies: [4, 16, 0], special, note },
    );
  return [
    hard('resets rounded up', { rounding: 'up' }),
    hard('resets rounded down', { rounding: 'down' }),
    hard('answers overtake each other', {}, { latencyMs: [30, 400] }),
    hard('a third of headers missing', { headersMissing: 0.33 }),
    hard('no headers at all', { headersMissing: 1 }),
    hard('limit drops to 30 in mid-run', { change: { atMs: 905_000, perMinute: 30 } }),
    hard('limit rises to 120 in mid-run', { change: { atMs: 905_000, perMinute: 120 } }),
    hard('another client takes 20 a minute', {}, { otherPerMinute: 20 }),
    hard('another client takes 50 a minute', {}, { otherPerMinute: 50 }, 200),
  ];
}

/** Every combination: takes about an hour. */
export function allTables(): readonly Table[] {
  const tables: Table[] = [];
  for (const tracks of [10, 100, 1_000, 10_000]) {
    for (const law of ['ln20', 'ln20 wide', 'ln45', 'ln45 narrow', 'bimodal'] as const) {
      for (const limit of [PER_60, PER_120, UNLIMITED]) {
        tables.push(table(law, tracks, limit));
        tables.push(
          table(law, tracks, limit, { special: { p80Factor: 2 }, note: 'P80 reported twice too high' }),
        );
        tables.push(
          table(law, tracks, limit, { special: { p80Factor: 0.5 }, note: 'P80 reported twice too low' }),
        );
      }
      tables.push(table(law, tracks, { kind: 'bucket', perMinute: 60 }));
    }
  }
  const known = new Set(tables.map(({ name }) => name));
  return [...tables, ...usualTables().filter(({ name }) => !known.has(name))];
}
