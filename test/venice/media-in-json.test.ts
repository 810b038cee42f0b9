import { describe, expect, it } from 'vitest';
import { findMedia } from '../../src/venice/media-in-json.js';
import { outline } from '../../src/venice/read-json.js';

const WAV = Buffer.from('RIFF....WAVEfmt and so on');
const BASE64 = WAV.toString('base64');
const URL = 'https://cdn.example/a1b2?sig=3';

const INLINE = { kind: 'inline', mediaType: 'application/octet-stream', bytes: WAV };

describe('the audio of a finished job', () => {
  it.each([
    ['audio'],
    ['data'],
    ['b64_json'],
    ['content'],
    ['body'],
    ['audio_data'],
    ['base64'],
    ['audio_base64'],
    ['result'],
    ['output'],
    ['file'],
  ])('is found in base64 under the name %s, also in an object or a list under it', (name) => {
    expect(findMedia({ status: 'COMPLETED', [name]: BASE64 })).toEqual(INLINE);
    expect(findMedia({ status: 'COMPLETED', [name]: { anything: BASE64 } })).toEqual(INLINE);
    expect(findMedia({ status: 'COMPLETED', [name]: [{ id: 7, anything: BASE64 }] })).toEqual(INLINE);
  });

  it.each<[string, object]>([
    ['url', { url: URL }],
    ['audio_url', { audio_url: URL }],
    ['download_url', { download_url: URL }],
    ['media_url', { media_url: URL }],
    ['an unknown name', { whereabouts: URL }],
    ['audio.url', { audio: { url: URL } }],
    ['data.url', { data: { url: URL } }],
    ['data[].url', { data: [{ url: URL }] }],
    ['a list of addresses', { outputs: [URL] }],
  ])('is found by its address: %s', (_, more) => {
    expect(findMedia({ status: 'COMPLETED', ...more })).toEqual({ kind: 'elsewhere', url: URL });
  });

  it.each<[string, object]>([
    ['the field with a known name', { docs: 'https://docs.example/', audio: { url: URL } }],
    ['the audio, not its preview', { preview_url: 'https://cdn.example/p', audio_url: URL }],
  ])('is taken from %s', (_, body) => {
    expect(findMedia(body)).toEqual({ kind: 'elsewhere', url: URL });
  });

  it('is taken from here rather than fetched', () => {
    expect(findMedia({ url: URL, deep: { bytes: BASE64 } })).toEqual(INLINE);
  });

  it.each<[string, string, string | undefined, string]>([
    ['the address', `data:audio/x-wav;base64,${BASE64}`, undefined, 'audio/wav'],
    ['a field beside it', BASE64, 'audio/flac', 'audio/flac'],
    ['the address rather than the field', `data:audio/mp3;base64,${BASE64}`, 'audio/flac', 'audio/mpeg'],
    ['nothing, where it is no audio type', BASE64, 'text/plain', 'application/octet-stream'],
  ])('gets its type from %s', (_, value, type, mediaType) => {
    const media = { ...INLINE, mediaType };
    expect(findMedia({ x: value, content_type: type })).toEqual(media);
    expect(findMedia({ mime_type: type, x: { y: value } })).toEqual(media);
  });

  it.each<[string, Buffer]>([
    ['FLAC', Buffer.from('fLaC and the rest')],
    ['MP3 with a tag', Buffer.from('ID3 and the rest of it')],
    ['MP3', Buffer.from([0xff, 0xfb, 0x90, 0x64, ...new Array(40).fill(0)])],
  ])('may be %s', (_, bytes) => {
    expect(findMedia({ x: bytes.toString('base64') })).toMatchObject({ kind: 'inline', bytes });
  });

  it.each<[string, unknown]>([
    ['nothing but a status', { status: 'COMPLETED' }],
    ['base64 of something else', { audio: Buffer.from('a picture, a token, a hash').toString('base64') }],
    ['a text that begins like audio', { audio: `${BASE64.slice(0, 20)} and a sentence` }],
    ['base64 that is cut', { audio: BASE64.slice(0, -3) }],
    [
      'an address with another scheme',
      { url: 'ftp://cdn.example/a', file: 'file:///etc/passwd', x: 'javascript:alert(1)' },
    ],
    ['an address in a sentence', { message: `see ${URL}`, note: `${URL} for more` }],
    ['an endless address', { url: `https://cdn.example/${'x'.repeat(10_000)}` }],
    ['three levels of nesting', { a: { b: { url: URL } } }],
    ['lists of lists', { a: [[URL]] }],
    ['a number', 7],
  ])('is not taken from %s', (_, body) => {
    expect(findMedia(body)).toBeUndefined();
  });

  it('is searched for in the first fields and entries only', () => {
    const fields = Object.fromEntries(Array.from({ length: 5_000 }, (_, at) => [`f${at}`, 1]));
    expect(findMedia({ ...fields, url: URL })).toBeUndefined();
    expect(findMedia({ data: [...new Array(5_000).fill(0), URL] })).toBeUndefined();
  });
});

describe('the outline of a response that is not understood', () => {
  it.each<[unknown, string]>([
    [{ status: 'COMPLETED', link: 1, 'a b': 2 }, 'status COMPLETED, fields status, link, "a b"'],
    [{ status: 7, x: 1 }, 'fields status, x'],
    [{}, 'no fields'],
    [[1, 2], 'a list of 2'],
    ['text', 'a string'],
    [null, 'null'],
    [{ status: 'evil\u001b[2J\u202e\n"' }, 'status "evil\\u001b[2J\\u202e\\n\\"", fields status'],
  ])('%j is %s', (value, expected) => {
    expect(outline(value)).toBe(expected);
  });

  it('is short and plain, whatever the response', () => {
    const names = Array.from({ length: 1_000 }, (_, at) => `\u202e${'長'.repeat(1_000)}${at}`);
    const text = outline({
      status: 'x'.repeat(100_000),
      ...Object.fromEntries(names.map((name) => [name, 1])),
    });
    expect(text.length).toBeLessThan(5_000);
    expect(text).toMatch(/^[ -~]*and 989 more$/);
  });
});
