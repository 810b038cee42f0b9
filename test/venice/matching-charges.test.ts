import { describe, expect, it } from 'vitest';
import type { Attempt } from '../../src/lockfile/attempt.js';
import type { UsageEntry } from '../../src/venice/client.js';
import { clockOffset, createEvidence } from '../../src/venice/matching-charges.js';
import { attempt, id } from '../lockfile/build.js';

const SENT_MS = Date.parse('2026-03-01T12:00:00.000Z');
const MINUTE_MS = 60_000;

const at = { intent: new Date(SENT_MS).toISOString() };
const doubtful = attempt({ attempt: id('doubtful'), state: 'in_doubt', at });

function other(name: string, fields: Partial<Attempt> = {}): Attempt {
  return attempt({ attempt: id(name), state: 'done', queue_id: name, at, ...fields });
}

function entry(fields: Partial<UsageEntry> & { lateMs?: number } = {}): UsageEntry {
  const { lateMs = 2_000, ...isCorrected } = fields;
  return {
    timestampMs: SENT_MS + lateMs,
    sku: 'elevenlabs-music-audio-unit',
    spentMicroUsd: 690_000,
    currency: 'USD',
    ...isCorrected,
  };
}

function matchCharges(
  one: Attempt,
  history: readonly UsageEntry[],
  known: readonly Attempt[],
  clockOffsetMs = 0,
): ReturnType<ReturnType<typeof createEvidence>> {
  return createEvidence(history, known, clockOffsetMs)(one);
}

/** How one entry relates to the attempt: `fits`, how it differs, or `none`. */
function statuses(history: UsageEntry, clockOffsetMs = 0, known: Attempt[] = []): string {
  const { fits, near } = matchCharges(doubtful, [history], [doubtful, ...known], clockOffsetMs);
  return fits.length === 1 ? 'fits' : (near[0]?.difference ?? 'none');
}

describe('a charge compared with an attempt in doubt', () => {
  it.each<[string, Parameters<typeof entry>[0], string]>([
    ['of that amount, time and model', {}, 'fits'],
    ['under a name of no model', { sku: 'eleven-music-standard' }, 'fits'],
    ['under the name of its model in capitals', { sku: 'ELEVENLABS-MUSIC' }, 'fits'],
    ['paid in DIEM', { currency: 'DIEM' }, 'fits'],
    ['off by rounding', { spentMicroUsd: 692_000 }, 'fits'],
    ['nine minutes late', { lateMs: 9 * MINUTE_MS }, 'fits'],
    ['of another amount', { spentMicroUsd: 760_000 }, 'another amount'],
    ['under the name of another model', { sku: 'lyra-audio' }, 'another model'],
    ['under a longer name of another model', { sku: 'elevenlabs-music-pro-audio' }, 'another model'],
    ['of another amount and model', { sku: 'lyra', spentMicroUsd: 1 }, 'another amount and model'],
    ['far too late', { lateMs: 11 * MINUTE_MS }, 'none'],
    ['before the submit', { lateMs: -2 * MINUTE_MS }, 'none'],
    ['that is a refund', { spentMicroUsd: -690_000 }, 'none'],
  ])('%s: %#', (_, fields, expected) => {
    const known = [other('a', { model: 'lyra' }), other('b', { model: 'elevenlabs-music-pro' })];
    const years = known.map((each) => ({ ...each, at: { intent: '2020-01-01T00:00:00.000Z' } }));
    expect(statuses(entry(fields), 0, years)).toBe(expected);
  });

  it.each([
    ['behind', -5 * MINUTE_MS],
    ['ahead', 15 * MINUTE_MS],
  ])("fits only by the service's clock if that is %s", (_, offsetMs) => {
    const charge = entry({ lateMs: offsetMs + 1_000 });
    expect([statuses(charge, offsetMs), statuses(charge)]).toEqual(['fits', 'none']);
  });

  it('still fits by this clock if that was set since', () => {
    expect(statuses(entry(), -5 * MINUTE_MS)).toBe('fits');
  });
});

