/** Reads bits from the front, most significant first. Throws `RangeError` beyond the end. */
export interface BitReader {
  /** @param count at most 32 */
  bits(count: number): number;
  /** A two's complement number. */
  signed(count: number): number;
  /** Counts the zeros before the next one, and consumes that one. */
  unary(): number;
  /** Skips to the next byte boundary. */
  align(): void;
  /** The next byte. Call `align` first. */
  byte(): number;
}

export function createBitReader(bytes: Uint8Array, from = 0): BitReader {
  const end = bytes.byteLength * 8;
  let place = from * 8;

  const bits = (count: number): number => {
    if (place + count > end) throw new RangeError('no more bits');
    let value = 0;
    for (let left = count; left > 0; ) {
      const room = 8 - (place & 7);
      const taken = room < left ? room : left;
      const part = (bytes[place >> 3]! >> (room - taken)) & ((1 << taken) - 1);
      value = value * (1 << taken) + part;
      place += taken;
      left -= taken;
    }
    return value;
  };
  return {
    bits,
    signed: (count) => {
      const value = bits(count);
      return value >= 2 ** (count - 1) ? value - 2 ** count : value;
    },
    unary: () => {
      let zeros = 0;
      for (;;) {
        if (place >= end) throw new RangeError('no more bits');
        const room = 8 - (place & 7);
        const rest = bytes[place >> 3]! & ((1 << room) - 1);
        const leading = rest === 0 ? room : Math.clz32(rest) - (32 - room);
        zeros += leading;
        place += leading;
        if (rest === 0) continue;
        place += 1;
        return zeros;
      }
    },
    align: () => {
      place = (place + 7) & ~7;
    },
    byte: () => place >> 3,
  };
}
