/** The body of an answer, between the connection that brings it and whoever reads it. */
export interface AnswerBody {
  add(piece: Uint8Array): void;
  /** No more comes: all is there, or `fault` says why not. The first word counts. */
  end(fault?: Error): void;
  /** To be read once. What came before a fault is still given. Stops the connection when left early. */
  read(): AsyncGenerator<Uint8Array>;
  /** Stops the connection where more would come. */
  discard(): void;
}

/** The connection that a body comes on. */
export interface Tap {
  pause(): void;
  resume(): void;
  /** Not asked for after the end. */
  stop(): void;
}

export interface Flow {
  /** Unread bytes that make the connection wait. Default 64 KiB. */
  readonly unreadBytesMax?: number;
  /** When so many came, all of them did: the connection waits no more. */
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

  /** All that is there, or what there will be next. Empty: the end. */
  async function next(): Promise<readonly Uint8Array[]> {
    if (unread.length === 0 && ending === undefined) {
      const more = new Promise<void>((resolve) => {
        wake = resolve;
      });
      // May bring more at once.
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
