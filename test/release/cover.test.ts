import { describe, expect, it } from 'vitest';
import { readCover } from '../../src/release/cover.js';
import { JPEG, PNG } from '../node/container-bytes.js';

describe('a cover', () => {
  it.each([
    ['PNG', PNG, { mediaType: 'image/png', width: 1, height: 1 }],
    ['JPEG', JPEG, { mediaType: 'image/jpeg', width: 8, height: 8 }],
  ])('is read whole, with or without bytes after it: %s', (_name, bytes, size) => {
    expect(readCover(bytes)).toEqual({ ...size, bytes });
    expect(readCover(Buffer.concat([bytes, Buffer.alloc(9)]))).toMatchObject(size);
  });

  it.each([
    ['PNG', PNG],
    ['JPEG', JPEG],
  ])('is not accepted wherever it is cut off: %s', (_name, bytes) => {
    for (let length = 0; length < bytes.length; length += 1)
      expect(['damaged', 'other'], String(length)).toContain(readCover(bytes.subarray(0, length)));
  });

  it('is not accepted if a bit of a PNG has changed', () => {
    for (let at = 8; at < PNG.length; at += 1) {
      const changed = Buffer.from(PNG);
      changed[at]! ^= 4;
      expect(readCover(changed), String(at)).toBe('damaged');
    }
  });

  it('is neither, for other pictures', () => {
    for (const text of ['', 'GIF89a', 'RIFF____WEBP', '<svg/>'])
      expect(readCover(Buffer.from(text))).toBe('other');
  });
});
