import { createInterface } from 'node:readline';
import type { Readable } from 'node:stream';

/** A terminal can pass on what was typed without waiting for the end of a line. */
export interface TypedInput extends Readable {
  setRawMode?(raw: boolean): unknown;
}

/**
 * Reads one line of input, trimmed, in lower case; empty if input ends before Enter, or when the run is interrupted.
 * Then ends the line of the question. Text typed before the question is discarded.
 */
export async function ask(
  input: TypedInput,
  write: (text: string) => void,
  question: string,
  stop: AbortSignal,
): Promise<string> {
  if (!stop.aborted) await discardTyped(input);
  write(question);
  // Not a terminal interface: Ctrl-C must stay a signal to the process, not a key for readline.
  const lines = createInterface({ input, terminal: false });
  return new Promise((resolve) => {
    const done = (answer: string) => {
      // Before closing, because the close event would resolve with an empty answer.
      resolve(answer.trim().toLowerCase());
      stop.removeEventListener('abort', stopped);
      lines.off('close', stopped);
      lines.close();
      input.pause();
    };
    const stopped = () => {
      write('\n');
      done('');
    };
    if (stop.aborted || input.readableEnded) return stopped();
    stop.addEventListener('abort', stopped, { once: true });
    // At the end of input the rest comes as a line, too, although Enter was not pressed.
    lines.once('line', (line) => (input.readableEnded ? stopped() : done(line)));
    lines.once('close', stopped);
  });
}

const CTRL_C = 0x03;
/** After this many turns of the event loop without a key, nothing is left: pending data arrives in the first. */
const QUIET_TURNS = 3;
/** Limit for a program that types endlessly. */
const TURNS_MAX = 1_000;

async function discardTyped(input: TypedInput): Promise<void> {
  let quietTurns = 0;
  let interrupted = false;
  const discard = (piece: Uint8Array | string) => {
    quietTurns = 0;
    interrupted ||= Buffer.from(piece as Uint8Array).includes(CTRL_C);
  };
  // Otherwise the system keeps a partial line, and makes it the beginning of the answer.
  input.setRawMode?.(true);
  input.on('data', discard);
  for (let turn = 0; turn < TURNS_MAX && quietTurns < QUIET_TURNS; turn++) {
    quietTurns += 1;
    await new Promise((resolve) => setImmediate(resolve));
  }
  input.off('data', discard);
  input.pause();
  input.setRawMode?.(false);
  // In raw mode Ctrl-C is a key like any other.
  if (interrupted) process.kill(process.pid, 'SIGINT');
}
