import { ascii, viewOf } from './bytes.js';

/** Size and type, and a 64-bit size where 32 bits are too few. */
const BOX_HEAD_BYTES = 16;

export interface BoxHead {
  readonly type: string;
  readonly headBytes: number;
  /** Including the header. Absent: to the end of the file. */
  readonly bytes?: number;
}

/** Source: ISO/IEC 14496-12, 4.2. Returns `undefined` if this is no box header. */
export function readBoxHead(bytes: Uint8Array): BoxHead | undefined {
  if (bytes.byteLength < 8) return undefined;
  const view = viewOf(bytes);
  const type = ascii(bytes, 4, 4);
  if (!/^[ -~\xa9]{4}$/.test(type)) return undefined;
  const size = view.getUint32(0);
  if (size === 0) return { type, headBytes: 8 };
  if (size !== 1) return size < 8 ? undefined : { type, headBytes: 8, bytes: size };
  if (bytes.byteLength < BOX_HEAD_BYTES) return undefined;
  const large = Number(view.getBigUint64(8));
  return large < BOX_HEAD_BYTES || !Number.isSafeInteger(large)
    ? undefined
    : { type, headBytes: BOX_HEAD_BYTES, bytes: large };
}

export interface Box {
  readonly type: string;
  /** Without the header. */
  readonly body: Uint8Array;
}

/** QuickTime ends some lists of boxes with a size of 0. */
const TERMINATOR_BYTES = 4;

/** In one list. Each box takes memory, and 16 MiB can hold millions of empty ones. */
const BOXES_MAX = 10_000;

/** The boxes that fill `body` exactly, or `undefined` if they do not. */
export function boxesIn(body: Uint8Array): readonly Box[] | undefined {
  const boxes: Box[] = [];
  let at = 0;
  while (at < body.byteLength) {
    const rest = body.subarray(at);
    if (rest.byteLength === TERMINATOR_BYTES && rest.every((byte) => byte === 0)) break;
    const head = readBoxHead(rest);
    if (head?.bytes === undefined || head.bytes > rest.byteLength || boxes.length >= BOXES_MAX)
      return undefined;
    boxes.push({ type: head.type, body: rest.subarray(head.headBytes, head.bytes) });
    at += head.bytes;
  }
  return boxes;
}

/** The first box at this path of names. */
export function boxAt(boxes: readonly Box[], ...path: readonly string[]): Uint8Array | undefined {
  const [type, ...more] = path;
  const body = boxes.find((box) => box.type === type)?.body;
  if (body === undefined || more.length === 0) return body;
  return boxAt(boxesIn(body) ?? [], ...more);
}

/** Reads the fields of a box in order. Reading beyond its end throws a `RangeError`. */
export function fieldsOf(body: Uint8Array) {
  const view = viewOf(body);
  let at = 0;
  const past = (bytes: number) => {
    at += bytes;
    return at - bytes;
  };
  return {
    u16: () => view.getUint16(past(2)),
    u32: () => view.getUint32(past(4)),
    i32: () => view.getInt32(past(4)),
    u64: () => Number(view.getBigUint64(past(8))),
    skip: (bytes: number) => void past(bytes),
    /** Bytes left to read. */
    left: () => body.byteLength - at,
  };
}

export type Fields = ReturnType<typeof fieldsOf>;

/** Version and flags, which many boxes begin with. */
export function versionOf(fields: Fields): { version: number; flags: number } {
  const word = fields.u32();
  return { version: word >>> 24, flags: word & 0xff_ffff };
}
