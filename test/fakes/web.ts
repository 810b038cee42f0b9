import type { TransportAnswer, TransportNoAnswer, Web, WebRequest } from '../../src/core/ports.js';

export type Reply = TransportAnswer | TransportNoAnswer;

/** HTTP with responses given by a test. */
export function webThat(answers: (request: WebRequest) => Reply | Promise<Reply>): Web {
  return { request: async (request) => answers(request), close: async () => {} };
}

export function reply(status: number, text = '', headers: Readonly<Record<string, string>> = {}): Reply {
  const bytes = Buffer.from(text);
  return {
    kind: 'answer',
    status,
    headers: { 'content-length': String(bytes.length), ...headers },
    framed: true,
    discard: () => {},
    body: (async function* () {
      yield bytes;
    })(),
  };
}

export const NO_REPLY: Reply = {
  kind: 'no_answer',
  sent: true,
  code: 'UND_ERR_SOCKET',
  message: 'other side closed',
};
