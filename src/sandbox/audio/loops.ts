import { drawn, pitch, readScore, type Score } from './score.js';
import { addHit, addNote, RATE, toInt16 } from './synth.js';
import { type Variation, variationOf } from './variation.js';

/** Samples in one block. Loops are whole numbers of blocks, so that an encoded block can be reused for every repeat. */
export const BLOCK = 4_096;

/** What a track consists of: loops of whole blocks, repeated in this order. */
export interface Material {
  readonly loops: readonly Int16Array[];
  readonly order: readonly number[];
}

export type Kind = 'music' | 'speech' | 'effect';

/** @param isLoop whether its end has to join its start */
export function materialOf(kind: Kind, prompt: string, seed: string, isLoop: boolean): Material {
  switch (kind) {
    case 'music':
      return music(prompt, seed);
    case 'speech':
      return speech(prompt, seed);
    case 'effect':
      return effect(prompt, seed, isLoop);
  }
}

function wholeBlocks(seconds: number): Float32Array {
  return new Float32Array(Math.max(1, Math.round((seconds * RATE) / BLOCK)) * BLOCK);
}

/** Four bars with everything, and four without drums and melody. */
function music(prompt: string, seed: string): Material {
  const score = readScore(prompt, seed);
  const variation = variationOf(seed);
  const full = wholeBlocks((16 * 60) / score.bpm);
  const quiet = new Float32Array(full.length);
  for (const loop of [full, quiet]) harmony(loop, score, variation);
  melody(full, score, variation, seed);
  if (score.instruments.has('drums')) beat(full, variation);
  return { loops: [toInt16(full), toInt16(quiet)], order: [1, 0, 0, 0] };
}

function harmony(loop: Float32Array, score: Score, { brightness, inversion, bass }: Variation): void {
  const bar = loop.length / 4;
  const voices = (['strings', 'synth', 'keys', 'pluck'] as const).filter((voice) =>
    score.instruments.has(voice),
  );
  const voice = voices[0] ?? 'keys';
  for (const [index, root] of score.progression.entries()) {
    const start = Math.round(index * bar);
    for (const third of [0, 2, 4]) {
      // The lowest notes of an inverted chord move to its top.
      const midi = pitch(score, root + third + (third < 2 * inversion ? 7 : 0), 3);
      addNote(loop, {
        instrument: voice,
        brightness,
        midi,
        start,
        length: Math.round(bar * 0.95),
        gain: 0.22,
      });
    }
    for (const eighth of bass)
      addNote(loop, {
        instrument: 'bass',
        brightness,
        midi: pitch(score, root, 1),
        start: Math.round(start + (eighth * bar) / 8),
        length: Math.round(bar / 8),
        gain: 0.4,
      });
  }
}

function melody(
  loop: Float32Array,
  score: Score,
  { brightness, octave, rests, lead }: Variation,
  seed: string,
): void {
  const draw = drawn(`melody ${seed}`);
  const voices = (['pluck', 'keys', 'synth', 'strings'] as const).filter((voice) =>
    score.instruments.has(voice),
  );
  const instrument = voices[lead % Math.max(1, voices.length)] ?? 'pluck';
  const eighth = loop.length / 32;
  let degree = 0;
  for (let index = 0; index < 32; index += 1) {
    const chord = score.progression[Math.floor(index / 8)] ?? 0;
    if (index % 8 === 0) degree = chord + 2 * Math.floor(3 * draw());
    else degree += Math.floor(5 * draw()) - 2;
    if (draw() < rests) continue;
    degree = Math.max(chord - 2, Math.min(chord + 8, degree));
    const midi = pitch(score, degree, 3 + octave);
    addNote(loop, {
      instrument,
      brightness,
      midi,
      start: Math.round(index * eighth),
      length: Math.round(eighth),
      gain: 0.3,
    });
  }
}

