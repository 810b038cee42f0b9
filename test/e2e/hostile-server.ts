import { drained } from '../../src/sandbox/server.js';
import { type Passing, passOn, type Treat } from './relay.js';

/*
 * What a broken proxy or a hostile service does to a request. Everything is bounded: it ends when the program hangs up,
 * or after more than the program should ever accept.
 */

/** Treats the requests of one path this way, and passes all others on. */
export function only(path: string, treat: Treat): Treat {
  return (passing) => (passing.path.split('?')[0] === path ? treat(passing) : passOn(passing));
}

/** Treats only the first `count` of them this way. */
export function first(count: number, treat: Treat): Treat {
  let left = count;
  return (passing) => {
    left -= 1;
    return left >= 0 ? treat(passing) : passOn(passing);
  };
}

const PAGE = '<!doctype html><title>Oops</title><h1>Something stands between us</h1>';

export function html(status: number, headers: Readonly<Record<string, string>> = {}): Treat {
  return answer(status, PAGE, { 'content-type': 'text/html', ...headers });
}

export function json(status: number, body: unknown): Treat {
  return answer(status, JSON.stringify(body), { 'content-type': 'application/json' });
}

export function redirect(status: number, to: string): Treat {
  return (passing) => answer(status, '', { location: `${to}${passing.path}` })(passing);
}

function answer(status: number, body: string, headers: Readonly<Record<string, string>>): Treat {
  return (passing) => passing.answer({ status, headers, body });
}

/** Does what was asked, and answers with something else. */
export function afterTheEffect(treat: Treat): Treat {
  return async (passing) => {
    await passing.forward();
    await treat(passing);
  };
}

const CHUNK = Buffer.alloc(64 * 1024, ' ');
const ENDLESS_BYTES_MAX = 512 * 1024 * 1024;

/** Endless JSON. Adds the number of bytes taken to `sent`. */
export function endlessJson(sent: { bytes: number }): Treat {
  return async ({ response }) => {
    response.writeHead(200, { 'content-type': 'application/json' });
    response.write('{"data":"');
    while (!response.destroyed && sent.bytes < ENDLESS_BYTES_MAX) {
      if (!response.write(CHUNK)) await drained(response);
      sent.bytes += CHUNK.byteLength;
    }
    response.destroy();
  };
}

/** The response without any mark of its length, cut short: the connection just ends. */
export function cutOff(part: number): Treat {
  return async (passing: Passing) => {
    const { status, headers, body } = await passing.forward();
    const bytes = Buffer.from(body);
    const head = Object.entries({ ...headers, connection: 'close' }).map(
      ([name, value]) => `${name}: ${value}\r\n`,
    );
    // Written by hand, as node always marks the length of a response.
    passing.response.socket?.end(
      Buffer.concat([
        Buffer.from(`HTTP/1.1 ${status} OK\r\n${head.join('')}\r\n`),
        bytes.subarray(0, Math.floor(bytes.byteLength * part)),
      ]),
    );
  };
}

/** The unchanged response, on a connection that is closed under the next request. */
export const hangUpAfterwards: Treat = async (passing) => {
  const { socket } = passing.response;
  passing.response.on('finish', () => setImmediate(() => socket?.destroy()));
  await passOn(passing);
};
