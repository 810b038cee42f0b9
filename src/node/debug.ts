import type { Clock, Transport, TransportAnswer, TransportRequest } from '../core/ports.js';
import { shownAddress, withShownAddresses } from '../core/shown-address.js';

const LINE_LENGTH_MAX = 2_000;
/** Longer than a key in any of its encodings. */
const KEY_LENGTH_MAX = 16_384;
const START_LENGTH_MAX = KEY_LENGTH_MAX + 4 * LINE_LENGTH_MAX;

/** Useful headers that never contain a secret. */
const HEADERS_SHOWN =
  /^(content-(type|length|encoding)|location|retry-after|cf-ray|x-(ratelimit|venice)-.*)$/;

/**
 * Reports each request, its response and the end of the response's body as one line each, numbered by request. Lines are
 * cut and secrets redacted; the caller escapes control characters when printing.
 */
export function debugTransport(
  transport: Transport,
  clock: Clock,
  redact: (text: string) => string,
  report: (line: string) => void,
): Transport {
  let last = 0;
  return async (request) => {
    const id = ++last;
    const startMs = clock.nowMs();
    // Cut after redacting: half a secret would not be recognised.
    const write = (text: string) => report(clip(withShownAddresses(redact(`#${id} ${text}`))));
    const since = () => `${clock.nowMs() - startMs} ms`;
    write(`> ${requestLine(request)}`);
    const answer = await transport(request);
    if (answer.kind === 'no_answer') {
      const sent = answer.sent ? 'sent' : 'not sent';
      write(`< no response after ${since()}: ${sent}, ${answer.code}: ${answer.message}`);
      return answer;
    }
    write(`< ${answer.status} after ${since()}${headersShown(answer)}`);
    return { ...answer, body: listen(answer, (ending) => write(`< ${ending} after ${since()}`)) };
  };
}

function requestLine({ method, path, elsewhere, body, freshConnection }: TransportRequest): string {
  const fresh = freshConnection === true ? ' on a new connection' : '';
  return `${method} ${elsewhere === undefined ? path : shownAddress(elsewhere)}${fresh}${body === undefined ? '' : ` ${body}`}`;
}

function headersShown({ headers }: TransportAnswer): string {
  const shown = Object.entries(headers).filter(([name]) => HEADERS_SHOWN.test(name));
  return shown
    .map(([name, value]) => ` ${name}=${name === 'location' ? shownAddress(value) : value}`)
    .join('');
}

/** Passes the body on, and reports its size, and its start if it is text, however it ends. */
async function* listen(
  { body, headers }: TransportAnswer,
  ended: (ending: string) => void,
): AsyncGenerator<Uint8Array> {
  const isText = /json|text|xml/.test(headers['content-type'] ?? '');
  let bytes = 0;
  let start = '';
  let ending = 'left';
  try {
    for await (const piece of body) {
      bytes += piece.byteLength;
      if (isText && start.length < START_LENGTH_MAX) start += Buffer.from(piece).toString('utf8');
      yield piece;
    }
    ending = 'end';
  } catch (error) {
    ending = `cut off (${error instanceof Error ? error.message : 'unknown fault'})`;
    throw error;
  } finally {
    // The end of a truncated start may be half a key, which would not be recognised.
    const known = start.length < START_LENGTH_MAX ? start : start.slice(0, -KEY_LENGTH_MAX);
    ended(`${ending} of ${bytes} bytes${known === '' ? '' : ` ${known}`}`);
  }
}

function clip(text: string): string {
  return text.length <= LINE_LENGTH_MAX ? text : `${text.slice(0, LINE_LENGTH_MAX)}…`;
}
