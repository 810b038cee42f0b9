import { describe, expect, it } from 'vitest';
import { admit } from '../../src/review/guard.js';

const TOKEN = 'dGhlIHRva2Vu';
const PORT = 4321;
const HOST = `127.0.0.1:${PORT}`;
const OWN = `http://${HOST}`;

function ask(headers: Readonly<Record<string, string>>, method = 'GET', target = `/${TOKEN}/data.json`) {
  return admit({ method, target, headers }, PORT, TOKEN);
}

describe('access to the review page', () => {
  it.each([
    ['a browser that was given the address', ask({ host: HOST }), '/data.json'],
    ['the same over a forwarded port', ask({ host: `localhost:${PORT}` }), '/data.json'],
    ['its own script', ask({ host: HOST, origin: OWN }, 'POST', `/${TOKEN}/pick`), '/pick'],
    [
      'a link from another page',
      ask(
        { host: HOST, 'sec-fetch-site': 'cross-site', 'sec-fetch-mode': 'navigate' },
        'GET',
        `/${TOKEN}/?a=1`,
      ),
      '/',
    ],
  ])('is granted to %s', (_who, admission, path) => {
    expect(admission).toEqual({ kind: 'admitted', path });
  });

  it.each([
    ['another token', ask({ host: HOST }, 'GET', '/guessed/data.json')],
    ['a longer token', ask({ host: HOST }, 'GET', `/${TOKEN}x/data.json`)],
    ['no token', ask({ host: HOST }, 'GET', '/')],
    ['another host name for this machine', ask({ host: `evil.example:${PORT}` })],
    ['the address without its port', ask({ host: '127.0.0.1' })],
    ['no host', ask({})],
    ['another site', ask({ host: HOST, origin: 'https://evil.example' })],
    ['another program on this machine', ask({ host: HOST, origin: 'http://127.0.0.1:9999' })],
    ['a page in a sandboxed frame', ask({ host: HOST, origin: 'null' })],
    [
      'an image of another site',
      ask({ host: HOST, 'sec-fetch-site': 'cross-site', 'sec-fetch-mode': 'no-cors' }),
    ],
    ['a change without an origin', ask({ host: HOST }, 'POST', `/${TOKEN}/pick`)],
  ])('is refused to %s', (_who, admission) => {
    expect(admission).toMatchObject({ kind: 'refused', status: 403 });
  });

  it('is limited to known methods', () => {
    expect(ask({ host: HOST, origin: OWN }, 'DELETE')).toMatchObject({ kind: 'refused', status: 405 });
  });
});
