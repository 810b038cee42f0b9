import { usageError } from '../core/errors.js';
import { isLoopback } from './base-url.js';

export type Environment = Readonly<Record<string, string | undefined>>;

export interface ProxyAddress {
  /** Without credentials. */
  readonly url: string;
  /** `Proxy-Authorization`, a secret. */
  readonly token?: string;
}

/**
 * The proxy for an address according to `HTTPS_PROXY` and `NO_PROXY` (lower case first). This machine is never
 * contacted through a proxy. Throws a `BatchError` for an invalid proxy address.
 */
export function proxyFor(target: URL, environment: Environment): ProxyAddress | undefined {
  const text = (environment.https_proxy ?? environment.HTTPS_PROXY ?? '').trim();
  const except = environment.no_proxy ?? environment.NO_PROXY ?? '';
  if (text === '' || isLoopback(target.hostname) || isExcepted(target, except)) return undefined;
  const address = text.includes('://') ? text : `http://${text}`;
  if (!/^https?:\/\//i.test(address) || !URL.canParse(address)) {
    throw usageError(
      'HTTPS_PROXY is not an http(s) address',
      'set it to an address such as http://proxy.example:3128, or unset it',
      'proxy-invalid',
    );
  }
  const url = new URL(address);
  if (url.username === '' && url.password === '') return { url: url.origin };
  const credentials = `${unescaped(url.username)}:${unescaped(url.password)}`;
  return { url: url.origin, token: `Basic ${Buffer.from(credentials).toString('base64')}` };
}

/** `*`, or a list of hosts including their subdomains, optionally with a port: `.example.com`, `host:8443`. */
function isExcepted(target: URL, list: string): boolean {
  const port = target.port || (target.protocol === 'https:' ? '443' : '80');
  return list.split(/[,\s]+/).some((entry) => {
    if (entry === '*') return true;
    const [, name = '', onlyPort] = /^(.*?)(?::(\d+))?$/.exec(entry.toLowerCase()) ?? [];
    const host = name.replace(/^\*?\./, '');
    if (host === '' || (onlyPort !== undefined && onlyPort !== port)) return false;
    return target.hostname === host || target.hostname.endsWith(`.${host}`);
  });
}

function unescaped(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}
