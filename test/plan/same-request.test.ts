import { describe, expect, it } from 'vitest';
import { sameRequestWarnings } from '../../src/plan/same-request.js';
import { makeTake } from './builders.js';

const named = (takes: ReturnType<typeof makeTake>[], isBought = (_: { key: string }) => true) =>
  sameRequestWarnings(takes, isBought).map(({ message }) => message);

describe('tracks with the same request', () => {
  it('get one warning with the places of all', () => {
    const takes = ['a', 'b', 'c'].map((track) => makeTake({ track, request: { prompt: 'Rain' } }));
    const [warning, ...others] = sameRequestWarnings(takes, () => true);
    expect(others).toEqual([]);
    expect(warning).toMatchObject({ code: 'same-request', severity: 'warning', span: takes[1]!.span });
    expect(warning?.message).toBe('`a`, `b` and `c` have the same request, and you pay for each of them');
    expect(warning?.related?.map(({ span }) => span)).toEqual([takes[0]!.span, takes[2]!.span]);
  });

  it('get none if nothing would be bought', () => {
    const takes = ['a', 'b'].map((track) => makeTake({ track, request: { prompt: 'Rain' } }));
    expect(named(takes, () => false)).toEqual([]);
    expect(named(takes, ({ key }) => key === 'a')).toHaveLength(1);
  });

  it('are not the takes of one track, nor tracks that differ', () => {
    expect(named([1, 2].map((take) => makeTake({ track: 'a', take, takes: 2 })))).toEqual([]);
    const takes = [
      makeTake({ track: 'a', request: { prompt: 'Rain' } }),
      makeTake({ track: 'b', request: { prompt: 'Snow' } }),
    ];
    expect(named(takes)).toEqual([]);
  });
});
