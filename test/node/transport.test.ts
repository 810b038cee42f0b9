import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import type { Socket } from 'node:net';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { TransportAnswer, TransportRequest } from '../../src/core/ports.js';
import { createTransport, type TransportOptions } from '../../src/node/transport.js';
import { answerText, onRequest, type RawRequest, rawServer } from './raw-server.js';

const KEY = 'secret-key-0123456789';
const JSON_TYPE = { 'content-type': 'application/json' };

const post = (more: Partial<TransportRequest> = {}): TransportRequest => ({
  method: 'POST',
  path: '/audio/queue',
  body: '{"model":"m","prompt":"p"}',
  deadlineMs: 10_000,
  ...more,
});

let cleanUps: (() => Promise<unknown>)[] = [];
/** Requests that undici itself reports as written: an independent check of `sent`. */
let written = 0;
const onWritten = () => {
  written += 1;
};

beforeEach(() => {
  written = 0;
  subscribe('undici:client:sendHeaders', onWritten);
});

afterEach(async () => {
  unsubscribe('undici:client:sendHeaders', onWritten);
  for (const cleanUp of cleanUps.reverse()) await cleanUp();
  cleanUps = [];
});

async function serve(script: (socket: Socket, connection: number) => void) {
  const server = await rawServer(script);
  cleanUps.push(server.close);
  return server;
}

function transportTo(baseUrl: string, more: Partial<TransportOptions> = {}) {
  const opened = createTransport({ baseUrl, apiKey: KEY, environment: {}, ...more });
  cleanUps.push(opened.close);
  return opened.transport;
}

const http = (port: number) => `http://127.0.0.1:${port}/api/v1`;

function answered(result: Awaited<ReturnType<ReturnType<typeof transportTo>>>): TransportAnswer {
  if (result.kind !== 'answer') throw new Error(`no answer: ${result.code}`);
  return result;
}

async function textOf(answer: TransportAnswer): Promise<string> {
  const pieces: Uint8Array[] = [];
  for await (const piece of answer.body) pieces.push(piece);
  return Buffer.concat(pieces).toString('utf8');
}

/** One turn of the event loop: undici reuses a connection only after that. */
const turn = () => new Promise((next) => setImmediate(next));

describe('a request that is answered', () => {
  it('goes to the base URL with key and JSON, without compression, and returns status, headers and body', async () => {
    const seen: RawRequest[] = [];
    const server = await serve((socket) =>
      onRequest(socket, (request) => {
        seen.push(request);
        socket.write(answerText(200, { ...JSON_TYPE, 'X-RateLimit-Limit-Requests': '60' }, '{"a":1}'));
      }),
    );
    const answer = answered(await transportTo(`${http(server.port)}/`)(post()));
    expect(await textOf(answer)).toBe('{"a":1}');
    expect(answer).toMatchObject({ status: 200, framed: true });
    expect(answer.headers['x-ratelimit-limit-requests']).toBe('60');
    expect(seen[0]).toMatchObject({
      line: 'POST /api/v1/audio/queue HTTP/1.1',
      body: '{"model":"m","prompt":"p"}',
      headers: {
        authorization: `Bearer ${KEY}`,
        'accept-encoding': 'identity',
        'content-type': 'application/json',
      },
    });
    expect(seen[0]?.headers['user-agent']).toMatch(/^venice-batch\/\d+\.\d+\.\d+/);
  });

  it('carries no authorization where there is no key', async () => {
    const seen: RawRequest[] = [];
    const server = await serve((socket) =>
      onRequest(socket, (request) => {
        seen.push(request);
        socket.write(answerText(200, JSON_TYPE, '{}'));
      }),
    );
    const { transport, close } = createTransport({ baseUrl: http(server.port), environment: {} });
    cleanUps.push(close);
    await textOf(answered(await transport({ method: 'GET', path: '/models?type=music', deadlineMs: 5_000 })));
    expect(seen[0]?.line).toBe('GET /api/v1/models?type=music HTTP/1.1');
    expect(seen[0]?.headers).not.toHaveProperty('authorization');
    expect(seen[0]?.headers).not.toHaveProperty('content-type');
  });

  it('stays at the origin of the base URL for any path', async () => {
    const seen: RawRequest[] = [];
    const server = await serve((socket) =>
      onRequest(socket, (request) => {
        seen.push(request);
        socket.write(answerText(404, JSON_TYPE, '{}'));
      }),
    );
    const transport = transportTo(`http://127.0.0.1:${server.port}`);
    for (const path of ['//evil.example/x', '/@evil.example', '/../x']) {
      await textOf(answered(await transport(post({ path }))));
    }
    expect(seen.map(({ headers }) => headers.host)).toEqual(Array(3).fill(`127.0.0.1:${server.port}`));
  });

  it('reuses a connection, but never for a request that needs a fresh one', async () => {
    const by: number[] = [];
    const server = await serve((socket, connection) =>
      onRequest(socket, () => {
        by.push(connection);
        socket.write(answerText(200, JSON_TYPE, '{}'));
      }),
    );
    const transport = transportTo(http(server.port));
    for (const freshConnection of [false, false, true, true, false]) {
      await textOf(answered(await transport(post({ freshConnection }))));
      await turn();
    }
    expect(by).toEqual([1, 1, 2, 3, 1]);
  });
});

