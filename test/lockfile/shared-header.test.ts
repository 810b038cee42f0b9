import { expect, it } from 'vitest';
import { parseLock, serialiseLock } from '../../src/lockfile/format.js';
import { LOCK_VERSION, LOCK_VERSION_SHARED, withVersion } from '../../src/lockfile/header.js';
import { headerLine, readLine } from '../../src/lockfile/line.js';
import { lockError } from '../../src/lockfile/lock-error.js';
import { mergeLocks } from '../../src/lockfile/merge-locks.js';
import { repairLock } from '../../src/lockfile/repair.js';
import { attempt, command, header, id } from './build.js';

it('gives a header that names a shared log a version that older releases refuse', () => {
  const shared = withVersion({ ...header, log: 's3://bucket/album' });
  expect(shared.version).toBe(LOCK_VERSION_SHARED);
  expect(readLine(headerLine(shared))).toMatchObject({ kind: 'header', header: shared });
});

it('leaves any other header as it was', () => {
  expect(withVersion(header)).toEqual({ ...header, version: LOCK_VERSION });
  expect(headerLine(withVersion(header))).not.toContain('log');
});

it('refuses one that is the copy of a log and does not say which', () => {
  const line = headerLine({ ...header, version: LOCK_VERSION_SHARED });
  const { problems } = parseLock(`${line}\n`);
  expect(problems).toEqual([{ kind: 'not_a_lockfile', line: 1 }]);
});

const copyOf = (log: string | undefined, lineage: string) => ({
  header: withVersion({ ...header, lineage: id(lineage), ...(log !== undefined && { log }) }),
  attempts: new Map([[id(`of ${lineage}`), attempt({ attempt: id(`of ${lineage}`) })]]),
});

it('merges the copies of two logs only when a person says which log goes on', () => {
  const [one, two] = [copyOf('git:origin', 'one'), copyOf('s3://bucket/album', 'two')];
  expect(mergeLocks(one, two)).toEqual({ ok: false, why: 'other_log' });
  expect(mergeLocks(one, two, 'git:third')).toEqual({ ok: false, why: 'other_log' });
  const merged = mergeLocks(one, two, 's3://bucket/album');
  if (!merged.ok) throw new Error(merged.why);
  expect(merged.lock.header).toMatchObject({ log: 's3://bucket/album', version: LOCK_VERSION_SHARED });
  expect(merged.lock.attempts.size).toBe(2);
});

it('merges the copy of a log with a lockfile from before there was one', () => {
  const merged = mergeLocks(copyOf('git:origin', 'one'), copyOf(undefined, 'two'));
  expect(merged.ok && merged.lock.header).toMatchObject({ log: 'git:origin', version: LOCK_VERSION_SHARED });
});

it('repairs no file that git made of the copies of two logs, and says how to join them', () => {
  const texts = [copyOf('git:origin', 'one'), copyOf('s3://bucket/album', 'two')].map((lock) =>
    serialiseLock(lock.header, lock.attempts.values()),
  );
  const repaired = repairLock(texts.join(''));
  if (repaired.ok) throw new Error('repaired');
  expect(repaired.problem).toMatchObject({ kind: 'two_logs', logs: ['git:origin', 's3://bucket/album'] });
  const { code, exitCode, hint } = lockError(repaired.problem, '/a/album.lock.jsonl', command);
  expect({ code, exitCode }).toEqual({ code: 'lockfile-two-logs', exitCode: 9 });
  expect(hint).toContain('venice-batch lock merge /a/album.lock.jsonl theirs.lock.jsonl --state git:origin');
});
