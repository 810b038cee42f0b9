import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { createRedactor, redactIn } from '../../src/core/redact.js';
import { checkApiKey } from '../../src/node/api-key.js';
import { parseBaseUrl } from '../../src/node/base-url.js';
import { proxyFor } from '../../src/node/proxy.js';

describe('the base URL', () => {
  it.each([
    ['https://api.venice.ai/api/v1', 'https://api.venice.ai/api/v1'],
    ['https://api.venice.ai/api/v1///', 'https://api.venice.ai/api/v1'],
    ['HTTPS://API.Venice.AI', 'https://api.venice.ai'],
    ['https://api.venice.ai:8443/', 'https://api.venice.ai:8443'],
    ['http://localhost:3000/api/v1', 'http://localhost:3000/api/v1'],
    ['http://127.0.0.1:3000', 'http://127.0.0.1:3000'],
    ['http://127.8.9.1', 'http://127.8.9.1'],
    ['http://[::1]:3000', 'http://[::1]:3000'],
  ])('%s is accepted', (text, url) => {
    expect(parseBaseUrl(text)).toEqual({ ok: true, url });
  });

  it.each([
    '',
    'api.venice.ai',
    'https:api.venice.ai',
    'https:///api.venice.ai',
    'https://',
    'ftp://api.venice.ai',
    'file:///etc/passwd',
    'http://api.venice.ai',
    'http://localhost.example',
    'http://127.0.0.1.example',
    'http://0.0.0.0',
    'https://user:pass@api.venice.ai',
    'https://@api.venice.ai',
    'https://api.venice.ai/?a=1',
    'https://api.venice.ai/?',
    'https://api.venice.ai/#x',
    'https://api.venice.ai/a b',
    'https://api.ven\nice.ai',
    ' https://api.venice.ai',
    'https:\\\\api.venice.ai',
    `https://api.venice.ai/${'x'.repeat(3_000)}`,
  ])('%j is refused with a message', (text) => {
    const parsed = parseBaseUrl(text);
    expect(parsed).toMatchObject({ ok: false, message: expect.stringMatching(/./) });
  });

  it('is always https, or http to this machine', () => {
    fc.assert(
      fc.property(fc.oneof(fc.webUrl({ validSchemes: ['http', 'https'] }), fc.string()), (text) => {
        const parsed = parseBaseUrl(text);
        if (!parsed.ok) return;
        const url = new URL(parsed.url);
        expect(url.protocol === 'https:' || /^(localhost|127\..*|\[::1\])$/.test(url.hostname)).toBe(true);
        expect(parseBaseUrl(parsed.url)).toEqual(parsed);
      }),
    );
  });
});

describe('the API key', () => {
  it('is used unchanged', () => {
    expect(checkApiKey('VENICE-abc_123=')).toEqual({ ok: true, key: 'VENICE-abc_123=' });
  });

  it.each([
    undefined,
    '',
    'abc\n',
    'abc\r\ndef',
    'Bearer abc',
    'a b',
    ' abc',
    'abc\u0000',
    'abcé',
    'k'.repeat(5_000),
  ])('%j is refused', (text) => {
    expect(checkApiKey(text).ok).toBe(false);
  });

  it('appears in no message', () => {
    fc.assert(
      fc.property(fc.string({ minLength: 12 }), (text) => {
        const checked = checkApiKey(text);
        if (!checked.ok) expect(checked.message + checked.hint).not.toContain(text);
      }),
    );
  });
});

describe('the redactor', () => {
  const key = fc
    .string({ unit: 'binary-ascii', minLength: 8, maxLength: 80 })
    .map((text) => text.replace(/[^!-~]/g, 'k'));
  const around = fc.string({ maxLength: 20 });

  it('removes the secret in every form', () => {
    fc.assert(
      fc.property(key, around, around, (secret, before, after) => {
        const redact = createRedactor([secret]);
        const inBase64 = (text: string) => Buffer.from(text).toString('base64');
        for (const form of [
          secret,
          JSON.stringify({ key: secret }),
          encodeURIComponent(secret),
          inBase64(secret),
          Buffer.from(secret).toString('base64url'),
          inBase64(`Bearer ${secret}`),
          inBase64(`${before}${secret}${after}`),
        ]) {
          const clean = redact(`${before}${form}${after}`);
          expect(clean).toContain('[redacted]');
        }
        expect(redact(before + secret + after).replaceAll('[redacted]', '')).not.toContain(secret);
      }),
    );
  });

  it('leaves text without a secret unchanged', () => {
    expect(createRedactor(['secret-key'])('nothing here')).toBe('nothing here');
    expect(createRedactor(['Soundtrack'])('the soundtrack')).toBe('the soundtrack');
    expect(createRedactor(['', ' ', ' \n ', 'h'])('nothing here')).toBe('nothing here');
  });
});

