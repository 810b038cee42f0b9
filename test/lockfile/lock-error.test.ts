import { describe, expect, it } from 'vitest';
import { type LockProblem, lockError } from '../../src/lockfile/lock-error.js';
import { parseLock } from '../../src/lockfile/lock-text.js';
import { nextCommandLine } from '../../src/session/next-command-line.js';

const flags = { sandbox: true, lockfile: 'old locks/a.jsonl', baseUrl: undefined };
const next = (verb: string, ...words: string[]) =>
  nextCommandLine(verb, { manifest: 'my album.yaml', flags: flags as never }, words);

const KEPT = "--lockfile 'old locks/a.jsonl'";

describe('the next command in an error about a lockfile', () => {
  const cases: [LockProblem, string][] = [
    [{ kind: 'unreadable', code: 'EACCES' }, 'status'],
    [{ kind: 'unwritable', code: 'EROFS' }, 'status'],
    [{ kind: 'not_a_lockfile', line: 1 }, 'status'],
    [{ kind: 'not_a_lockfile', line: 1, empty: true }, 'status'],
    [{ kind: 'not_a_lockfile', line: 1, records: true }, 'lock repair'],
    [{ kind: 'newer_version', version: 2 }, 'status'],
    [{ kind: 'incomplete', journal: '/a/.venice-batch/a.copy' }, 'lock repair'],
    [{ kind: 'conflict_markers', line: 3 }, 'lock repair'],
    [{ kind: 'second_header', line: 3, related: true }, 'lock repair'],
    [{ kind: 'second_header', line: 3, related: false }, 'lock repair'],
    [{ kind: 'duplicate_key', line: 3, key: 'rev' }, 'lock repair'],
    [{ kind: 'bad_line', line: 3, why: 'is not a record' }, 'lock repair'],
  ];

  it.each(cases)('is right for %j', (problem, verb) => {
    const { exitCode, hint } = lockError(problem, 'a.lock.jsonl', next);
    expect(exitCode).toBe(9);
    expect(hint?.endsWith(`venice-batch ${verb} 'my album.yaml' --sandbox ${KEPT}`)).toBe(true);
  });

  it('says how to remove an empty lockfile with which nothing was bought', () => {
    const [problem] = parseLock('').problems;
    const { message, hint } = lockError(problem!, 'my locks/a.jsonl', next);
    expect(message).toBe("'my locks/a.jsonl': the lockfile is empty");
    expect(hint).toContain("if nothing was bought with it, remove it: rm 'my locks/a.jsonl'; then: ");
    const journal = '/a/.venice-batch/a.copy';
    expect(lockError({ ...problem!, journal } as LockProblem, 'a', next).hint).not.toContain('remove');
  });

  it('includes the sandbox, but no address that a file contains', () => {
    const hintFor = (endpoint: string) =>
      lockError({ kind: 'other_endpoint', endpoint, wanted: 'x' }, 'a.lock.jsonl', next).hint;
    expect(hintFor('sandbox:')).toContain(`venice-batch plan 'my album.yaml' --sandbox ${KEPT}`);
    expect(hintFor('https://stranger.example/v1')).not.toMatch(/stranger|venice-batch /);
  });

  it('includes only origin and path of an address', () => {
    const problem = {
      kind: 'other_endpoint',
      endpoint: 'https://a:b@x.example/v1?sig=c',
      wanted: 'y',
    } as const;
    expect(lockError(problem, 'a.lock.jsonl', next).message).toContain(
      'belongs to https://x.example/v1, not',
    );
  });
});
