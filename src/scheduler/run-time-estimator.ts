/**
 * How long jobs of one duration class run: a histogram over logarithmic bins, fed by jobs seen running at one age and
 * done at a later one, and by jobs still running. Until enough is known, an assumed distribution around what the
 * service reports fills the gap.
 */
export interface RunTimeEstimator {
  /**
   * Reports the 80th percentile stated by the service, in ms. It may be off by a factor of two. It is limited to the
   * range of the bins; anything but a positive number is ignored.
   */
  reported(p80Ms: number): void;
  /** Reports a job that was still running at age `fromMs` and done at age `toMs`. */
  done(fromMs: number, toMs: number): void;
  /** Reports a job that was seen running at age `fromMs` (0: never) and again at age `toMs`. */
  ranOn(fromMs: number, toMs: number): void;
  /** Stops watching a job that was last seen running at this age. */
  left(fromMs: number): void;
  /** The current distribution. Returns the same object until something significant was learned. */
  survival(): Survival;
  /** Whether it is based on more than a guess. */
  known(): boolean;
  /** Completions seen. */
  count(): number;
}

/** The probability that a job runs longer than a given age. Ages in ms. */
export interface Survival {
  /** P(run time > ageMs). */
  at(ageMs: number): number;
  /** Integral of `at` from 0 to `ageMs`, ms. */
  integral(ageMs: number): number;
  readonly meanMs: number;
  /** The age by which the given share of jobs has ended, in ms. */
  quantileMs(share: number): number;
}

const BINS = 160;
/** Width of a bin on the log scale; bins reach from 0.25 s to an hour and a half. */
const BIN_LOG = 1 / 16;
const FIRST_MS = 250;
/** How many completions the assumed distribution counts for: around a reported percentile, and without one. */
const PRIOR_WEIGHT = 3;
const PRIOR_WEIGHT_UNREPORTED = 0.5;
/** The z-score of the 80th percentile. */
const Z80 = 0.8416;
/** Sigma on the log scale around a reported percentile, and without one. */
const SIGMA_REPORTED = 0.5;
const SIGMA_UNREPORTED = 1;
const MEDIAN_UNREPORTED_MS = 25_000;
/** Share of the assumed distribution that is spread over all bins: any job may take far longer. */
const ANYWHERE = 0.01;
/** A reported percentile that changes by less than this counts as unchanged. */
const REPORTED_CHANGE = 0.1;
/** The distribution is computed again once the evidence has grown by this share. */
const GROWTH = 0.04;
/** The weight of a job still running, and of a completion in another duration class, relative to one completion. */
const RUNNING_WEIGHT = 0.2;
const OTHERS_WEIGHT = 0.2;

/** Bin edges in ms. The first bin begins at 0. */
const EDGES = Float64Array.from({ length: BINS + 1 }, (_, bin) =>
  bin === 0 ? 0 : FIRST_MS * Math.exp(bin * BIN_LOG),
);

function binOf(ms: number): number {
  if (ms <= EDGES[1]!) return 0;
  return Math.min(BINS - 1, Math.floor(Math.log(ms / FIRST_MS) / BIN_LOG));
}

/** The distribution while nothing is known; the same for all. */
const unknown = logNormalShape(MEDIAN_UNREPORTED_MS, SIGMA_UNREPORTED);
const unknownSurvival = survivalOf(unknown);

/** @param pooled run times of a wider class, from which this one starts and to which it adds */
export function createRunTimeEstimator(pooled?: RunTimeEstimator): RunTimeEstimator {
  const mass = new Float64Array(BINS);
  const running = new Int32Array(BINS);
  let assumed = unknown;
  let reportedMs: number | undefined;
  let seen = 0;
  let learned = 0;
  let evidenceUsed = 0;
  let density = assumed;
  let survival: Survival | undefined = unknownSurvival;

  const read = (): Survival => {
    const others = pooled === undefined ? 0 : pooled.count() - seen;
    const evidence = learned + others * OTHERS_WEIGHT;
    if (survival !== undefined && evidence - evidenceUsed < Math.max(1, evidence * GROWTH)) return survival;
    evidenceUsed = evidence;
    const prior = others > 0 ? shapeOf(pooled!.survival()) : assumed;
    const weight = reportedMs === undefined && others === 0 ? PRIOR_WEIGHT_UNREPORTED : PRIOR_WEIGHT;
    density = densityOf(mass, running, prior, weight);
    survival = survivalOf(density);
    return survival;
  };
  const watch = (fromMs: number, change: number): void => {
    if (fromMs > 0) running[binOf(fromMs)]! += change;
  };

  return {
    reported: (p80Ms) => {
      if (!(p80Ms > 0) || !Number.isFinite(p80Ms)) return;
      const boundedMs = Math.min(EDGES[BINS]!, Math.max(FIRST_MS, p80Ms));
      if (reportedMs !== undefined && Math.abs(boundedMs / reportedMs - 1) < REPORTED_CHANGE) return;
      reportedMs = boundedMs;
      assumed = logNormalShape(boundedMs / Math.exp(Z80 * SIGMA_REPORTED), SIGMA_REPORTED);
      survival = undefined;
    },
    done: (fromMs, toMs) => {
      pooled?.done(fromMs, toMs);
      read();
      spread(mass, density, fromMs, Math.max(toMs, fromMs + 1));
      seen += 1;
      learned += 1;
    },
    ranOn: (fromMs, toMs) => {
      pooled?.ranOn(fromMs, toMs);
      watch(fromMs, -1);
      watch(toMs, 1);
      learned += RUNNING_WEIGHT;
    },
    left: (fromMs) => {
      pooled?.left(fromMs);
      watch(fromMs, -1);
    },
    survival: read,
    known: () => reportedMs !== undefined || seen > 0 || pooled?.known() === true,
    count: () => seen,
  };
}

