import { type ChannelKind, channelKinds } from './layout.js';
import type { Pcm } from './pcm.js';

/* Loudness according to ITU-R BS.1770-4 and EBU R128: K-weighted energy of overlapping blocks, gated twice. */

const BLOCK_SECONDS = 0.4;
/** Blocks overlap by three quarters. */
const STEPS_A_BLOCK = 4;
/** Blocks quieter than this are ignored, in LUFS. */
const ABSOLUTE_GATE_LUFS = -70;
/** How much quieter a block may be than the average of those above the first gate, in LU. */
const RELATIVE_GATE_LU = -10;
/** Offset from energy to loudness, in dB. */
const OFFSET_DB = -0.691;

/**
 * K-weighted energy of each 400 ms block, every 100 ms; none if the audio is shorter. Results of several files can be
 * concatenated.
 */
export function blockEnergies(pcm: Pcm): readonly number[] {
  const { channels, sampleRate } = pcm;
  const stepSamples = Math.round((sampleRate * BLOCK_SECONDS) / STEPS_A_BLOCK);
  const stepCount = Math.floor((channels[0]?.length ?? 0) / stepSamples);
  const steps = new Float64Array(stepCount);
  for (const [index, kind] of channelKinds(pcm).entries()) {
    const weight = WEIGHTS[kind];
    if (weight > 0) addEnergies(steps, channels[index]!, { sampleRate, stepSamples, weight });
  }
  const blocks: number[] = [];
  for (let at = STEPS_A_BLOCK; at <= stepCount; at += 1) {
    let sum = 0;
    for (let step = at - STEPS_A_BLOCK; step < at; step += 1) sum += steps[step]!;
    blocks.push(sum / (STEPS_A_BLOCK * stepSamples));
  }
  return blocks;
}

/** Integrated loudness of all blocks in LUFS; `undefined` if nothing is audible. */
export function integratedLoudness(blocks: readonly number[]): number | undefined {
  const audible = blocks.filter((energy) => lufs(energy) > ABSOLUTE_GATE_LUFS);
  if (audible.length === 0) return undefined;
  const gate = lufs(mean(audible)) + RELATIVE_GATE_LU;
  return lufs(mean(audible.filter((energy) => lufs(energy) > gate)));
}

function mean(energies: readonly number[]): number {
  return energies.reduce((sum, energy) => sum + energy, 0) / energies.length;
}

function lufs(energy: number): number {
  return OFFSET_DB + 10 * Math.log10(energy);
}

/** Surround channels count 1.5 dB more, and the low-frequency channel does not count. */
const WEIGHTS: Readonly<Record<ChannelKind, number>> = { front: 1, surround: 1.41, 'low-frequency': 0 };

function addEnergies(
  steps: Float64Array,
  samples: Float32Array,
  options: { readonly sampleRate: number; readonly stepSamples: number; readonly weight: number },
): void {
  const { sampleRate, stepSamples, weight } = options;
  const [shelf, pass] = [headShelf(sampleRate), lowCut(sampleRate)];
  let [x1, x2, y1, y2, z1, z2] = [0, 0, 0, 0, 0, 0];
  for (let step = 0, at = 0; step < steps.length; step += 1) {
    let sum = 0;
    for (const end = at + stepSamples; at < end; at += 1) {
      const x = samples[at]!;
      const y = shelf.b0 * x + shelf.b1 * x1 + shelf.b2 * x2 - shelf.a1 * y1 - shelf.a2 * y2;
      const z = pass.b0 * y + pass.b1 * y1 + pass.b2 * y2 - pass.a1 * z1 - pass.a2 * z2;
      [x2, x1, y2, y1, z2, z1] = [x1, x, y1, y, z1, z];
      sum += z * z;
    }
    steps[step]! += weight * sum;
  }
}

interface Biquad {
  readonly b0: number;
  readonly b1: number;
  readonly b2: number;
  readonly a1: number;
  readonly a2: number;
}

/**
 * The first filter models the effect of the head. BS.1770 lists coefficients for 48 kHz only; these analogue parameters
 * give the coefficients for any rate.
 */
function headShelf(sampleRate: number): Biquad {
  const k = Math.tan((Math.PI * 1_681.974450955533) / sampleRate);
  const q = 0.7071752369554196;
  const vh = 10 ** (3.999843853973347 / 20);
  const vb = vh ** 0.4996667741545416;
  const a0 = 1 + k / q + k * k;
  return {
    b0: (vh + (vb * k) / q + k * k) / a0,
    b1: (2 * (k * k - vh)) / a0,
    b2: (vh - (vb * k) / q + k * k) / a0,
    a1: (2 * (k * k - 1)) / a0,
    a2: (1 - k / q + k * k) / a0,
  };
}

/** The second filter removes frequencies too low to be heard. */
function lowCut(sampleRate: number): Biquad {
  const k = Math.tan((Math.PI * 38.13547087602444) / sampleRate);
  const q = 0.5003270373238773;
  const a0 = 1 + k / q + k * k;
  return { b0: 1, b1: -2, b2: 1, a1: (2 * (k * k - 1)) / a0, a2: (1 - k / q + k * k) / a0 };
}
