import { createHash } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import type { Attempt } from '../../src/lockfile/attempt.js';
import { attemptFault } from '../../src/lockfile/check.js';
import { attemptLine, readLine } from '../../src/lockfile/line.js';
import { advance } from '../../src/run/transition.js';
import { attempt, file } from '../lockfile/build.js';

const NOW_MS = Date.parse('2026-01-02T03:04:05Z');
const sha256 = createHash('sha256').update('sound').digest('hex');
const kept = { path: 'out/one.aaaaaaaa.unverified', bytes: 5, sha256, media_type: 'audio/amr' };

function unverified(): Attempt {
  const queued = attempt({ state: 'queued', queue_id: 'job' });
  return advance(queued, { kind: 'not_verifiable', code: 'not_audio', kept }, NOW_MS);
}

/** The attempt as it comes back out of the lockfile. */
function reread(given: Attempt): Attempt {
  expect(attemptFault(given)).toBeUndefined();
  const line = readLine(attemptLine(given));
  if (line.kind !== 'attempt') throw new Error(line.kind);
  return line.attempt;
}

describe('audio kept for the user to accept', () => {
  it('is recorded in its unverified attempt', () => {
    expect(reread(unverified())).toMatchObject({ state: 'unverified', kept, reason: { code: 'not_audio' } });
  });

  it("becomes the take's file once accepted, and stays marked as accepted", () => {
    const stored = advance(unverified(), { kind: 'accepted', file }, NOW_MS);
    const done = reread(advance(stored, { kind: 'cleaned_up' }, NOW_MS));
    expect(done).toMatchObject({ state: 'done', accepted: true, file });
    expect(done).not.toHaveProperty('kept');
  });

  it.each([
    ['a later download that passes', unverified(), { kind: 'stored', file }],
    [
      'an accepted file that is gone before clean-up',
      advance(unverified(), { kind: 'accepted', file }, NOW_MS),
      { kind: 'local_copy_lost' },
    ],
  ] as const)('is not marked if it needs no acceptance: %s', (_, before, observation) => {
    const after = reread(advance(before, observation, NOW_MS));
    expect(after).not.toHaveProperty('kept');
    expect(after).not.toHaveProperty('accepted');
  });
});
