import { describe, expect, it } from 'vitest';
import type { AttemptState } from '../../src/lockfile/attempt.js';
import { chooseTake } from '../../src/picks/find-take.js';
import { makeAttempt, makeTake } from '../plan/builders.js';

describe('the take that a user picks', () => {
  const take = makeTake();
  const made = makeAttempt({ of: take });

  it.each<AttemptState>(['stored', 'done'])('is one whose audio is stored: %s', (state) => {
    const attempt = { ...made, state };
    expect(chooseTake(take.track, '1', [take], [attempt])).toEqual({ ok: true, attempt });
  });

  it.each<AttemptState>(['queued', 'unverified', 'lost', 'failed'])(
    'is not one that is %s and only names the file that it had',
    (state) => {
      const attempts = [{ ...made, state }];
      for (const word of ['1', made.attempt.slice(0, 8), made.file!.sha256.slice(0, 8)])
        expect(chooseTake(take.track, word, [take], attempts)).toMatchObject({
          ok: false,
          why: 'no-file',
          state,
        });
    },
  );

  it('is an earlier one with audio if the newest has none', () => {
    const lost = { ...makeAttempt({ name: 'b', of: take }), state: 'lost' as const };
    expect(chooseTake(take.track, '1', [take], [lost, made])).toEqual({ ok: true, attempt: made });
  });
});
