import { drawn, pitch, readScore, type Score } from './score.js';
import { addHit, addNote, RATE, toInt16 } from './synth.js';

/** Samples in one block: loops are whole numbers of them, so that an encoded block serves every repeat. */
export const BLOCK = 4_096;

/** What a track is made of: loops of whole blocks, played in this order over and over. */
export interface Material {
  readonly loops: readonly Int16Array[];
  readonly order: readonly number[];
}

export type Kind = 'music' | 'speech' | 'effect';

export function materialOf(kind: Kind, prompt: string, seed: string): Material {
  switch (kind) {
    case 'music':
      return music(prompt, seed);
    case 'speech':
      return speech(prompt, seed);
    case 'effect':
      return effect(prompt, seed);
  }
}

function wholeBlocks(seconds: number): Float32Array {
  return new Float32Array(Math.max(1, Math.round((seconds * RATE) / BLOCK)) * BLOCK);
}

/** Four bars with everything, and four without drums and melody. */
function music(prompt: string, seed: string): Material {
  const score = readScore(prompt, seed);
  const full = wholeBlocks((16 * 60) / score.bpm);
  const quiet = new Float32Array(full.length);
  for (const loop of [full, quiet]) harmony(loop, score);
  melody(full, score, seed);
  if (score.instruments.has('drums')) beat(full);
  return { loops: [toInt16(full), toInt16(quiet)], order: [1, 0, 0, 0] };
}

function harmony(loop: Float32Array, score: Score): void {
  const bar = loop.length / 4;
  const voices = (['strings', 'synth', 'keys', 'pluck'] as const).filter((voice) =>
    score.instruments.has(voice),
  );
  const voice = voices[0] ?? 'keys';
  for (const [index, root] of score.progression.entries()) {
    const start = Math.round(index * bar);
    for (const third of [0, 2, 4]) {
      const midi = pitch(score, root + third, 3);
      addNote(loop, { instrument: voice, midi, start, length: Math.round(bar * 0.95), gain: 0.22 });
    }
    for (const eighth of [0, 3, 4, 6])
      addNote(loop, {
        instrument: 'bass',
        midi: pitch(score, root, 1),
        start: Math.round(start + (eighth * bar) / 8),
        length: Math.round(bar / 8),
        gain: 0.4,
      });
  }
}

function melody(loop: Float32Array, score: Score, seed: string): void {
  const draw = drawn(`melody ${seed}`);
  const voices = (['pluck', 'keys', 'synth', 'strings'] as const).filter((voice) =>
    score.instruments.has(voice),
  );
  const instrument = voices[0] ?? 'pluck';
  const eighth = loop.length / 32;
  let degree = 0;
  for (let index = 0; index < 32; index += 1) {
    const chord = score.progression[Math.floor(index / 8)] ?? 0;
    if (index % 8 === 0) degree = chord + 2 * Math.floor(3 * draw());
    else degree += Math.floor(5 * draw()) - 2;
    if (draw() < 0.3) continue;
    degree = Math.max(chord - 2, Math.min(chord + 8, degree));
    const midi = pitch(score, degree, 4);
    addNote(loop, {
      instrument,
      midi,
      start: Math.round(index * eighth),
      length: Math.round(eighth),
      gain: 0.3,
    });
  }
}

function beat(loop: Float32Array): void {
  const eighth = loop.length / 32;
  for (let index = 0; index < 32; index += 1) {
    const start = Math.round(index * eighth);
    if (index % 8 === 0 || index % 8 === 5) addHit(loop, 'kick', start, 0.7);
    if (index % 8 === 4) addHit(loop, 'snare', start, 0.5);
    addHit(loop, 'hat', start, index % 2 === 0 ? 0.25 : 0.15);
  }
}

/** Syllables of two resonances each, in words and phrases: a voice in the next room. */
function speech(prompt: string, seed: string): Material {
  const loop = wholeBlocks(8);
  const draw = drawn(`speech ${seed} ${prompt}`);
  const base = 95 + 90 * draw();
  let place = 0;
  while (place < loop.length) {
    const length = Math.round((0.11 + 0.1 * draw()) * RATE);
    syllable(loop, place, Math.min(length, loop.length - place), base * (0.9 + 0.25 * draw()), draw);
    const pause = draw() < 0.12 ? 0.22 : draw() < 0.35 ? 0.05 : 0.005;
    place += length + Math.round(pause * RATE);
  }
  return { loops: [toInt16(loop)], order: [0] };
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
    // One glottal pulse a period rings both resonances.
    const age = (sample % (RATE / hertz)) / RATE;
    const ring = Math.exp(-age * 90);
    const voiced = Math.sin(2 * Math.PI * first * age) + 0.5 * Math.sin(2 * Math.PI * second * age);
    loop[start + sample] = envelope * ring * voiced;
  }
}

/** Noise through a filter whose opening follows the words. */
function effect(prompt: string, seed: string): Material {
  const loop = wholeBlocks(4);
  const draw = drawn(`effect ${seed} ${prompt}`);
  const steady = /rain|wind|ocean|wave|ambien|hum|drone|crowd|fire|traffic|loop/i.test(prompt);
  const high = /whoosh|laser|bell|click|chime|glass|rain|hiss|sparkle/i.test(prompt);
  const strikes = steady ? 1 : 2 + Math.floor(4 * draw());
  let low = 0;
  let tone = 0;
  for (let sample = 0; sample < loop.length; sample += 1) {
    const age = ((sample * strikes) / loop.length) % 1;
    const swell = steady
      ? 0.75 + 0.25 * Math.sin((2 * Math.PI * sample) / loop.length)
      : 0.08 + (1 - age) ** 3;
    const opening = (high ? 0.35 : 0.06) * (0.4 + swell);
    low += opening * (draw() * 2 - 1 - low);
    tone += (2 * Math.PI * (high ? 880 : 110) * (1 - 0.5 * age)) / RATE;
    loop[sample] = swell * (low + (steady ? 0 : 0.25 * Math.sin(tone)));
  }
  return { loops: [toInt16(loop)], order: [0] };
}
