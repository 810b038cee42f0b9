import * as http from 'node:http';
import * as https from 'node:https';
import type { buildConnector } from 'undici';
import { faultCode } from '../core/errors.js';
import type { ProxyAddress } from './proxy.js';
import { fault } from './send-state.js';

/**
 * Connects through a proxy with CONNECT, one attempt per call. undici 7's own `ProxyAgent` reconnects endlessly and
 * without a pause if the proxy hangs up (nodejs/undici#3897, fixed in 8, which does not run on Node.js 20). Here the
 * caller decides when to retry.
 *
 * @param connect makes the connection inside the tunnel
 * @param timeoutMs until the tunnel is established
 */
export function tunnelThrough(
  proxy: ProxyAddress,
  connect: buildConnector.connector,
  timeoutMs: number,
): buildConnector.connector {
  return (options, callback) => {
    const port = options.port || '443';
    const target = `${options.hostname.includes(':') ? `[${options.hostname}]` : options.hostname}:${port}`;
    const asked = requestTunnel(proxy, target);
    const late = fault('PROXY_TIMEOUT', `the proxy did not open a tunnel within ${timeoutMs} ms`);
    const timer = setTimeout(() => asked.destroy(late), timeoutMs);
    asked.once('connect', ({ statusCode = 0 }, socket, head) => {
      clearTimeout(timer);
      if (statusCode !== 200) {
        socket.destroy();
        callback(fault('PROXY_REFUSED', refusal(statusCode, proxy)), null);
        return;
      }
      if (head.length > 0) socket.unshift(head);
      connect({ ...options, httpSocket: socket as never }, callback);
    });
    asked.once('error', (error) => {
      clearTimeout(timer);
      const code = faultCode(error) || 'PROXY';
      callback(error === late ? error : fault(code, `no tunnel through the proxy: ${error.message}`), null);
    });
    asked.end();
  };
}

function refusal(status: number, { token }: ProxyAddress): string {
  if (status !== 407) return `the proxy responded with status ${status}`;
  return token === undefined
    ? 'the proxy requires a user name and password: in HTTPS_PROXY, write USER:PASSWORD@ before its host'
    : 'the proxy refused the user name and password in HTTPS_PROXY';
}

function requestTunnel({ url, token }: ProxyAddress, target: string): http.ClientRequest {
  const { protocol, hostname, port } = new URL(url);
  const { request } = protocol === 'https:' ? https : http;
  return request({
    method: 'CONNECT',
    host: hostname.replace(/^\[|\]$/g, ''),
    port: port || (protocol === 'https:' ? 443 : 80),
    path: target,
    headers: { host: target, ...(token === undefined ? {} : { 'proxy-authorization': token }) },
    // No agent: a kept-alive connection cannot become a tunnel.
    agent: false,
  });
}