describe('a request that was certainly not sent', () => {
  const expectNotSent = async (
    transport: ReturnType<typeof transportTo>,
    request: TransportRequest = post(),
  ): Promise<string> => {
    for (const freshConnection of [false, true]) {
      const result = await transport({ ...request, freshConnection });
      expect(result).toMatchObject({ kind: 'no_answer', sent: false });
    }
    expect(written).toBe(0);
    const result = await transport(request);
    return result.kind === 'no_answer' ? result.code : '';
  };

  it('has a refused connection', async () => {
    const server = await rawServer(() => {});
    await server.close();
    expect(await expectNotSent(transportTo(http(server.port)))).toBe('ECONNREFUSED');
  });

  it('has a name that does not resolve', async () => {
    // A label of more than 63 characters is invalid, so no resolver outside is asked.
    const code = await expectNotSent(transportTo(`https://${'x'.repeat(64)}.invalid`));
    expect(code).toMatch(/^(ENOTFOUND|EAI_)/);
  });

  it('has a connection that is never made', async () => {
    const server = await serve(() => {});
    const transport = transportTo(`https://127.0.0.1:${server.port}`, { connectTimeoutMs: 100 });
    expect(await expectNotSent(transport)).toBe('UND_ERR_CONNECT_TIMEOUT');
  });

  it('has a TLS handshake with something that speaks no TLS', async () => {
    const server = await serve((socket) => socket.once('data', () => socket.end('HTTP/1.1 400 X\r\n\r\n')));
    expect(await expectNotSent(transportTo(`https://127.0.0.1:${server.port}`))).toMatch(/SSL|EPROTO/);
  });

  it('has a TLS handshake that is reset, with the very code of a reset after sending', async () => {
    const server = await serve((socket) => socket.once('data', () => socket.resetAndDestroy()));
    expect(await expectNotSent(transportTo(`https://127.0.0.1:${server.port}`))).toBe('ECONNRESET');
  });

  it('has its deadline pass before there is a connection', async () => {
    const server = await serve(() => {});
    const transport = transportTo(`https://127.0.0.1:${server.port}`);
    expect(await expectNotSent(transport, post({ deadlineMs: 50 }))).toBe('DEADLINE');
  });

  it('comes after the transport was closed', async () => {
    const server = await serve(() => {});
    const { transport, close } = createTransport({ baseUrl: http(server.port), environment: {} });
    await close();
    for (const freshConnection of [false, true]) {
      expect(await transport(post({ freshConnection }))).toMatchObject({ kind: 'no_answer', sent: false });
    }
    expect(server.connections).toBe(0);
  });
});

