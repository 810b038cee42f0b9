import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { shownAddress, withShownAddresses } from '../../src/core/shown-address.js';

describe('a URL of another host', () => {
  it.each([
    ['https://user:pw@cdn.example/a/b?X-Signature=s#t', 'https://cdn.example/a/b'],
    ['HTTPS://CDN.example:8443/a', 'https://cdn.example:8443/a'],
    ['/login?token=s', '/login'],
    ['//user:pw@host.example/p?x=s', '//host.example/p'],
    ['?only=s', '/'],
    ['javascript:s', 'an address of the kind javascript:'],
    ['data:text/plain,s', 'an address of the kind data:'],
    ['http://[', 'an address that cannot be read'],
  ])('is shown without secrets: %s as %s', (address, shown) => {
    expect(shownAddress(address)).toBe(shown);
  });

  it('is found in any text, even in JSON that escapes slashes', () => {
    expect(withShownAddresses('see https://a.example/x?s=1, or "http:\\/\\/u:p@b.example\\/y?s#z"')).toBe(
      'see https://a.example/x, or "http://b.example/y"',
    );
  });

  it('is found with another scheme, or with none before its credentials', () => {
    expect(withShownAddresses('by socks5://u:p@b.example:1080 or u:p@c.example:80, at 12:30')).toBe(
      'by an address of the kind socks5: or c.example:80, at 12:30',
    );
  });

  it.each([
    ['//u:p@b.example/y?s=1&t=2', '//b.example/y'],
    ['(b.example:8443/y?X-Signature=s)', '(b.example:8443/y'],
    ['b.example?token=s', 'b.example'],
    ['u:p@b.example/y?s=1', 'b.example/y'],
    ['GET /models?type=music', 'GET /models?type=music'],
    ['is that so?a=b', 'is that so?a=b'],
  ])('is found without a scheme: %s', (text, shown) => {
    expect(withShownAddresses(text)).toBe(shown);
  });

  it('never shows its query, its fragment or its credentials', () => {
    const secret = fc.stringMatching(/^[A-Za-z0-9]{12}$/);
    fc.assert(
      fc.property(fc.webUrl(), secret, (url, word) => {
        const { protocol, host, pathname } = new URL(url);
        const address = `${protocol}//u:${word}@${host}${pathname}?a=${word}#${word}`;
        expect(shownAddress(address)).toBe(`${protocol}//${host}${pathname}`);
        expect(withShownAddresses(`to ${address} now`)).not.toContain(word);
      }),
    );
  });
});