/** Spreads one completion between two ages in proportion to the density. */
function spread(mass: Float64Array, density: Float64Array, fromMs: number, toMs: number): void {
  const first = binOf(fromMs);
  const last = binOf(toMs);
  const parts: number[] = [];
  for (let bin = first; bin <= last; bin += 1) {
    const low = Math.max(fromMs, EDGES[bin]!);
    const high = bin === last ? toMs : EDGES[bin + 1]!;
    parts.push((density[bin]! * Math.max(0, high - low)) / (EDGES[bin + 1]! - EDGES[bin]!));
  }
  const total = parts.reduce((sum, part) => sum + part, 0);
  for (const [place, part] of parts.entries()) {
    mass[first + place]! += total > 0 ? part / total : 1 / parts.length;
  }
}

/**
 * All evidence as a density. Each job still running counts at the ages beyond its own, distributed as other jobs of
 * that age continued.
 */
function densityOf(
  mass: Float64Array,
  running: Int32Array,
  prior: Float64Array,
  priorWeight: number,
): Float64Array {
  const density = mass.map((part, bin) => part + priorWeight * prior[bin]!);
  let beyond = density.reduce((sum, part) => sum + part, 0);
  let factor = 1;
  for (let bin = 0; bin < BINS; bin += 1) {
    beyond -= density[bin]!;
    density[bin]! *= factor;
    if (running[bin]! > 0 && beyond > 1e-9) factor += running[bin]! / beyond;
  }
  const total = density.reduce((sum, part) => sum + part, 0);
  return density.map((part) => part / total);
}

function survivalOf(density: Float64Array): Survival {
  const alive = new Float64Array(BINS + 1);
  const area = new Float64Array(BINS + 1);
  alive[0] = 1;
  for (let bin = 0; bin < BINS; bin += 1) {
    alive[bin + 1] = Math.max(0, alive[bin]! - density[bin]!);
    area[bin + 1] = area[bin]! + ((alive[bin]! + alive[bin + 1]!) / 2) * (EDGES[bin + 1]! - EDGES[bin]!);
  }
  const within = (ageMs: number, bin: number): number => {
    const share = Math.min(1, (ageMs - EDGES[bin]!) / (EDGES[bin + 1]! - EDGES[bin]!));
    return alive[bin]! + share * (alive[bin + 1]! - alive[bin]!);
  };
  return {
    at: (ageMs) => (ageMs <= 0 ? 1 : within(ageMs, binOf(ageMs))),
    integral: (ageMs) => {
      if (ageMs <= 0) return 0;
      const bin = binOf(ageMs);
      const endMs = Math.min(ageMs, EDGES[bin + 1]!);
      return area[bin]! + ((alive[bin]! + within(endMs, bin)) / 2) * (endMs - EDGES[bin]!);
    },
    meanMs: area[BINS]!,
    quantileMs: (share) => {
      let bin = 0;
      while (bin < BINS - 1 && 1 - alive[bin + 1]! < share) bin += 1;
      const part = alive[bin]! - alive[bin + 1]!;
      const reached = part > 0 ? Math.min(1, Math.max(0, (share - 1 + alive[bin]!) / part)) : 0;
      return EDGES[bin]! + reached * (EDGES[bin + 1]! - EDGES[bin]!);
    },
  };
}

function shapeOf(survival: Survival): Float64Array {
  return Float64Array.from(
    { length: BINS },
    (_, bin) => survival.at(EDGES[bin]!) - survival.at(EDGES[bin + 1]!),
  );
}

function logNormalShape(medianMs: number, sigma: number): Float64Array {
  const shape = Float64Array.from({ length: BINS }, (_, bin) => {
    const z = (Math.log(FIRST_MS / medianMs) + (bin + 0.5) * BIN_LOG) / sigma;
    return Math.exp((-z * z) / 2);
  });
  const total = shape.reduce((sum, part) => sum + part, 0);
  return shape.map((part) => (1 - ANYWHERE) * (part / total) + ANYWHERE / BINS);
}
