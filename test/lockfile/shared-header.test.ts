import { expect, it } from 'vitest';
import { headerLine, readLine } from '../../src/lockfile/line.js';
import { lockError } from '../../src/lockfile/lock-error.js';
import { LOCK_VERSION, LOCK_VERSION_SHARED, withVersion } from '../../src/lockfile/lock-header.js';
import { parseLock, serialiseLock } from '../../src/lockfile/lock-text.js';
import { mergeLocks } from '../../src/lockfile/merge-locks.js';
import { repairLock } from '../../src/lockfile/repair.js';
import { attempt, command, header, id } from './build.js';

it('a header that names a shared log has a version that older releases refuse', () => {
  const shared = withVersion({ ...header, log: 's3://bucket/album' });
  expect(shared.version).toBe(LOCK_VERSION_SHARED);
  expect(readLine(headerLine(shared))).toMatchObject({ kind: 'header', header: shared });
});

it('any other header is unchanged', () => {
  expect(withVersion(header)).toEqual({ ...header, version: LOCK_VERSION });
  expect(headerLine(withVersion(header))).not.toContain('log');
});

it('a header of a copy of a log is refused if it does not name the log', () => {
  const line = headerLine({ ...header, version: LOCK_VERSION_SHARED });
  const { problems } = parseLock(`${line}\n`);
  expect(problems).toEqual([{ kind: 'not_a_lockfile', line: 1 }]);
});

const copyOf = (log: string | undefined, lineage: string) => ({
  header: withVersion({ ...header, lineage: id(lineage), ...(log !== undefined && { log }) }),
  attempts: new Map([[id(`of ${lineage}`), attempt({ attempt: id(`of ${lineage}`) })]]),
});

it('copies of two logs are merged only if the user says which log to keep', () => {
  const [one, two] = [copyOf('git:origin', 'one'), copyOf('s3://bucket/album', 'two')];
  expect(mergeLocks(one, two)).toEqual({ ok: false, why: 'other_log' });
  expect(mergeLocks(one, two, 'git:third')).toEqual({ ok: false, why: 'other_log' });
  const merged = mergeLocks(one, two, 's3://bucket/album');
  if (!merged.ok) throw new Error(merged.why);
  expect(merged.lock.header).toMatchObject({ log: 's3://bucket/album', version: LOCK_VERSION_SHARED });
  expect(merged.lock.attempts.size).toBe(2);
});

it('the copy of a log is merged with an older lockfile without a log', () => {
  const merged = mergeLocks(copyOf('git:origin', 'one'), copyOf(undefined, 'two'));
  expect(merged.ok && merged.lock.header).toMatchObject({ log: 'git:origin', version: LOCK_VERSION_SHARED });
});

it('a git merge of copies of two logs is not repaired, and the error says how to merge them', () => {
  const texts = [copyOf('git:origin', 'one'), copyOf('s3://bucket/album', 'two')].map((lock) =>
    serialiseLock(lock.header, lock.attempts.values()),
  );
  const repaired = repairLock(texts.join(''));
  if (repaired.ok) throw new Error('repaired');
  expect(repaired.problem).toMatchObject({ kind: 'two_logs', logs: ['git:origin', 's3://bucket/album'] });
  const { problem } = repaired;
  const suggested = (named: object) => {
    const { code, exitCode, hint = '' } = lockError({ ...problem, ...named }, '/a/album.lock.jsonl', command);
    expect({ code, exitCode }).toEqual({ code: 'lockfile-two-logs', exitCode: 9 });
    expect(hint).toMatch(/^nothing was changed: stop everything that uses the log you give up/);
    const merge =
      /venice-batch lock merge \/a\/album\.lock\.jsonl theirs\.lock\.jsonl --state (\S+?)(?=;|$)/g;
    return [...hint.matchAll(merge)].map(([, log]) => log);
  };
  expect(suggested({})).toEqual(['git:origin', 's3://bucket/album']);
  expect(suggested({ named: 'git:third' })).toEqual(['git:origin', 's3://bucket/album']);
  expect(suggested({ named: 's3://bucket/album' })).toEqual(['s3://bucket/album']);
});
