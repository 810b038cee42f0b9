import { faultCode } from '../core/errors.js';

/** Output of a reporter: stdout, stderr, or a stand-in. */
export interface Terminal {
  /** Ends no line by itself. Silent when nobody reads any more. */
  write(text: string): void;
  /** Of now: it may change between two calls. */
  readonly columns: number;
  readonly rows: number;
  readonly isTty: boolean;
  /** True if colours are wanted. */
  readonly color: boolean;
  /** Whether earlier text still waits to be taken: what will be painted over need not be written. */
  readonly stalled?: boolean;
}

/** The part of `process.stdout` that is needed. */
export interface OutputStream {
  write(text: string): unknown;
  on(event: 'error', listener: (error: Error) => void): unknown;
  readonly columns?: number;
  readonly rows?: number;
  readonly isTTY?: boolean;
  /** Bytes that wait to be taken. */
  readonly writableLength?: number;
}

const COLUMNS_DEFAULT = 80;
const ROWS_DEFAULT = 24;

/**
 * A terminal over a stream, no wider than COLUMNS says. A closed pipe (`venice-batch run … | head`) makes it mute: what the run
 * has bought matters more than who listens. So it does at any other fault: see `watchOutput`.
 */
export function streamTerminal(stream: OutputStream, color: boolean, env: Environment = {}): Terminal {
  const isBroken = brokenness(stream);
  return {
    write(text) {
      if (!isBroken()) stream.write(text);
    },
    // A terminal that does not know its size says 0.
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

/** Whether a stream has failed. Listens once, however many terminals there are over it: a library may be called for ever. */
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

/** The same terminal, where no secret passes. */
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
 * Keeps a fault of a stream (a full disk behind `> file`) from ending the process with a stack: the function
 * that is returned tells its code, `''` while there is none. Readers who leave are no fault.
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

/** Columns for a table: what goes into a pipe or a file is not cut, unless COLUMNS says so. */
export function tableWidth({ isTty, columns }: Terminal, env: Environment): number {
  return isTty || columnsSet(env) !== undefined ? columns : Number.POSITIVE_INFINITY;
}

/**
 * Whether to colour. The flag wins; then NO_COLOR (any text but the empty one), then FORCE_COLOR (`0` and
 * `false` mean no, the empty text nothing); then whether there is a terminal that is not `dumb`.
 */
export function colorWanted(env: Environment, flag: 'auto' | 'always' | 'never', isTty: boolean): boolean {
  if (flag !== 'auto') return flag === 'always';
  const force = env.FORCE_COLOR;
  if (env.NO_COLOR) return false;
  if (force) return force !== '0' && force !== 'false';
  return isTty && env.TERM !== 'dumb';
}

/**
 * How progress is shown. By itself: the live view at a terminal that can move its cursor and is not a CI
 * job's, else one line per change.
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
