import { faultCode } from '../core/errors.js';

/** Output of a reporter: stdout, stderr, or a stand-in. */
export interface Terminal {
  /** Adds no line end. Does nothing once the reader is gone. */
  write(text: string): void;
  /** The current width, which may change between two calls. */
  readonly columns: number;
  readonly rows: number;
  readonly isTty: boolean;
  /** Whether colours are wanted. */
  readonly color: boolean;
  /** Whether earlier text has not been written yet. Text that will be painted over need not be added then. */
  readonly stalled?: boolean;
}

/** The part of `process.stdout` that is needed. */
export interface OutputStream {
  write(text: string): unknown;
  on(event: 'error', listener: (error: Error) => void): unknown;
  readonly columns?: number;
  readonly rows?: number;
  readonly isTTY?: boolean;
  /** Bytes that wait to be written. */
  readonly writableLength?: number;
}

const COLUMNS_DEFAULT = 80;
const ROWS_DEFAULT = 24;

/**
 * A terminal over a stream, no wider than COLUMNS. A closed pipe (`venice-batch run … | head`) silences it, because the
 * run's purchases matter more than its readers. So does any other fault: see `watchOutput`.
 */
export function streamTerminal(stream: OutputStream, color: boolean, env: Environment = {}): Terminal {
  const isBroken = brokenness(stream);
  return {
    write(text) {
      if (!isBroken()) stream.write(text);
    },
    // A terminal that does not know its size reports 0.
    get columns() {
      return Math.min(columnsSet(env) ?? (stream.columns || COLUMNS_DEFAULT), stream.columns || Infinity);
    },
    get rows() {
      return stream.rows || ROWS_DEFAULT;
    },
    isTty: stream.isTTY === true,
    color,
    get stalled() {
      return (stream.writableLength ?? 0) > 0;
    },
  };
}

const BROKEN = new WeakMap<OutputStream, { broken: boolean }>();

/**
 * Whether a stream has failed. Adds only one listener, however many terminals use the stream: a library may be called
 * any number of times.
 */
function brokenness(stream: OutputStream): () => boolean {
  const known = BROKEN.get(stream);
  if (known !== undefined) return () => known.broken;
  const state = { broken: false };
  BROKEN.set(stream, state);
  stream.on('error', () => {
    state.broken = true;
  });
  return () => state.broken;
}

/** The same terminal with secrets redacted. */
export function redactedTerminal(terminal: Terminal, redact: (text: string) => string): Terminal {
  return {
    write: (text) => terminal.write(redact(text)),
    get columns() {
      return terminal.columns;
    },
    get rows() {
      return terminal.rows;
    },
    isTty: terminal.isTty,
    color: terminal.color,
    get stalled() {
      return terminal.stalled === true;
    },
  };
}

/**
 * Keeps a stream error (a full disk behind `> file`) from ending the process with a stack trace. The returned function
 * gives its code, or `''` if there is none. A reader that leaves is not an error.
 */
export function watchOutput(stream: Pick<OutputStream, 'on'>): () => string {
  let code = '';
  stream.on('error', (error) => {
    if (!isClosedPipe(error)) code = faultCode(error) || 'error';
  });
  return () => code;
}

function isClosedPipe(error: unknown): boolean {
  return ['EPIPE', 'ERR_STREAM_DESTROYED', 'EOF'].includes(faultCode(error));
}

export type Environment = Readonly<Record<string, string | undefined>>;

function columnsSet({ COLUMNS = '' }: Environment): number | undefined {
  return /^[1-9]\d{0,4}$/.test(COLUMNS) ? Number(COLUMNS) : undefined;
}

/** Columns for a table. Output to a pipe or file is not truncated, unless COLUMNS is set. */
export function tableWidth({ isTty, columns }: Terminal, env: Environment): number {
  return isTty || columnsSet(env) !== undefined ? columns : Number.POSITIVE_INFINITY;
}

/**
 * Whether to use colours. The flag wins; then NO_COLOR (any text but empty), then FORCE_COLOR (`0` and `false` mean no,
 * empty is ignored); then whether there is a terminal that is not `dumb`.
 */
export function colorWanted(env: Environment, flag: 'auto' | 'always' | 'never', isTty: boolean): boolean {
  if (flag !== 'auto') return flag === 'always';
  const force = env.FORCE_COLOR;
  if (env.NO_COLOR) return false;
  if (force) return force !== '0' && force !== 'false';
  return isTty && env.TERM !== 'dumb';
}

/**
 * How to show progress. Default: the live view on a terminal that can move its cursor and is not in CI, otherwise one
 * line per change.
 */
export function progressMode(
  flag: 'auto' | 'tty' | 'plain' | 'quiet',
  isTty: boolean,
  env: Environment,
): 'tty' | 'plain' | 'quiet' {
  if (flag !== 'auto') return flag;
  const inCi = env.CI !== undefined && env.CI !== '' && env.CI !== 'false';
  return isTty && !inCi && env.TERM !== 'dumb' ? 'tty' : 'plain';
}