describe('a request that may have been received', () => {
  for (const freshConnection of [false, true]) {
    const on = freshConnection ? 'a fresh connection' : 'a pooled connection';
    const expectSent = async (script: (socket: Socket) => void, more: Partial<TransportRequest> = {}) => {
      const server = await serve(script);
      const result = await transportTo(http(server.port))(post({ freshConnection, ...more }));
      expect(result).toMatchObject({ kind: 'no_answer', sent: true });
      expect(written).toBe(1);
      expect(server.connections).toBe(1);
      return result.kind === 'no_answer' ? result.code : '';
    };

    it(`is reset before it was read, on ${on}`, async () => {
      const code = await expectSent((socket) => socket.once('readable', () => socket.resetAndDestroy()));
      expect(['ECONNRESET', 'UND_ERR_SOCKET', 'EPIPE']).toContain(code);
    });

    it(`is reset after it was read, on ${on}`, async () => {
      const code = await expectSent((socket) => onRequest(socket, () => socket.resetAndDestroy()));
      expect(['ECONNRESET', 'UND_ERR_SOCKET']).toContain(code);
    });

    it(`is closed upon without a response, on ${on}`, async () => {
      expect(await expectSent((socket) => onRequest(socket, () => socket.end()))).toBe('UND_ERR_SOCKET');
    });

    it(`is never answered, on ${on}`, async () => {
      expect(await expectSent((socket) => onRequest(socket, () => {}), { deadlineMs: 100 })).toBe('DEADLINE');
    });

    it(`has no answer in time, on ${on}`, async () => {
      const server = await serve((socket) => onRequest(socket, () => socket.write('HTTP/1.1 103 X\r\n\r\n')));
      const result = await transportTo(http(server.port))(post({ freshConnection, headersDeadlineMs: 100 }));
      const message = expect.stringContaining('no response began within 100 ms');
      expect(result).toMatchObject({ kind: 'no_answer', sent: true, code: 'DEADLINE', message });
    });

    it(`is answered with something other than HTTP, on ${on}`, async () => {
      const code = await expectSent((socket) => onRequest(socket, () => socket.end('SSH-2.0-OpenSSH\r\n')));
      expect(code).toMatch(/^HPE_|^HTTPParserError$/);
    });

    it(`is answered with endless headers, on ${on}`, async () => {
      const code = await expectSent((socket) =>
        onRequest(socket, () => {
          socket.write('HTTP/1.1 200 X\r\n');
          const more = () => {
            while (!socket.destroyed && socket.write(`x-more: ${'y'.repeat(8_000)}\r\n`));
          };
          socket.on('drain', more);
          more();
        }),
      );
      expect(code).toBe('UND_ERR_HEADERS_OVERFLOW');
    });

    it(`is answered with endless informational responses, on ${on}`, async () => {
      const code = await expectSent((socket) =>
        onRequest(socket, () => {
          const more = () => {
            while (!socket.destroyed && socket.write('HTTP/1.1 103 Early Hints\r\nlink: </x>\r\n\r\n'));
          };
          socket.on('drain', more);
          more();
        }),
      );
      expect(code).toBe('INFORMATIONAL');
    });
  }

  it('meets a kept connection that the server closes at that moment', async () => {
    const server = await serve((socket) =>
      onRequest(socket, (_, count) => {
        if (count === 1) socket.write(answerText(200, JSON_TYPE, '{}'));
        else socket.resetAndDestroy();
      }),
    );
    const transport = transportTo(http(server.port));
    await textOf(answered(await transport(post())));
    await turn();
    expect(await transport(post())).toMatchObject({ kind: 'no_answer', sent: true });
    expect(server.connections).toBe(1);
    expect(written).toBe(2);
    // The submit is not exposed to this.
    await textOf(answered(await transport(post({ freshConnection: true }))));
  });

  it('has no secret in its error', async () => {
    const server = await serve((socket) =>
      onRequest(socket, ({ headers }) => socket.end(`HTTP/1.1 ${headers.authorization}\r\n\r\n`)),
    );
    const result = await transportTo(http(server.port))(post());
    expect(result.kind).toBe('no_answer');
    expect(JSON.stringify(result)).not.toContain(KEY);
  });
});

