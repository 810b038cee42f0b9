/**
 * What is known about how long jobs of one kind run: a histogram over logarithmic bins of the run time, fed by
 * jobs that were seen running at one age and done at a later one, and by jobs that run still. Until enough is
 * seen, an assumed shape around what the service reports fills the gap.
 */
export interface RunTimes {
  /** The 80th percentile as the service reports it, ms. May be wrong by a factor of two. */
  told(p80Ms: number): void;
  /** A job was still running at `fromMs` of age and done at `toMs`. */
  done(fromMs: number, toMs: number): void;
  /** A job that runs was last seen running at `fromMs` of age, now at `toMs`. 0: not seen yet. */
  ranOn(fromMs: number, toMs: number): void;
  /** A job that was last seen running at that age is no longer watched. */
  left(fromMs: number): void;
  /** Survival as known by now. The same object until something relevant was learned. */
  survival(): Survival;
  /** Whether anything but the widest guess stands behind it. */
  known(): boolean;
  /** Completions seen. */
  count(): number;
}

/** The chance of a job to run longer than an age, piecewise linear. */
export interface Survival {
  /** P(run time > ageMs). */
  at(ageMs: number): number;
  /** Integral of `at` from 0 to `ageMs`, ms. */
  integral(ageMs: number): number;
  /** Mean run time, ms. */
  readonly meanMs: number;
  /** The age that the given share of jobs does not reach, ms. */
  quantileMs(share: number): number;
}

const BINS = 160;
const BIN_LOG = 1 / 16;
const FIRST_MS = 250;
/** How many completions the assumed shape weighs. */
const PRIOR_WEIGHT = 3;
/** z of the 80th percentile. */
const Z80 = 0.8416;
/** Spread (sigma of the logarithm) of the assumed shape around a told percentile, and without one. */
const SIGMA_TOLD = 0.4;
const SIGMA_UNTOLD = 1;
const MEDIAN_UNTOLD_MS = 25_000;
/** A share of the assumed shape that lies anywhere: a job may always take far longer. */
const ANYWHERE = 0.01;
/** The histogram is read again once it has grown by this share. */
const GROWTH = 0.04;

/** Upper edges of the bins, ms, with 0 in front. */
const EDGES = Float64Array.from({ length: BINS + 1 }, (_, bin) =>
  bin === 0 ? 0 : FIRST_MS * Math.exp(bin * BIN_LOG),
);

function binOf(ms: number): number {
  if (ms <= EDGES[1]!) return 0;
  return Math.min(BINS - 1, Math.floor(Math.log(ms / FIRST_MS) / BIN_LOG));
}

function lower(bin: number): number {
  return EDGES[bin]!;
}

/** `parent`: a wider kind, whose knowledge is the assumed shape where it has any. */
export function createRunTimes(parent?: RunTimes): RunTimes {
  const mass = new Float64Array(BINS);
  const watched = new Int32Array(BINS);
  let prior = logNormalShape(MEDIAN_UNTOLD_MS, SIGMA_UNTOLD);
  let toldMs: number | undefined;
  let seen = 0;
  let changes = 0;
  let changesRead = Number.NEGATIVE_INFINITY;
  let survival: Survival | undefined;
  let density = prior;

  const read = (): Survival => {
    const growth = Math.max(1, changes * GROWTH);
    if (survival !== undefined && changes - changesRead < growth) return survival;
    changesRead = changes;
    density = redistribute(mass, watched, prior);
    survival = toSurvival(density);
    return survival;
  };
  const changed = (weight: number): void => {
    changes += weight;
  };

  return {
    told: (p80Ms) => {
      if (!(p80Ms > 0) || p80Ms === toldMs) return;
      toldMs = p80Ms;
      prior = logNormalShape(p80Ms / Math.exp(Z80 * SIGMA_TOLD), SIGMA_TOLD);
      survival = undefined;
      parent?.told(p80Ms);
    },
    done: (fromMs, toMs) => {
      read();
      spread(mass, density, fromMs, Math.max(toMs, fromMs + 1));
      seen += 1;
      changed(1);
      parent?.done(fromMs, toMs);
    },
    ranOn: (fromMs, toMs) => {
      if (fromMs > 0) watched[binOf(fromMs)]! -= 1;
      watched[binOf(toMs)]! += 1;
      changed(0.2);
      parent?.ranOn(fromMs, toMs);
    },
    left: (fromMs) => {
      if (fromMs > 0) watched[binOf(fromMs)]! -= 1;
      parent?.left(fromMs);
    },
    survival: read,
    known: () => toldMs !== undefined || seen > 0,
    count: () => seen,
  };
}

