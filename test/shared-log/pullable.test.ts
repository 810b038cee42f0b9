import { expect, it } from 'vitest';
import { pullableFrom } from '../../src/app/pull-here.js';
import type { Attempt } from '../../src/lockfile/attempt.js';

const attempt = (name: string, state: Attempt['state']): Attempt =>
  ({ attempt: name, state, file: { path: `${name}.flac`, bytes: 1, sha256: name } }) as unknown as Attempt;

it('a take is not planned to be bought again where the audio store has it, or gives no answer', async () => {
  const has = async (sha256: string) => {
    if (sha256 === 'silent') throw new Error('unreachable');
    return sha256 !== 'absent';
  };
  const attempts = [
    ...['there', 'silent', 'absent'].map((name) => attempt(name, 'done')),
    attempt('failed', 'failed'),
  ];
  expect([...(await pullableFrom({ has }, attempts))].sort()).toEqual(['silent', 'there']);
});