describe('the body of a response', () => {
  const answerWith = async (write: (socket: Socket) => void, more: Partial<TransportOptions> = {}) => {
    const server = await serve((socket) => onRequest(socket, () => write(socket)));
    return { server, transport: transportTo(http(server.port), more) };
  };

  it('that is shorter than its length says is a fault', async () => {
    const { transport } = await answerWith((socket) =>
      socket.end('HTTP/1.1 200 X\r\ncontent-length: 100\r\n\r\nhalf'),
    );
    const answer = answered(await transport(post()));
    expect(answer.framed).toBe(true);
    await expect(textOf(answer)).rejects.toHaveProperty('code', expect.stringMatching(/./));
  });

  it('that is cut between chunks is a fault', async () => {
    const { transport } = await answerWith((socket) =>
      socket.end('HTTP/1.1 200 X\r\ntransfer-encoding: chunked\r\n\r\n4\r\nhalf\r\n'),
    );
    const answer = answered(await transport(post()));
    expect(answer.framed).toBe(true);
    await expect(textOf(answer)).rejects.toHaveProperty('code', expect.stringMatching(/./));
  });

  it('without an end mark looks complete when cut, and is marked as such', async () => {
    const { transport } = await answerWith((socket) => socket.end('HTTP/1.1 200 X\r\n\r\nhalf'));
    const answer = answered(await transport(post()));
    expect(answer.framed).toBe(false);
    expect(await textOf(answer)).toBe('half');
  });

  it('that arrives too slowly for the deadline is a fault', async () => {
    const { transport } = await answerWith((socket) => {
      socket.write('HTTP/1.1 200 X\r\ncontent-length: 1000000\r\n\r\n');
      const drip = setInterval(() => socket.write('.'), 10);
      socket.on('close', () => clearInterval(drip));
    });
    const answer = answered(await transport(post({ deadlineMs: 300 })));
    await expect(textOf(answer)).rejects.toHaveProperty('code', 'DEADLINE');
  });

  it('may take longer than its headers', async () => {
    const { transport } = await answerWith((socket) => {
      socket.write('HTTP/1.1 200 X\r\ncontent-length: 40\r\n\r\n');
      let dripped = 0;
      const drip = setInterval(() => {
        socket.write('.');
        dripped += 1;
        if (dripped === 40) clearInterval(drip);
      }, 10);
      socket.on('close', () => clearInterval(drip));
    });
    expect(await textOf(answered(await transport(post({ headersDeadlineMs: 300 }))))).toHaveLength(40);
  });

  it('that stops coming is a fault', async () => {
    const { transport } = await answerWith(
      (socket) => socket.write('HTTP/1.1 200 X\r\ncontent-length: 100\r\n\r\nhalf'),
      { idleTimeoutMs: 50 },
    );
    await expect(textOf(answered(await transport(post())))).rejects.toHaveProperty('code', 'DEADLINE');
  });

  it('that broke off before it was read is a fault, and no unhandled rejection', async () => {
    let gone: Promise<unknown> = Promise.resolve();
    const { transport } = await answerWith((socket) => {
      gone = new Promise((closed) => socket.on('close', closed));
      socket.write('HTTP/1.1 200 X\r\ncontent-length: 100\r\n\r\nhalf', () => socket.resetAndDestroy());
    });
    const answer = answered(await transport(post()));
    await gone;
    await expect(textOf(answer)).rejects.toHaveProperty('code', expect.stringMatching(/./));
  });

  it('that is discarded frees its connection', async () => {
    let closed: Promise<unknown> | undefined;
    const { transport } = await answerWith((socket) => {
      closed = new Promise((resolve) => socket.on('close', () => resolve('closed')));
      socket.write('HTTP/1.1 200 X\r\ncontent-length: 1000000\r\n\r\nhalf');
    });
    answered(await transport(post())).discard();
    expect(await closed).toBe('closed');
  });

  it('that never ends is received only as fast as it is read, and closed when the reader stops', async () => {
    let sent = 0;
    let closed: Promise<unknown> = Promise.resolve();
    const piece = 'y'.repeat(65_536);
    const { transport } = await answerWith((socket) => {
      closed = new Promise((resolve) => socket.on('close', resolve));
      socket.write('HTTP/1.1 200 X\r\n\r\n');
      const more = () => {
        while (!socket.destroyed && socket.write(piece)) sent += piece.length;
      };
      socket.on('drain', more);
      more();
    });
    let taken = 0;
    for await (const chunk of answered(await transport(post())).body) {
      taken += chunk.byteLength;
      if (taken > 1_000_000) break;
    }
    await closed;
    expect(sent).toBeLessThan(taken + 64 * 1024 * 1024);
  });
});

