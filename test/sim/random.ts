/**
 * Randomness of the simulation: everything drawn is a function of the seed. Each part of the world has its own stream,
 * so that one more draw in one part does not affect the others.
 */
export interface Rng {
  /** In [0, 1). */
  next(): number;
  /** Integer in [0, below). */
  below(below: number): number;
  /** Integer in [low, high]. */
  between(low: number, high: number): number;
  chance(probability: number): boolean;
  pick<T>(from: readonly T[]): T;
  bytes(count: number): Uint8Array;
}

/** sfc32, seeded by splitmix32 from the seed and the name of the stream. */
export function createRng(seed: number, stream: string): Rng {
  const mix = splitmix(
    hash(stream) ^ Math.imul(seed, 0x9e3779b1) ^ Math.imul(Math.floor(seed / 2 ** 32), 0x85ebca6b),
  );
  let [a, b, c, counter] = [mix(), mix(), mix(), 1];
  const uint = (): number => {
    const sum = (a + b + counter) | 0;
    counter = (counter + 1) | 0;
    a = b ^ (b >>> 9);
    b = (c + (c << 3)) | 0;
    c = ((c << 21) | (c >>> 11)) + sum;
    c |= 0;
    return sum >>> 0;
  };
  for (let warmUp = 0; warmUp < 12; warmUp++) uint();
  const next = () => uint() / 2 ** 32;
  const below = (limit: number) => Math.floor(next() * limit);
  return {
    next,
    below,
    between: (low, high) => low + below(high - low + 1),
    chance: (probability) => next() < probability,
    pick: (from) => from[below(from.length)]!,
    bytes: (count) => {
      const bytes = new Uint8Array(count);
      for (let at = 0; at < count; at++) bytes[at] = uint() >>> 24;
      return bytes;
    },
  };
}

function splitmix(state: number): () => number {
  let at = state | 0;
  return () => {
    at = (at + 0x9e3779b9) | 0;
    let mixed = at ^ (at >>> 16);
    mixed = Math.imul(mixed, 0x21f0aaad);
    mixed ^= mixed >>> 15;
    mixed = Math.imul(mixed, 0x735a2d97);
    return mixed ^ (mixed >>> 15);
  };
}

/** FNV-1a. */
function hash(text: string): number {
  let value = 0x811c9dc5;
  for (let at = 0; at < text.length; at++) value = Math.imul(value ^ text.charCodeAt(at), 0x01000193);
  return value;
}

/**
 * How often each fault occurs in this seed. Most are off in any one seed: a world with every fault at once gets
 * nowhere, and a bug often needs one fault often and the others never.
 */
export function drawRates<Name extends string>(
  rng: Rng,
  names: readonly Name[],
  options: { readonly share: number; readonly low: number; readonly high: number },
): Record<Name, number> {
  const rates = {} as Record<Name, number>;
  for (const name of names) {
    const on = rng.chance(options.share);
    const rate = options.low * (options.high / options.low) ** rng.next();
    rates[name] = on ? rate : 0;
  }
  return rates;
}
