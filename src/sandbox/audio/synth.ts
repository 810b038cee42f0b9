import { drawn, frequency, type Instrument } from './score.js';

/** Samples per second, mono. */
export const RATE = 22_050;

const TABLE = 2_048;

interface Timbre {
  /** Amplitude of each harmonic, from the first. */
  readonly harmonics: readonly number[];
  readonly attackSeconds: number;
  /** Time in which it falls to about a third. */
  readonly decaySeconds: number;
  /** Falls to this fraction of its amplitude and stays there while the note is held. */
  readonly sustain: number;
}

const TIMBRES: Readonly<Record<Exclude<Instrument, 'drums'>, Timbre>> = {
  pluck: { harmonics: [1, 0.6, 0.4, 0.25, 0.18, 0.1], attackSeconds: 0.003, decaySeconds: 0.28, sustain: 0 },
  keys: { harmonics: [1, 0.35, 0.2, 0.12, 0.05], attackSeconds: 0.006, decaySeconds: 0.6, sustain: 0.1 },
  synth: {
    harmonics: [1, 0.5, 0.33, 0.25, 0.2, 0.16, 0.14, 0.12],
    attackSeconds: 0.01,
    decaySeconds: 0.4,
    sustain: 0.5,
  },
  strings: { harmonics: [1, 0.5, 0.4, 0.2, 0.15, 0.1], attackSeconds: 0.18, decaySeconds: 1.5, sustain: 0.8 },
  bass: { harmonics: [1, 0.4, 0.15, 0.05], attackSeconds: 0.005, decaySeconds: 0.35, sustain: 0.4 },
};

const tables = new Map<string, Float32Array>();

/** One period of an instrument's wave. */
function waveOf(instrument: keyof typeof TIMBRES, brightness: number): Float32Array {
  const name = `${instrument} ${brightness}`;
  const known = tables.get(name);
  if (known) return known;
  const table = new Float32Array(TABLE);
  const harmonics = TIMBRES[instrument].harmonics.map(
    (strength, index) => strength * (index + 1) ** brightness,
  );
  const total = harmonics.reduce((sum, strength) => sum + strength, 0);
  for (const [index, strength] of harmonics.entries())
    for (let sample = 0; sample < TABLE; sample += 1)
      table[sample]! += (strength / total) * Math.sin((2 * Math.PI * (index + 1) * sample) / TABLE);
  tables.set(name, table);
  return table;
}

export interface Note {
  readonly instrument: keyof typeof TIMBRES;
  /** Exponent of each harmonic's number: see `Variation`. */
  readonly brightness: number;
  readonly midi: number;
  /** In samples from the start of the loop. */
  readonly start: number;
  readonly length: number;
  readonly gain: number;
}

/** Mixes a note into the loop. Its tail wraps around to the loop's start, so that repeats have no seam. */
export function addNote(loop: Float32Array, note: Note): void {
  const wave = waveOf(note.instrument, note.brightness);
  const { attackSeconds, decaySeconds, sustain } = TIMBRES[note.instrument];
  const attack = Math.max(1, Math.round(attackSeconds * RATE));
  const release = Math.round(0.04 * RATE);
  const falling = Math.exp(-1 / (decaySeconds * RATE));
  const step = (frequency(note.midi) * TABLE) / RATE;
  const total = note.length + release;
  let phase = 0;
  let strength = 1;
  let place = note.start % loop.length;
  for (let sample = 0; sample < total; sample += 1) {
    if (sample >= attack) strength = sustain + (strength - sustain) * falling;
    const rise = sample < attack ? sample / attack : 1;
    const end = sample > note.length ? 1 - (sample - note.length) / release : 1;
    loop[place]! += note.gain * rise * end * strength * wave[phase & (TABLE - 1)]!;
    phase += step;
    place += 1;
    if (place === loop.length) place = 0;
  }
}

export type Hit = 'kick' | 'snare' | 'hat';

const hits = new Map<Hit, Float32Array>();

function hitOf(kind: Hit): Float32Array {
  const known = hits.get(kind);
  if (known) return known;
  const seconds = kind === 'kick' ? 0.25 : kind === 'snare' ? 0.18 : 0.05;
  const samples = new Float32Array(Math.round(seconds * RATE));
  const noise = drawn(`hit ${kind}`);
  let phase = 0;
  for (let sample = 0; sample < samples.length; sample += 1) {
    const age = sample / samples.length;
    phase += (2 * Math.PI * (kind === 'kick' ? 45 + 110 * (1 - age) ** 6 : 190)) / RATE;
    const body = kind === 'hat' ? 0 : Math.sin(phase) * (kind === 'kick' ? 1 : 0.35);
    const hiss = kind === 'kick' ? 0 : (noise() * 2 - 1) * (kind === 'snare' ? 0.6 : 0.35);
    samples[sample] = (body + hiss) * (1 - age) ** 3;
  }
  hits.set(kind, samples);
  return samples;
}

export function addHit(loop: Float32Array, kind: Hit, start: number, gain: number): void {
  const samples = hitOf(kind);
  for (let sample = 0; sample < samples.length; sample += 1)
    loop[(start + sample) % loop.length]! += gain * samples[sample]!;
}

/** As 16-bit samples, with the peak at about 70 % of full scale. */
export function toInt16(loop: Float32Array): Int16Array {
  let peak = 1e-6;
  for (const sample of loop) peak = Math.max(peak, Math.abs(sample));
  const scale = (0.7 * 32_767) / peak;
  const out = new Int16Array(loop.length);
  for (let sample = 0; sample < loop.length; sample += 1) out[sample] = Math.round(loop[sample]! * scale);
  return out;
}
