import { createInterface } from 'node:readline';
import type { Readable } from 'node:stream';

/**
 * One line of the input, trimmed, in lower case; empty when it ends or the run is interrupted meanwhile. The cursor
 * then stands behind the question: its line is ended.
 */
export function ask(
  input: Readable,
  write: (text: string) => void,
  question: string,
  stop: AbortSignal,
): Promise<string> {
  write(question);
  // Not a terminal interface: Ctrl-C must stay a signal to the process, not a key to readline.
  const lines = createInterface({ input, terminal: false });
  return new Promise((resolve) => {
    const done = (answer: string) => {
      // Before closing, which is an event of its own and would answer with nothing.
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
    if (stop.aborted) return stopped();
    stop.addEventListener('abort', stopped, { once: true });
    lines.once('line', done);
    lines.once('close', stopped);
  });
}
