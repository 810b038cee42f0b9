import { Worker } from 'node:worker_threads';
import type { Analysis } from '../qc/analysis.js';
import type { QcRequest } from './qc-worker.js';

export interface QcThread {
  /** One file at a time. The bytes are transferred. */
  analyse(request: QcRequest): Promise<Analysis>;
  close(): Promise<void>;
}

/** Heap of the thread: enough for an hour of decoded audio. */
const HEAP_MEGABYTES_MAX = 4_096;

const NOT_ANALYSED: Analysis = { kind: 'not-analysed', format: 'this file' };

function startWorker(): Worker {
  return new Worker(new URL('./qc-worker.js', import.meta.url), {
    resourceLimits: { maxOldGenerationSizeMb: HEAP_MEGABYTES_MAX },
  });
}

/**
 * Starts the thread with the first file. If it ends unexpectedly, that file is not analysed and the run continues.
 *
 * @param start starts a thread
 */
export function createQcThread(start: () => Worker = startWorker): QcThread {
  let worker: Worker | undefined;
  let before: Promise<unknown> = Promise.resolve();

  let closed = false;

  function ask(request: QcRequest): Promise<Analysis> {
    // A file that was waiting must not start another thread, which would never be ended.
    if (closed) return Promise.resolve(NOT_ANALYSED);
    worker ??= start();
    const asked = worker;
    return new Promise((resolve) => {
      const end = (found: Analysis) => {
        asked.off('message', end).off('error', fail).off('exit', fail);
        resolve(found);
      };
      const fail = () => {
        worker = undefined;
        end(NOT_ANALYSED);
      };
      asked.on('message', end).on('error', fail).on('exit', fail);
      asked.postMessage(request, [request.bytes.buffer as ArrayBuffer]);
    });
  }

  return {
    analyse(request) {
      const answer = before.then(() => ask(request));
      before = answer;
      return answer;
    },
    close: async () => {
      closed = true;
      await worker?.terminate();
    },
  };
}