describe('a redirect', () => {
  for (const status of [301, 302, 303, 307, 308]) {
    it(`with status ${status} is returned unchanged, and the other host is not contacted`, async () => {
      const other = await serve(() => {});
      const server = await serve((socket) =>
        onRequest(socket, () =>
          socket.write(answerText(status, { location: `http://127.0.0.1:${other.port}/x` }, '')),
        ),
      );
      const answer = answered(await transportTo(http(server.port))(post()));
      expect(answer.status).toBe(status);
      expect(await textOf(answer)).toBe('');
      expect(other.connections).toBe(0);
      expect(written).toBe(1);
    });
  }
});

describe('a URL of another host', () => {
  it('is requested without the key', async () => {
    const seen: RawRequest[] = [];
    const server = await serve((socket) =>
      onRequest(socket, (request) => {
        seen.push(request);
        socket.write(answerText(200, { 'content-type': 'audio/mpeg' }, 'ID3'));
      }),
    );
    const elsewhere = `http://127.0.0.1:${server.port}/results/a.mp3?sig=1`;
    const request = { method: 'GET', path: '', deadlineMs: 5_000, elsewhere } as const;
    expect(await textOf(answered(await transportTo(http(server.port))(request)))).toBe('ID3');
    expect(seen[0]?.line).toBe('GET /results/a.mp3?sig=1 HTTP/1.1');
    expect(JSON.stringify(seen)).not.toContain(KEY);
  });

  it('is requested only over https', async () => {
    const other = await serve(() => {});
    const transport = transportTo('https://api.example');
    for (const elsewhere of [
      `http://127.0.0.1:${other.port}/x`,
      'file:///etc/passwd',
      'data:audio/mpeg,x',
      'x',
    ]) {
      const result = await transport({ method: 'GET', path: '', deadlineMs: 5_000, elsewhere });
      expect(result).toMatchObject({ kind: 'no_answer', sent: false, code: 'NOT_ALLOWED' });
    }
    expect(other.connections).toBe(0);
  });
});

describe('an unusable proxy', () => {
  const environment = { HTTPS_PROXY: 'socks5://p:1080', NO_PROXY: 'api.example' };

  it('is reported at once', () => {
    expect(() => createTransport({ baseUrl: 'https://venice.example', environment })).toThrow(
      expect.objectContaining({ code: 'proxy-invalid' }),
    );
  });

  it('prevents requests to other hosts without an exception', async () => {
    const transport = transportTo('https://api.example', { environment });
    const request = {
      method: 'GET',
      path: '',
      deadlineMs: 5_000,
      elsewhere: 'https://cdn.example/x',
    } as const;
    expect(await transport(request)).toMatchObject({ kind: 'no_answer', sent: false, code: 'NOT_ALLOWED' });
  });
});

