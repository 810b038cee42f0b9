import { spawn } from 'node:child_process';

/** Limit of decoded audio. 10 minutes at 48 kHz stereo take 230 MB as floats. */
const BYTES_MAX = 1024 * 1024 * 1024;
const DEADLINE_MS = 120_000;

/**
 * Decodes a file with the `ffmpeg` on the PATH.
 *
 * @param file absolute
 * @returns a WAV file of 32-bit floats; `undefined` if ffmpeg is not installed or fails
 */
export function decodeWithFfmpeg(file: string): Promise<Uint8Array | undefined> {
  return new Promise((resolve) => {
    const words = ['-nostdin', '-v', 'error', '-i', `file:${file}`, '-map', '0:a:0'];
    const child = spawn('ffmpeg', [...words, '-c:a', 'pcm_f32le', '-f', 'wav', 'pipe:1'], {
      stdio: ['ignore', 'pipe', 'ignore'],
      // Not `timeout`: its timer keeps the process alive if the program could not be started.
      signal: AbortSignal.timeout(DEADLINE_MS),
      killSignal: 'SIGKILL',
    });
    const pieces: Buffer[] = [];
    let bytes = 0;
    child.stdout.on('data', (piece: Buffer) => {
      pieces.push(piece);
      bytes += piece.byteLength;
      if (bytes > BYTES_MAX) child.kill('SIGKILL');
    });
    child.on('error', () => resolve(undefined));
    child.on('close', (code) => resolve(code === 0 ? Buffer.concat(pieces) : undefined));
  });
}
