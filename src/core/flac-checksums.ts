/* The checksums of FLAC: RFC 9639. */

function table(width: number, polynomial: number): Uint16Array {
  const top = 1 << (width - 1);
  const mask = 2 ** width - 1;
  return Uint16Array.from({ length: 256 }, (_, byte) => {
    let value = byte << (width - 8);
    for (let bit = 0; bit < 8; bit += 1) value = ((value << 1) ^ (value & top ? polynomial : 0)) & mask;
    return value;
  });
}

/** x^8 + x^2 + x + 1 */
const CRC8 = table(8, 0x07);
/** x^16 + x^15 + x^2 + 1 */
const CRC16 = table(16, 0x8005);

/** Of a frame's header. */
export function crc8(bytes: ArrayLike<number>, from = 0, to = bytes.length): number {
  let crc = 0;
  for (let at = from; at < to; at += 1) crc = CRC8[crc ^ bytes[at]!]!;
  return crc;
}

/** Of a frame. 0 if it includes its own checksum. @param before of the bytes before `from` */
export function crc16(bytes: Uint8Array, from = 0, to = bytes.length, before = 0): number {
  let crc = before;
  for (let at = from; at < to; at += 1) crc = ((crc << 8) & 0xffff) ^ CRC16[(crc >> 8) ^ bytes[at]!]!;
  return crc;
}
