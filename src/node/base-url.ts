export type BaseUrl =
  /** Without a trailing slash. */
  | { readonly ok: true; readonly url: string }
  | { readonly ok: false; readonly message: string; readonly hint: string };

const HINT = 'give an address such as https://api.venice.ai/api/v1; http is for this machine only';

/** Checks the address of the API: https, or http to this machine; no credentials, query or fragment. */
export function parseBaseUrl(text: string): BaseUrl {
  const wrong = (message: string): BaseUrl => ({ ok: false, message, hint: HINT });
  // Checks the text, because `URL` silently corrects or drops some of this.
  if (text.length > 2_000) return wrong('the base URL is too long');
  if (/[\s\\\u0000-\u001f\u007f]/.test(text)) {
    return wrong('the base URL contains a space, a backslash or a control character');
  }
  if (!/^https?:\/\/[^/]/i.test(text) || !URL.canParse(text)) {
    return wrong('the base URL is not an http(s) address');
  }
  if (/^[^/]*\/\/[^/]*@/.test(text)) return wrong('the base URL contains credentials');
  if (/[?#]/.test(text)) return wrong('the base URL has a query or a fragment');
  const url = new URL(text);
  if (url.protocol === 'http:' && !isLoopback(url.hostname)) {
    return wrong(`http to ${url.hostname} would send the API key unencrypted`);
  }
  return { ok: true, url: url.origin + url.pathname.replace(/\/+$/, '') };
}

/**
 * A form of an address that is safe to show, even if it is unusable: if it may contain a secret (credentials, a query),
 * only its origin, or nothing.
 */
export function shownBaseUrl(text: string): string {
  if (!/[@?#]/.test(text) || parseBaseUrl(text).ok) return text;
  return /^https?:/i.test(text) && URL.canParse(text) ? new URL(text).origin : '';
}

/** @param hostname as in `URL`: lower case, IPv4 in plain form, IPv6 in brackets */
export function isLoopback(hostname: string): boolean {
  return hostname === 'localhost' || hostname === '[::1]' || /^127\.\d+\.\d+\.\d+$/.test(hostname);
}
