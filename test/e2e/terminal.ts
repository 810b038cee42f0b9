import { type Screen, screenOf } from '../fakes/screen.js';
import { CLI, type Env, launch } from './launch.js';
import { afterTests } from './program.js';

const AS_TERMINAL = new URL('./as-terminal.js', import.meta.url).href;
const ROWS = 40;

/** The built program at a terminal. */
export interface AtTerminal {
  /** Resolves when the output so far matches. */
  seen(pattern: RegExp): Promise<string>;
  /** What the user types, once, also shown by the terminal. */
  type(text: string): void;
  /** Ctrl-C. */
  interrupt(): void;
  /** What the user sees now. */
  screen(): Promise<Screen>;
  /** Every byte that reached the terminal so far. */
  bytes(): string;
  /** The exit code. */
  readonly ended: Promise<number | null>;
}

/** Starts the program as a user would, in a terminal of this many columns, in colour. */
export function atTerminal(args: readonly string[], cwd: string, columns: number, env: Env = {}): AtTerminal {
  const size = { SCREEN_COLUMNS: String(columns), SCREEN_ROWS: String(ROWS) };
  const command = [process.execPath, '--import', AS_TERMINAL, CLI, ...args] as const;
  const started = launch(command, cwd, { ...size, ...env }, { typed: true });
  afterTests(started.kill);
  let bytes = '';
  started.child.stderr!.on('data', (text: string) => {
    bytes += text;
  });
  return {
    seen: started.seen,
    type(text) {
      bytes += text;
      // Closed: unlike a terminal, an open pipe keeps the process alive.
      started.child.stdin!.end(text);
    },
    interrupt() {
      bytes += '^C';
      started.child.kill('SIGINT');
    },
    screen: () => screenOf(bytes, columns, ROWS),
    bytes: () => bytes,
    ended: started.ended.then(({ code }) => code),
  };
}
