import path from 'node:path';
import { expect, it } from 'vitest';
import { pullableFrom } from '../../src/app/pull-here.js';
import type { Attempt } from '../../src/lockfile/attempt.js';
import type { Output } from '../../src/storage/output.js';

const attempt = (name: string, state: Attempt['state']): Attempt =>
  ({ attempt: name, state, file: { path: `${name}.flac`, bytes: 1, sha256: name } }) as unknown as Attempt;

it('what the audio store has is distinguished from what it does not answer for, and files that are here are not asked for', async () => {
  const asked: string[] = [];
  const has = async (sha256: string) => {
    asked.push(sha256);
    if (sha256 === 'silent') throw new Error('unreachable');
    return sha256 !== 'absent';
  };
  const facts = async (file: string) =>
    path.basename(file) === 'here.flac' ? { kind: 'file', bytes: 1 } : undefined;
  const output = { root: '/out', files: { facts } } as unknown as Output;
  const attempts = [
    ...['there', 'silent', 'absent', 'here'].map((name) => attempt(name, 'done')),
    attempt('failed', 'failed'),
  ];
  const { inStore, unclear } = await pullableFrom({ has }, output, attempts);
  expect([...inStore]).toEqual(['there']);
  expect([...unclear]).toEqual(['silent']);
  expect(asked.sort()).toEqual(['absent', 'silent', 'there']);
});
