import { spawn } from 'node:child_process';

const DEADLINE_MS = 600_000;
const WORDS_BYTES_MAX = 4_000;

export type FfmpegEnd =
  | { readonly ok: true }
  /** `missing`: ffmpeg is not on the PATH. */
  | { readonly ok: false; readonly missing: boolean; readonly message: string };

/** Whether ffmpeg is on the PATH. */
export async function hasFfmpeg(): Promise<boolean> {
  return (await run(['-version'], undefined)).ok;
}

/**
 * Encodes a WAV file with the `ffmpeg` on the PATH, without tags and reproducibly.
 *
 * @param wav the audio
 * @param words the encoding options
 * @param file absolute; an existing file is replaced
 */
export function encodeWithFfmpeg(
  wav: Uint8Array,
  words: readonly string[],
  file: string,
): Promise<FfmpegEnd> {
  // Nothing that varies: no random serial numbers, times or program versions.
  const exact = ['-map_metadata', '-1', '-fflags', '+bitexact', '-flags:a', '+bitexact', '-threads', '1'];
  return run(['-v', 'error', '-y', '-f', 'wav', '-i', 'pipe:0', ...words, ...exact, `file:${file}`], wav);
}

function run(words: readonly string[], input: Uint8Array | undefined): Promise<FfmpegEnd> {
  return new Promise((resolve) => {
    const child = spawn('ffmpeg', words, {
      stdio: ['pipe', 'ignore', 'pipe'],
      // Not `timeout`: its timer keeps the process alive if the program could not be started.
      signal: AbortSignal.timeout(DEADLINE_MS),
      killSignal: 'SIGKILL',
    });
    let stderrText = '';
    child.stderr.setEncoding('utf8').on('data', (text: string) => {
      stderrText = (stderrText + text).slice(0, WORDS_BYTES_MAX);
    });
    child.on('error', (error: NodeJS.ErrnoException) =>
      resolve({ ok: false, missing: error.code === 'ENOENT', message: error.message }),
    );
    child.on('close', (code) =>
      resolve(code === 0 ? { ok: true } : { ok: false, missing: false, message: stderrText.trim() }),
    );
    // It may exit before reading everything.
    child.stdin.on('error', () => {});
    child.stdin.end(input ?? new Uint8Array(0));
  });
}
