/** Seeded random numbers: mulberry32. 0 <= value < 1. */
export function createChance(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  };
}

function normal(chance: () => number): number {
  const radius = Math.sqrt(-2 * Math.log(1 - chance()));
  return radius * Math.cos(2 * Math.PI * chance());
}

/** A distribution of run times, ms, with its own 80th percentile. */
export interface RunLaw {
  draw(chance: () => number): number;
  readonly p80Ms: number;
}

/** z of the 80th percentile. */
const Z80 = 0.8416;

function logNormal(medianMs: number, sigma: number): RunLaw {
  return {
    draw: (chance) => medianMs * Math.exp(sigma * normal(chance)),
    p80Ms: medianMs * Math.exp(Z80 * sigma),
  };
}

/** Three in four around 12 s, one in four around 50 s. */
const bimodal: RunLaw = {
  draw: (chance) => (chance() < 0.75 ? 12_000 : 50_000) * Math.exp(0.15 * normal(chance)),
  p80Ms: 45_500,
};

/** `ln20`: log-normal, median 20 s, sigma 0.3; `ln45`: median 45 s, sigma 0.5; the others with the sigmas swapped. */
export const LAWS = {
  ln20: logNormal(20_000, 0.3),
  ln45: logNormal(45_000, 0.5),
  'ln20 wide': logNormal(20_000, 0.5),
  'ln45 narrow': logNormal(45_000, 0.3),
  bimodal,
} as const;
export type LawName = keyof typeof LAWS;