describe('charges of other jobs', () => {
  it.each([
    ['done', {}, 0],
    ['stored', { state: 'stored' }, 0],
    ['settled as charged', { state: 'lost', reason: { code: 'resolved_charged' } }, 0],
    // It may be charged when it ends, or refunded: this entry may belong to the attempt in doubt.
    ['queued', { state: 'queued' }, 1],
    ['failed', { state: 'failed' }, 1],
    ['in doubt too', { state: 'in_doubt' }, 1],
  ] as const)('that are %s leave their number of entries: %#', (_, fields, left) => {
    const evidence = matchCharges(doubtful, [entry()], [doubtful, other('a', fields)]);
    expect([evidence.fits.length, evidence.accounted]).toEqual([left, 1 - left]);
  });

  it('are the entries closest to them', () => {
    const late = { intent: new Date(SENT_MS + 5 * MINUTE_MS).toISOString() };
    const [own, others] = [entry(), entry({ lateMs: 5 * MINUTE_MS })];
    expect(matchCharges(doubtful, [others, own], [doubtful, other('a', { at: late })]).fits).toEqual([own]);
  });

  it('may be made at their end, however long they took', () => {
    const earlier = new Date(SENT_MS - 20 * MINUTE_MS).toISOString();
    const long = other('a', { at: { intent: earlier, ready: at.intent } });
    expect(matchCharges(doubtful, [entry()], [doubtful, long])).toMatchObject({ fits: [], accounted: 1 });
  });

  it('are the entries at their end if those are closest', () => {
    const ended = { intent: at.intent, ready: new Date(SENT_MS + 5 * MINUTE_MS).toISOString() };
    const [own, others] = [entry(), entry({ lateMs: 5 * MINUTE_MS + 1_000 })];
    expect(matchCharges(doubtful, [own, others], [doubtful, other('a', { at: ended })]).fits).toEqual([own]);
  });

  it('are never entries that only come near', () => {
    const near = entry({ spentMicroUsd: 760_000 });
    expect(matchCharges(doubtful, [near], [doubtful, other('a')]).near).toEqual([
      { entry: near, difference: 'another amount' },
    ]);
  });
});

describe('entries that fit', () => {
  it('are listed with the nearest first, whatever their names', () => {
    const [late, near] = [entry({ lateMs: 8 * MINUTE_MS }), entry({ sku: 'unheard-of' })];
    expect(matchCharges(doubtful, [late, near], [doubtful]).fits).toEqual([near, late]);
  });
});

describe('entries that come near', () => {
  it('are sorted by amount, then model, then time', () => {
    const history = [
      entry({ spentMicroUsd: 1 }),
      entry({ spentMicroUsd: 2, lateMs: 1_000 }),
      entry({ spentMicroUsd: 3, sku: 'unheard-of', lateMs: 0 }),
      entry({ sku: 'lyra' }),
    ];
    const { near } = matchCharges(doubtful, history, [doubtful, other('a', { model: 'lyra', at: {} })]);
    expect(near.map((each) => history.indexOf(each.entry))).toEqual([3, 1, 0, 2]);
  });
});

describe('the clock of the service', () => {
  it.each([
    ['is not known', undefined, 0],
    ['is about right', SENT_MS + 3_000, 0],
    ['is behind', SENT_MS - 300_000, -300_000],
    ['is nonsense', 0, 0],
  ])('%s', (_, dateMs, offsetMs) => {
    expect(clockOffset(dateMs && dateMs / 1_000, SENT_MS)).toBe(offsetMs);
  });
});

describe('many attempts and many charges at one time', () => {
  /** How often a charge or an attempt is accessed. */
  function stepsOf(count: number): number {
    let steps = 0;
    const watched = <T extends object>(item: T): T =>
      new Proxy(item, {
        get: (target, name) => {
          steps += 1;
          return Reflect.get(target, name);
        },
      });
    const of = (index: number) => ({ intent: new Date(SENT_MS + index).toISOString() });
    const known = Array.from({ length: count }, (_, index) => {
      const fields = [{}, { state: 'queued' }, { state: 'in_doubt', queue_id: undefined }] as const;
      return watched(
        other(`${index}`, {
          ...fields[index % 3],
          at: of(index),
          model: `model-${index % 50}`,
        } as Partial<Attempt>),
      );
    });
    const history = Array.from({ length: count }, (_, index) =>
      watched(entry({ lateMs: index, sku: `model-${index % 50}-unit` })),
    );
    const evidence = createEvidence(history, known, 60_000);
    for (const one of known) if (one.state === 'in_doubt') evidence(one);
    return steps;
  }

  it('take a number of steps that grows linearly', () => {
    const [few, many] = [stepsOf(400), stepsOf(800)];
    expect(many / few).toBeLessThan(2.6);
  });

  it('leave each job its own charge', () => {
    const known = Array.from({ length: 1_000 }, (_, index) =>
      other(`${index}`, { at: { intent: new Date(SENT_MS + index * 100).toISOString() } }),
    );
    const history = known.map((_, index) => entry({ lateMs: index * 100 + 1 }));
    const own = entry({ lateMs: 50_050 });
    const late = { ...doubtful, at: { intent: new Date(SENT_MS + 50_050).toISOString() } };
    expect(matchCharges(late, [...history, own], [...known, late]).fits).toHaveLength(1);
  });
});
