/** The body of a response, passed from the connection to its reader. */
export interface AnswerBody {
  add(piece: Uint8Array): void;
  /** Nothing more will come: the body is complete, or `fault` says why not. Only the first call counts. */
  end(fault?: Error): void;
  /** Can be read once. Bytes received before a fault are still returned. Leaving early stops the connection. */
  read(): AsyncGenerator<Uint8Array>;
  /** Stops the connection if more would come. */
  discard(): void;
}

/** The connection that delivers a body. */
export interface Tap {
  pause(): void;
  resume(): void;
  /** Never called after the end. */
  stop(): void;
}

export interface Flow {
  /** The connection pauses at this many unread bytes. Default 64 KiB. */
  readonly unreadBytesMax?: number;
  /** The body is complete at this many bytes, so the connection never pauses after that. */
  readonly totalBytes?: number;
}

const UNREAD_BYTES_MAX = 64 * 1024;

export function createBody(tap: Tap, flow: Flow = {}): AnswerBody {
  const { unreadBytesMax = UNREAD_BYTES_MAX, totalBytes = Number.POSITIVE_INFINITY } = flow;
  let cameBytes = 0;
  let unread: Uint8Array[] = [];
  let unreadBytes = 0;
  let paused = false;
  let ending: { readonly fault?: Error | undefined } | undefined;
  let wake = () => {};

  /** The available pieces, or the next ones to arrive. Empty: the end. */
  async function next(): Promise<readonly Uint8Array[]> {
    if (unread.length === 0 && ending === undefined) {
      const more = new Promise<void>((resolve) => {
        wake = resolve;
      });
      // May deliver more synchronously.
      if (paused) tap.resume();
      await more;
    }
    const pieces = unread;
    unread = [];
    unreadBytes = 0;
    if (pieces.length === 0 && ending?.fault !== undefined) throw ending.fault;
    return pieces;
  }

  const discard = () => {
    if (ending === undefined) tap.stop();
  };
  return {
    add(piece) {
      if (ending !== undefined) return;
      unread.push(piece);
      unreadBytes += piece.byteLength;
      cameBytes += piece.byteLength;
      paused = unreadBytes >= unreadBytesMax && !(cameBytes >= totalBytes);
      if (paused) tap.pause();
      wake();
    },
    end(fault) {
      ending ??= { fault };
      wake();
    },
    async *read() {
      try {
        for (let pieces = await next(); pieces.length > 0; pieces = await next())
          for (const piece of pieces) yield piece;
      } finally {
        discard();
      }
    },
    discard,
  };
}
