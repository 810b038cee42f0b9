import { deflateSync, gzipSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { isBinary } from '../../src/venice/audio-magic.js';

const JSON_TEXT = '{"status":"PROCESSING","average_execution_time":20000}';
const utf16 = (text: string) => Buffer.from(text, 'utf16le');
const MPEG_TS = Buffer.from([0x47, 0x40, 0x00, 0x10, 0x00, 0x00, 0xb0, 0x0d, 0x00, 0x01, 0xc1, 0x00]);
const ASF = Buffer.from([0x30, 0x26, 0xb2, 0x75, 0x8e, 0x66, 0xcf, 0x11, 0xa6, 0xd9, 0x00, 0xaa]);

describe('the beginning of a file of an unknown kind', () => {
  it.each([
    ['MPEG transport stream', MPEG_TS],
    ['Windows Media', ASF],
  ])('is told: %s', (_name, head) => {
    expect(isBinary(head)).toBe(true);
  });

  it.each<[string, Uint8Array]>([
    ['JSON', Buffer.from(JSON_TEXT)],
    ['JSON after a byte-order mark', Buffer.from(`\ufeff ${JSON_TEXT}`)],
    ['a page', Buffer.from('<html>\0')],
    ['text', Buffer.from('Service unavailable, please try again')],
    ['a page in Latin-1', Buffer.from('<p>Überlastet</p>', 'latin1')],
    ['text in Latin-1', Buffer.from('Überlastet, später', 'latin1')],
    [
      'text in Shift JIS',
      Buffer.from([0x83, 0x65, 0x83, 0x58, 0x83, 0x67, 0x82, 0xc5, 0x82, 0xb7, 0x81, 0x42]),
    ],
    ['UTF-16', Buffer.concat([Buffer.from([0xff, 0xfe]), utf16('<html>')])],
    ['UTF-16 in the other order', utf16('\ufeff<html>').swap16()],
    ['UTF-16 without a mark', utf16('Please wait')],
    ['gzip', gzipSync(JSON_TEXT)],
    ['zlib', deflateSync(JSON_TEXT)],
    ['zstd', Buffer.from([0x28, 0xb5, 0x2f, 0xfd, 0x04, 0x00])],
    ['nothing', new Uint8Array()],
  ])('is not taken for one: %s', (_name, head) => {
    expect(isBinary(head)).toBe(false);
  });
});
