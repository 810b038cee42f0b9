import { describe, expect, it } from 'vitest';
import type { Attempt } from '../../src/lockfile/attempt.js';
import { countLostAnswers, lostAnswersError } from '../../src/plan/lost-responses.js';
import { attempt, command, id } from '../lockfile/build.js';

/** One attempt for each letter, in the order in which they ended: `l`ost, `a`ccepted, `r`efused, `s`ettled, `i`ntent. */
function ended(letters: string): Attempt[] {
  return [...letters].map((letter, second) => {
    const time = new Date(Date.UTC(2026, 0, 1, 0, 0, second)).toISOString();
    const about = { attempt: id(`${second}`), track: `t${second}` };
    switch (letter) {
      case 'l':
        return attempt({ ...about, state: 'in_doubt', at: { in_doubt: time } });
      case 'a':
        return attempt({ ...about, state: 'done', queue_id: `q${second}`, at: { queued: time } });
      case 'r':
        return attempt({ ...about, state: 'rejected', at: { rejected: time } });
      case 's':
        return attempt({ ...about, state: 'lost', at: { in_doubt: time, lost: time } });
      default:
        return attempt({ ...about, at: { intent: time } });
    }
  });
}

describe('lost responses to submits in a row', () => {
  it.each([
    ['', 0, 0],
    ['l', 1, 1],
    ['lal', 1, 1],
    ['llrl', 3, 3],
    // An intent left by a killed run counts as lost.
    ['lii', 3, 3],
    // A response that was still in flight resets nothing.
    ['llla', 0, 3],
    ['llsal', 1, 2],
  ])('are counted in %o: %i at the end, %i at most', (letters, latest, longest) => {
    expect(countLostAnswers(ended(letters))).toEqual({ latest, longest });
    expect(countLostAnswers(ended(letters).reverse())).toEqual({ latest, longest });
  });

  it('include those of the same moment', () => {
    const at = { in_doubt: '2026-01-01T00:00:00.000Z', queued: '2026-01-01T00:00:00.000Z' };
    const lost = ['a', 'b', 'c'].map((name) => attempt({ attempt: id(name), state: 'in_doubt', at }));
    const accepted = attempt({ attempt: id('d'), state: 'queued', queue_id: 'q', at });
    expect(countLostAnswers([lost[0]!, accepted, lost[1]!, lost[2]!]).longest).toBe(3);
  });

  it('stop purchases with the command that resolves them', () => {
    expect(lostAnswersError(ended('ll'), command)).toBeUndefined();
    expect(lostAnswersError(ended('llla'), command)).toMatchObject({
      code: 'answers-lost',
      hint: expect.stringContaining('venice-batch resolve album.yaml'),
    });
  });
});
