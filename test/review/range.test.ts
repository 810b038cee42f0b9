import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { readRange } from '../../src/review/range.js';

describe('the range of a request', () => {
  it.each([
    [undefined, { kind: 'whole' }],
    ['bytes=0-', { kind: 'part', first: 0, last: 99 }],
    ['bytes=10-19', { kind: 'part', first: 10, last: 19 }],
    ['bytes=90-200', { kind: 'part', first: 90, last: 99 }],
    ['bytes=-5', { kind: 'part', first: 95, last: 99 }],
    ['bytes=-500', { kind: 'part', first: 0, last: 99 }],
    ['bytes=100-', { kind: 'outside' }],
    ['bytes=-0', { kind: 'outside' }],
    ['bytes=20-10', { kind: 'whole' }],
    ['bytes=0-1,4-5', { kind: 'whole' }],
    ['bytes=-', { kind: 'whole' }],
    ['pages=1-2', { kind: 'whole' }],
  ])('%s of 100 bytes', (header, range) => {
    expect(readRange(header, 100)).toEqual(range);
  });

  it('never leaves the file', () => {
    const end = fc.option(fc.nat(), { nil: '' });
    fc.assert(
      fc.property(end, end, fc.nat(1_000), (from, to, size) => {
        const range = readRange(`bytes=${from}-${to}`, size);
        if (range.kind !== 'part') return;
        expect(range.first).toBeGreaterThanOrEqual(0);
        expect(range.last).toBeGreaterThanOrEqual(range.first);
        expect(range.last).toBeLessThan(size);
      }),
    );
  });
});
