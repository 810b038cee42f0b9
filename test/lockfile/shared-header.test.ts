import { expect, it } from 'vitest';
import { LOCK_VERSION, LOCK_VERSION_SHARED, withVersion } from '../../src/lockfile/header.js';
import { headerLine, readLine } from '../../src/lockfile/line.js';
import { header } from './build.js';

it('gives a header that names a shared log a version that older releases refuse', () => {
  const shared = withVersion({ ...header, log: 's3://bucket/album' });
  expect(shared.version).toBe(LOCK_VERSION_SHARED);
  expect(readLine(headerLine(shared))).toMatchObject({ kind: 'header', header: shared });
});

it('leaves any other header as it was', () => {
  expect(withVersion(header)).toEqual({ ...header, version: LOCK_VERSION });
  expect(headerLine(withVersion(header))).not.toContain('log');
});