it('a key is removed in upper and lower case too', () => {
  const key = 'VENICE_ADMIN_KEY_aB3$.x+';
  const redact = createRedactor([key]);
  const said = [key, key.toLowerCase(), key.toUpperCase()].map((form) => redact(`bad key ${form}!`));
  expect(new Set(said)).toEqual(new Set(['bad key [redacted]!']));
});

describe('a key that is not there as a whole', () => {
  const secret = 'VENICE_INFERENCE_KEY_q7Zw2LmXk9RtB4vN8sPc';
  const redact = createRedactor([secret]);

  it.each([
    ['cut off', secret.slice(0, 40)],
    ['cut off, without what all keys begin with', secret.slice(21, 36)],
    ['in other letter case', secret.slice(0, 40).toLowerCase()],
    ['of someone else', 'VENICE_ADMIN_KEY_somebodyElses'],
  ])('is removed: %s', (_, form) => {
    expect(redact(`the key ${form}, it says`)).toBe('the key [redacted], it says');
  });

  it.each(['VENICE_INFERENCE_KEY_', secret.slice(21, 32), 'the zeros 000000000000000000'])(
    'leaves what is not secret: %s',
    (text) => {
      expect(createRedactor([secret, '0'.repeat(40)])(text)).toBe(text);
    },
  );
});

describe('the proxy', () => {
  const target = (url: string) => new URL(url);

  it.each([
    ['https://api.venice.ai/api/v1', { HTTPS_PROXY: 'http://p:3128' }, 'http://p:3128'],
    ['https://api.venice.ai', { https_proxy: 'http://low:1', HTTPS_PROXY: 'http://up:2' }, 'http://low:1'],
    ['https://api.venice.ai', { HTTPS_PROXY: 'p:3128' }, 'http://p:3128'],
    ['https://api.venice.ai', { HTTPS_PROXY: 'https://p' }, 'https://p'],
    ['https://api.venice.ai', { HTTPS_PROXY: '' }, undefined],
    ['https://api.venice.ai', { HTTP_PROXY: 'http://p:3128' }, undefined],
    ['https://api.venice.ai', {}, undefined],
    ['http://localhost:3000', { HTTPS_PROXY: 'http://p:3128' }, undefined],
    ['https://127.0.0.1:3000', { HTTPS_PROXY: 'http://p:3128' }, undefined],
  ])('for %s with %j is %s', (url, environment, expected) => {
    expect(proxyFor(target(url), environment)?.url).toBe(expected);
  });

  it.each([
    ['*', false],
    ['api.venice.ai', false],
    ['venice.ai', false],
    ['.venice.ai', false],
    ['*.venice.ai', false],
    ['other.example, VENICE.AI', false],
    ['venice.ai:443', false],
    ['venice.ai:8443', true],
    ['nice.ai', true],
    ['', true],
    [' , ', true],
  ])('with NO_PROXY=%j is used: %s', (no_proxy, asked) => {
    const proxy = proxyFor(target('https://api.venice.ai'), { HTTPS_PROXY: 'http://p', NO_PROXY: no_proxy });
    expect(proxy !== undefined).toBe(asked);
  });

  it('has its credentials separate from its address', () => {
    const proxy = proxyFor(target('https://api.venice.ai'), { HTTPS_PROXY: 'http://me:p%40ss@p:3128' });
    expect(proxy).toEqual({
      url: 'http://p:3128',
      token: `Basic ${Buffer.from('me:p@ss').toString('base64')}`,
    });
  });

  it.each(['socks5://p:1080', 'http://', 'http://a b'])('%j is a usage error', (address) => {
    expect(() => proxyFor(target('https://api.venice.ai'), { HTTPS_PROXY: address })).toThrow(
      expect.objectContaining({ code: 'proxy-invalid', exitCode: 2 }),
    );
  });
});

describe('redacting a value', () => {
  const redact = createRedactor(['the"key\\']);

  it('removes the secret everywhere, and nothing else', () => {
    const value = { message: 'with the"key\\ in it', list: [{ hint: 'the"key\\', count: 3, none: null }] };
    const clean = { message: 'with [redacted] in it', list: [{ hint: '[redacted]', count: 3, none: null }] };
    expect(redactIn(value, redact)).toEqual(clean);
  });

  it('returns the same value if there is no secret', () => {
    const value = { message: 'nothing to see' };
    expect(redactIn(value, redact)).toBe(value);
  });
});
