import { parentPort } from 'node:worker_threads';
import { decodeWithFfmpeg } from '../node/ffmpeg-decode.js';
import { type Analysis, analyse } from '../qc/analysis.js';

/*
 * The thread in which files are decoded and measured, so that the one of the run goes on meanwhile. It gets the bytes of one file
 * at a time and answers with what was found.
 */

export interface QcRequest {
  readonly bytes: Uint8Array;
  /** Absolute: for another program's decoder. */
  readonly file: string;
}

parentPort?.on('message', async ({ bytes, file }: QcRequest) => {
  const found: Analysis = await analyse(bytes, () => decodeWithFfmpeg(file)).catch(() => ({
    kind: 'not-analysed',
    format: 'this file',
  }));
  parentPort?.postMessage(found);
});