describe('a proxy', () => {
  const throughProxy = async (script: (socket: Socket) => void) => {
    const seen: RawRequest[] = [];
    const proxy = await serve((socket) =>
      onRequest(socket, (request) => {
        seen.push(request);
        script(socket);
      }),
    );
    const environment = { HTTPS_PROXY: `http://user:pass%20word@127.0.0.1:${proxy.port}` };
    return { seen, proxy, transport: transportTo('https://api.example', { environment }) };
  };

  it('gets its own credentials but never the key, and nothing was sent if it refuses', async () => {
    const { seen, transport } = await throughProxy((socket) => socket.end('HTTP/1.1 407 X\r\n\r\n'));
    for (const freshConnection of [false, true]) {
      expect(await transport(post({ freshConnection }))).toMatchObject({ kind: 'no_answer', sent: false });
    }
    expect(seen.map(({ line }) => line)).toEqual(Array(2).fill('CONNECT api.example:443 HTTP/1.1'));
    expect(seen[0]?.headers['proxy-authorization']).toBe(
      `Basic ${Buffer.from('user:pass word').toString('base64')}`,
    );
    expect(JSON.stringify(seen)).not.toContain(KEY);
  });

  it('says how to give the user name and password that it requires', async () => {
    const proxy = await serve((socket) => onRequest(socket, () => socket.end('HTTP/1.1 407 X\r\n\r\n')));
    const environment = { HTTPS_PROXY: `http://127.0.0.1:${proxy.port}` };
    const answer = await transportTo('https://api.example', { environment })(post());
    expect('message' in answer && answer.message).toContain('USER:PASSWORD@');
  });

  it.each<[string, (socket: Socket) => void]>([
    ['hangs up', (socket) => socket.destroy()],
    ['ends without an answer', (socket) => socket.end()],
    ['breaks off in its answer', (socket) => socket.end('HTTP/1.1 200')],
    ['answers with a page', (socket) => socket.end('HTTP/1.1 502 X\r\ncontent-length: 2\r\n\r\nno')],
    ['answers with something other than HTTP', (socket) => socket.end('220 mail ready\r\n\r\n')],
  ])('that %s is used once for each request', async (_, script) => {
    const { proxy, transport } = await throughProxy(script);
    for (const freshConnection of [false, true])
      expect(await transport(post({ freshConnection }))).toMatchObject({ kind: 'no_answer', sent: false });
    expect(proxy.connections).toBe(2);
  });

  it('that never answers is abandoned after the connection timeout', async () => {
    const proxy = await serve(() => {});
    const environment = { HTTPS_PROXY: `http://127.0.0.1:${proxy.port}` };
    const transport = transportTo('https://api.example', { environment, connectTimeoutMs: 50 });
    expect(await transport(post())).toMatchObject({ sent: false, code: 'PROXY_TIMEOUT' });
    expect(proxy.connections).toBe(1);
  });

  it('that connects to something without TLS lets nothing be sent', async () => {
    const { seen, transport } = await throughProxy((socket) => {
      socket.write('HTTP/1.1 200 X\r\n\r\n');
      socket.once('data', () => socket.end('garbage'));
    });
    expect(await transport(post())).toMatchObject({ kind: 'no_answer', sent: false });
    expect(seen).toHaveLength(1);
  });

  it('is not used for this machine', async () => {
    const server = await serve((socket) =>
      onRequest(socket, () => socket.write(answerText(200, JSON_TYPE, '{}'))),
    );
    const environment = { HTTPS_PROXY: 'http://127.0.0.1:9', HTTP_PROXY: 'http://127.0.0.1:9' };
    const transport = transportTo(http(server.port), { environment });
    expect(answered(await transport(post())).status).toBe(200);
  });
});
