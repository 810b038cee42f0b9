import { timingSafeEqual } from 'node:crypto';

/** The parts of a request that identify the sender. Header names in lower case. */
export interface Requester {
  readonly method: string;
  /** With its leading slash, and its query. */
  readonly target: string;
  readonly headers: Readonly<Record<string, string | readonly string[] | undefined>>;
}

export type Admission =
  /** `path`: below the token, with its leading slash. */
  | { readonly kind: 'admitted'; readonly path: string }
  | { readonly kind: 'refused'; readonly status: 403 | 405; readonly text: string };

/**
 * Admits only browsers on this machine that were given the address. The token keeps out other users and programs, the
 * host check keeps out names pointed at this machine (DNS rebinding), and the origin check keeps out other sites.
 */
export function admit({ method, target, headers }: Requester, port: number, token: string): Admission {
  const hosts = [`127.0.0.1:${port}`, `localhost:${port}`];
  if (!hosts.includes(String(headers.host ?? '').toLowerCase())) return refused(403, 'Wrong host.');
  const { origin } = headers;
  if (origin !== undefined && !hosts.some((host) => origin === `http://${host}`))
    return refused(403, 'Wrong origin.');
  if (headers['sec-fetch-site'] === 'cross-site' && headers['sec-fetch-mode'] !== 'navigate')
    return refused(403, 'Wrong origin.');
  const [, first = '', rest = ''] = /^\/([^/?]*)(.*)$/.exec(target) ?? [];
  if (!same(first, token)) return refused(403, 'Wrong address: use the one that venice-batch printed.');
  if (method === 'POST' && origin === undefined) return refused(403, 'Wrong origin.');
  if (!['GET', 'HEAD', 'POST'].includes(method)) return refused(405, 'No such method.');
  return { kind: 'admitted', path: rest.replace(/\?.*$/, '') };
}

function refused(status: 403 | 405, text: string): Admission {
  return { kind: 'refused', status, text };
}

/** Takes the same time wherever they differ. */
function same(given: string, wanted: string): boolean {
  const [a, b] = [Buffer.from(given), Buffer.from(wanted)];
  return a.byteLength === b.byteLength && timingSafeEqual(a, b);
}

/** For every answer: loads nothing from other hosts, and no other site may show or read it. */
export const SAFE_HEADERS: Readonly<Record<string, string>> = {
  'content-security-policy':
    "default-src 'none'; script-src 'self'; style-src 'self'; media-src 'self'; connect-src 'self'; img-src data:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
  'cross-origin-opener-policy': 'same-origin',
  'cross-origin-resource-policy': 'same-origin',
  'referrer-policy': 'no-referrer',
  'x-content-type-options': 'nosniff',
};
