import type { Clock } from '../core/ports.js';
import { createWaiting, type Patience, type Stopping, throwSilent, type Waiting } from './patience.js';
import type { S3Client } from './s3-client.js';

/** Small enough that a slow line takes one in far less time than a silent store is waited for. */
const STEP_BYTES = 64 * 1024;

/**
 * Requests that may take long, such as those for audio. Once the run was stopped, waiting for a silent store comes to
 * an end; what makes progress may finish.
 */
export function withPatientClient(
  client: S3Client,
  clock: Clock,
  stopping: Stopping,
): { readonly client: S3Client; readonly patience: Patience; close(): void } {
  const { ask, moved, patience, close } = createWaiting(clock, stopping);
  return {
    client: async ({ body, ...call }) => {
      const sent = body === undefined || body instanceof Uint8Array ? body : inSteps(body, moved);
      const direction = call.method === 'PUT' ? 'writes' : 'reads';
      const request = () => client({ ...call, ...(sent && { body: sent }) });
      const answer = await ask(direction, request, throwSilent);
      return { ...answer, body: eachAsked(answer.body, ask) };
    },
    patience,
    close,
  };
}

async function* inSteps(pieces: AsyncIterable<Uint8Array>, moved: () => void): AsyncIterable<Uint8Array> {
  for await (const piece of pieces)
    for (let from = 0; from < piece.length; from += STEP_BYTES) {
      yield piece.subarray(from, from + STEP_BYTES);
      moved();
    }
}

async function* eachAsked(body: AsyncIterable<Uint8Array>, ask: Waiting['ask']): AsyncIterable<Uint8Array> {
  const pieces = body[Symbol.asyncIterator]();
  try {
    for (;;) {
      const next = await ask('reads', () => pieces.next(), throwSilent);
      if (next.done === true) return;
      yield next.value;
    }
  } finally {
    // Not awaited: it may wait for a piece that never comes.
    void pieces.return?.().catch(() => {});
  }
}
