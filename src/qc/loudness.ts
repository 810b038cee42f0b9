import type { Pcm } from '../audio/pcm.js';

/*
 * Integrated loudness as in ITU-R BS.1770-4 and EBU R128: K-weighting, blocks of 400 ms that overlap by three quarters, an
 * absolute gate at -70 LUFS and a relative one 10 LU below the loudness of what passes it. The filters are given for 48 kHz; for
 * other rates they are made anew from the analogue ones, as libebur128 does.
 */

const BLOCK_SECONDS = 0.4;
const STEPS_IN_BLOCK = 4;
const ABSOLUTE_GATE_LUFS = -70;
const RELATIVE_GATE_LU = -10;
const OFFSET_LUFS = -0.691;

/** LUFS; `undefined` for less than one block, or where nothing is above the absolute gate. */
export function integratedLoudness(pcm: Pcm): number | undefined {
  const blocks = blockPowers(pcm);
  const above = (gate: number) => blocks.filter((power) => power > 0 && lufsOf(power) > gate);
  const audible = above(ABSOLUTE_GATE_LUFS);
  if (audible.length === 0) return undefined;
  const gate = lufsOf(mean(audible)) + RELATIVE_GATE_LU;
  const counted = audible.filter((power) => lufsOf(power) > gate);
  return counted.length === 0 ? undefined : lufsOf(mean(counted));
}

function lufsOf(power: number): number {
  return OFFSET_LUFS + 10 * Math.log10(power);
}

function mean(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}

/** The weighted power of each block, over all channels. */
function blockPowers({ channels, sampleRate }: Pcm): readonly number[] {
  const stepSamples = (BLOCK_SECONDS / STEPS_IN_BLOCK) * sampleRate;
  const count = Math.floor((channels[0]?.length ?? 0) / stepSamples);
  const steps = new Float64Array(count);
  for (const [index, channel] of channels.entries()) {
    const weight = weightOf(index, channels.length);
    if (weight > 0) addStepPowers(steps, channel, sampleRate, stepSamples, weight);
  }
  const blocks: number[] = [];
  for (let last = STEPS_IN_BLOCK - 1; last < count; last += 1) {
    let power = 0;
    for (let back = 0; back < STEPS_IN_BLOCK; back += 1) power += steps[last - back]!;
    blocks.push(power / STEPS_IN_BLOCK);
  }
  return blocks;
}

/** Of a channel in the order of WAV: surround channels count 1.5 dB more, the low-frequency one not at all. */
function weightOf(index: number, count: number): number {
  if (count < 5) return 1;
  if (count === 5) return index < 3 ? 1 : 1.41;
  return index < 3 ? 1 : index === 3 ? 0 : 1.41;
}

function addStepPowers(
  steps: Float64Array,
  channel: Float32Array,
  sampleRate: number,
  stepSamples: number,
  weight: number,
): void {
  const [shelf, pass] = kWeighting(sampleRate);
  let [s1, s2, p1, p2] = [0, 0, 0, 0];
  let at = 0;
  for (let step = 0; step < steps.length; step += 1) {
    const end = Math.floor((step + 1) * stepSamples);
    const from = at;
    let sum = 0;
    for (; at < end; at += 1) {
      const input = channel[at]!;
      const shelved = shelf.b0 * input + s1;
      s1 = shelf.b1 * input - shelf.a1 * shelved + s2;
      s2 = shelf.b2 * input - shelf.a2 * shelved;
      const passed = pass.b0 * shelved + p1;
      p1 = pass.b1 * shelved - pass.a1 * passed + p2;
      p2 = pass.b2 * shelved - pass.a2 * passed;
      sum += passed * passed;
    }
    steps[step]! += (weight * sum) / (end - from);
  }
}

interface Biquad {
  readonly b0: number;
  readonly b1: number;
  readonly b2: number;
  readonly a1: number;
  readonly a2: number;
}

/** A shelf for the head of a listener, and a high pass. */
function kWeighting(sampleRate: number): readonly [Biquad, Biquad] {
  return [highShelf(sampleRate), highPass(sampleRate)];
}

function highShelf(sampleRate: number): Biquad {
  const k = Math.tan((Math.PI * 1681.974450955533) / sampleRate);
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

function highPass(sampleRate: number): Biquad {
  const k = Math.tan((Math.PI * 38.13547087602444) / sampleRate);
  const q = 0.5003270373238773;
  const a0 = 1 + k / q + k * k;
  return { b0: 1, b1: -2, b2: 1, a1: (2 * (k * k - 1)) / a0, a2: (1 - k / q + k * k) / a0 };
}
