import type { Transport } from '../core/ports.js';

/** A transport that counts its exchanges in flight, including their bodies. */
export interface Counted {
  readonly transport: Transport;
  inFlight(): number;
}

export function countInFlight(transport: Transport): Counted {
  const open = new Set<symbol>();
  return {
    inFlight: () => open.size,
    transport: async (request) => {
      const mine = Symbol(request.path);
      open.add(mine);
      const over = () => open.delete(mine);
      const answer = await transport(request);
      if (answer.kind === 'no_answer') {
        over();
        return answer;
      }
      const discard = () => {
        over();
        answer.discard();
      };
      return { ...answer, body: watched(answer.body, over), discard };
    },
  };
}

function watched(body: AsyncIterable<Uint8Array>, over: () => void): AsyncIterable<Uint8Array> {
  return {
    [Symbol.asyncIterator]: () => {
      const pieces = body[Symbol.asyncIterator]();
      return {
        async next() {
          try {
            const piece = await pieces.next();
            if (piece.done === true) over();
            return piece;
          } catch (error) {
            over();
            throw error;
          }
        },
        async return() {
          over();
          await pieces.return?.();
          return { done: true, value: undefined };
        },
      };
    },
  };
}

/** Message after the first signal. */
export function stoppingMessage(inFlight: number): string {
  return inFlight === 0
    ? 'interrupted: nothing more will be submitted'
    : 'interrupted: waiting only for the responses to requests in flight (a second signal exits at once)';
}