function beat(loop: Float32Array, { beat: { kick, snare, hat } }: Variation): void {
  const eighth = loop.length / 32;
  for (let index = 0; index < 32; index += 1) {
    const start = Math.round(index * eighth);
    if (kick.includes(index % 8)) addHit(loop, 'kick', start, 0.7);
    if (snare.includes(index % 8)) addHit(loop, 'snare', start, 0.5);
    if (hat.includes(index % 8)) addHit(loop, 'hat', start, index % 2 === 0 ? 0.25 : 0.15);
  }
}

/** Syllables of two resonances each, in words and phrases, like a voice in the next room. */
function speech(prompt: string, seed: string): Material {
  const loop = wholeBlocks(8);
  const draw = drawn(`speech ${seed} ${prompt}`);
  // The first number of a seed is not random enough.
  draw();
  const base = 85 + 120 * draw();
  const pace = 0.8 + 0.5 * draw();
  let place = 0;
  while (place < loop.length) {
    const length = Math.round(((0.11 + 0.1 * draw()) / pace) * RATE);
    syllable(loop, place, Math.min(length, loop.length - place), base * (0.9 + 0.25 * draw()), draw);
    const pause = draw() < 0.12 ? 0.22 : draw() < 0.35 ? 0.05 : 0.005;
    place += length + Math.round(pause * RATE);
  }
  return { loops: [toInt16(centred(loop))], order: [0] };
}

function syllable(
  loop: Float32Array,
  start: number,
  length: number,
  hertz: number,
  draw: () => number,
): void {
  const first = 300 + 500 * draw();
  const second = 900 + 1_300 * draw();
  for (let sample = 0; sample < length; sample += 1) {
    const envelope = Math.sin((Math.PI * sample) / length);
    // One glottal pulse per period excites both resonances.
    const age = (sample % (RATE / hertz)) / RATE;
    const ring = Math.exp(-age * 90);
    const voiced = Math.sin(2 * Math.PI * first * age) + 0.5 * Math.sin(2 * Math.PI * second * age);
    loop[start + sample] = envelope * ring * voiced;
  }
}

/** Noise through a filter controlled by the prompt's words. Its end joins its start. */
function effect(prompt: string, seed: string, isLoop: boolean): Material {
  const loop = wholeBlocks(4);
  const draw = drawn(`effect ${seed} ${prompt}`);
  draw();
  const steady = isLoop || /rain|wind|ocean|wave|ambien|hum|drone|crowd|fire|traffic|loop/i.test(prompt);
  const high = /whoosh|laser|bell|click|chime|glass|rain|hiss|sparkle/i.test(prompt);
  const strikes = steady ? 1 : 2 + Math.floor(4 * draw());
  const swells = steady ? 1 + Math.floor(4 * draw()) : 0;
  const width = 0.5 + 1.5 * draw();
  const hertz = (high ? 880 : 110) * 2 ** (1.5 * draw() - 0.5);
  const noise = Float32Array.from(loop, () => draw() * 2 - 1);
  let low = 0;
  // Twice around, so that the filter's state at the start equals that at the end.
  for (let step = 0; step < 2 * loop.length; step += 1) {
    const sample = step % loop.length;
    const age = ((sample * strikes) / loop.length) % 1;
    const swell = steady
      ? 0.75 + 0.25 * Math.sin((2 * Math.PI * swells * sample) / loop.length)
      : 0.08 + (1 - age) ** 3;
    low += Math.min(0.9, (high ? 0.35 : 0.06) * width * (0.4 + swell)) * (noise[sample]! - low);
    // The tone falls during each strike.
    const seconds = (age * loop.length) / strikes / RATE;
    const tone = Math.sin(2 * Math.PI * hertz * seconds * (1 - 0.25 * age));
    loop[sample] = swell * (low + (steady ? 0 : 0.25 * tone));
  }
  return { loops: [toInt16(centred(loop))], order: [0] };
}

/** Voices and low noise have a DC offset, which only wastes headroom. */
function centred(loop: Float32Array): Float32Array {
  const mean = loop.reduce((sum, sample) => sum + sample, 0) / loop.length;
  return loop.map((sample) => sample - mean);
}