/** Adds one completion between two ages, where the density says it was likeliest. */
function spread(mass: Float64Array, density: Float64Array, fromMs: number, toMs: number): void {
  const first = binOf(fromMs);
  const last = binOf(toMs);
  const share = (bin: number): number => {
    const low = Math.max(fromMs, lower(bin));
    const high = bin === BINS - 1 ? toMs : Math.min(toMs, EDGES[bin + 1]!);
    return Math.max(0, high - low) / (EDGES[bin + 1]! - lower(bin));
  };
  let total = 0;
  for (let bin = first; bin <= last; bin += 1) total += density[bin]! * share(bin);
  for (let bin = first; bin <= last; bin += 1) {
    mass[bin]! += total > 0 ? (density[bin]! * share(bin)) / total : 1 / (last - first + 1);
  }
}

/** The density, with each job that runs still counted at the ages beyond its own, as those before it went. */
function redistribute(mass: Float64Array, watched: Int32Array, prior: Float64Array): Float64Array {
  const density = new Float64Array(BINS);
  let beyond = 0;
  for (let bin = 0; bin < BINS; bin += 1) {
    density[bin] = mass[bin]! + PRIOR_WEIGHT * prior[bin]!;
    beyond += density[bin]!;
  }
  let factor = 1;
  for (let bin = 0; bin < BINS; bin += 1) {
    beyond -= density[bin]!;
    density[bin]! *= factor;
    if (watched[bin]! > 0 && beyond > 1e-12) factor *= 1 + watched[bin]! / (beyond * factor);
  }
  const total = density.reduce((sum, part) => sum + part, 0);
  return density.map((part) => part / total);
}

function toSurvival(density: Float64Array): Survival {
  const at = new Float64Array(BINS + 1);
  const integral = new Float64Array(BINS + 1);
  at[0] = 1;
  for (let bin = 0; bin < BINS; bin += 1) {
    at[bin + 1] = Math.max(0, at[bin]! - density[bin]!);
    integral[bin + 1] = integral[bin]! + ((at[bin]! + at[bin + 1]!) / 2) * (EDGES[bin + 1]! - lower(bin));
  }
  const survivalAt = (ageMs: number): number => {
    if (ageMs <= 0) return 1;
    const bin = binOf(ageMs);
    const share = Math.min(1, (ageMs - lower(bin)) / (EDGES[bin + 1]! - lower(bin)));
    return at[bin]! + share * (at[bin + 1]! - at[bin]!);
  };
  return {
    at: survivalAt,
    integral: (ageMs) => {
      if (ageMs <= 0) return 0;
      const bin = binOf(ageMs);
      const end = Math.min(ageMs, EDGES[bin + 1]!);
      return integral[bin]! + ((at[bin]! + survivalAt(end)) / 2) * (end - lower(bin));
    },
    meanMs: integral[BINS]!,
    quantileMs: (share) => {
      let bin = 0;
      while (bin < BINS - 1 && 1 - at[bin + 1]! < share) bin += 1;
      const part = at[bin]! - at[bin + 1]!;
      const within = part > 0 ? Math.min(1, Math.max(0, (share - (1 - at[bin]!)) / part)) : 0;
      return lower(bin) + within * (EDGES[bin + 1]! - lower(bin));
    },
  };
}

function logNormalShape(medianMs: number, sigma: number): Float64Array {
  const shape = new Float64Array(BINS);
  let total = 0;
  for (let bin = 0; bin < BINS; bin += 1) {
    const middle = Math.log(FIRST_MS) + (bin + 0.5) * BIN_LOG;
    const z = (middle - Math.log(medianMs)) / sigma;
    shape[bin] = Math.exp((-z * z) / 2);
    total += shape[bin]!;
  }
  return shape.map((part) => (1 - ANYWHERE) * (part / total) + ANYWHERE / BINS);
}
