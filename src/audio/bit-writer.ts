/** Writes bits, most significant first. */
export interface BitWriter {
  /** Writes the lowest `count` bits of the value, at most 32. */
  write(value: number, count: number): void;
  zeros(count: number): void;
  /** Pads to the end of the byte. */
  align(): void;
  /** Returns the bytes written. */
  done(): Uint8Array;
}

/** @param bytesMax the most bytes that will be written */
export function bitWriter(bytesMax: number): BitWriter {
  const bytes = new Uint8Array(bytesMax);
  let place = 0;
  return {
    write(value, count) {
      for (let left = count; left > 0; ) {
        const room = 8 - (place & 7);
        const taken = Math.min(room, left);
        const part = (value >>> (left - taken)) & ((1 << taken) - 1);
        bytes[place >> 3]! |= part << (room - taken);
        place += taken;
        left -= taken;
      }
    },
    zeros(count) {
      place += count;
    },
    align() {
      place = (place + 7) & ~7;
    },
    done: () => bytes.subarray(0, place >> 3),
  };
}
