import { execFile } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:https';
import { type AddressInfo, connect } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { selfSigned } from './certificate.js';
import { onRequest, rawServer } from './raw-server.js';

const CHILD = fileURLToPath(new URL('./https-child.ts', import.meta.url));

let directory = '';
let authority = '';
let server: Server;
let port = 0;
/** What the server saw of each request. */
let seen: { authorization: string | undefined; resumed: boolean }[] = [];

beforeAll(async () => {
  directory = mkdtempSync(path.join(tmpdir(), 'venice-https-'));
  authority = path.join(directory, 'ca.pem');
  const { key, cert } = selfSigned(['localhost', 'api.example'], Date.now());
  writeFileSync(authority, cert);
  server = createServer({ key, cert }, (request, response) => {
    const { authorization } = request.headers;
    const resumed = (request.socket as { isSessionReused?: () => boolean }).isSessionReused?.() ?? false;
    seen.push({ authorization, resumed });
    response.setHeader('content-type', 'application/json').end('{"ok":true}');
  });
  await once(server.listen(0, '127.0.0.1'), 'listening');
  port = (server.address() as AddressInfo).port;
});

afterAll(() => {
  server.closeAllConnections();
  server.close();
  rmSync(directory, { recursive: true, force: true });
});

/** A process of its own, since Node reads the extra CAs only once, at its start. */
async function ask(environment: Record<string, string>): Promise<unknown[]> {
  seen = [];
  const { stdout } = await promisify(execFile)(process.execPath, ['--import', 'tsx', CHILD], {
    env: { PATH: process.env.PATH, ...environment },
    timeout: 30_000,
  });
  return JSON.parse(stdout) as unknown[];
}

const ANSWERED = Array(3).fill({ status: 200, text: '{"ok":true}' });

describe('https', () => {
  it('works with a CA of NODE_EXTRA_CA_CERTS, and new connections resume the TLS session', async () => {
    const outcomes = await ask({
      BASE_URL: `https://localhost:${port}`,
      NODE_EXTRA_CA_CERTS: authority,
    });
    expect(outcomes).toEqual(ANSWERED);
    expect(seen.map(({ authorization }) => authorization)).toEqual(Array(3).fill('Bearer key-of-the-child'));
    expect(seen.at(-1)?.resumed).toBe(true);
  });

  it('sends nothing to a server whose certificate is not trusted', async () => {
    const outcomes = await ask({ BASE_URL: `https://localhost:${port}` });
    expect(outcomes).toEqual(Array(3).fill({ sent: false, code: expect.stringMatching(/CERT|SELF_SIGNED/) }));
    expect(seen).toEqual([]);
  });

  it('uses a tunnel through HTTPS_PROXY, which does not see the key', async () => {
    let passed = '';
    const proxy = await rawServer((socket) => {
      const note = (piece: Buffer) => {
        passed += piece.toString('latin1');
      };
      onRequest(socket, ({ line }) => {
        passed += line;
        socket.removeAllListeners('data').on('data', note);
        const onward = connect(port, '127.0.0.1', () => {
          socket.write('HTTP/1.1 200 X\r\n\r\n');
          socket.pipe(onward).pipe(socket);
        });
        onward.on('error', () => socket.destroy());
      });
    });
    const outcomes = await ask({
      BASE_URL: 'https://api.example',
      NODE_EXTRA_CA_CERTS: authority,
      HTTPS_PROXY: `http://me:pass@127.0.0.1:${proxy.port}`,
    });
    await proxy.close();
    expect(outcomes).toEqual(ANSWERED);
    expect(passed).toMatch(/^CONNECT api\.example:443/);
    expect(passed.length).toBeGreaterThan(1_000);
    expect(passed).not.toContain('key-of-the-child');
    expect(proxy.connections).toBe(3);
  });
});
