import { parentPort } from 'node:worker_threads';
import { decodeWithFfmpeg } from '../node/ffmpeg-decode.js';
import { type Analysis, analyse } from '../qc/analysis.js';

/**
 * Worker thread that decodes and measures files while the run continues. Receives the bytes of one file at a time and
 * returns the findings.
 */

export interface QcRequest {
  readonly bytes: Uint8Array;
  /** Absolute: for an external decoder. */
  readonly file: string;
}

parentPort?.on('message', async ({ bytes, file }: QcRequest) => {
  const found: Analysis = await analyse(bytes, () => decodeWithFfmpeg(file)).catch(() => ({
    kind: 'not-analysed',
    format: 'this file',
  }));
  parentPort?.postMessage(found);
});
