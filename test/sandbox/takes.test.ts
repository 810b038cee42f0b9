import { describe, expect, it } from 'vitest';
import { decodeAudio } from '../../src/audio/decode.js';
import type { Pcm } from '../../src/audio/pcm.js';
import { findingsOf } from '../../src/qc/findings.js';
import { measure } from '../../src/qc/measure.js';
import { type AudioJob, renderAudio } from '../../src/sandbox/audio/render.js';
import { bytesOf } from './play.js';

async function played(job: AudioJob): Promise<Pcm> {
  const decoded = await decodeAudio(bytesOf(renderAudio(job)));
  if (decoded.kind !== 'pcm') throw new Error(decoded.format);
  return decoded.pcm;
}

const FRAME = 4_096;
const FRAMES = 40;
/** Semitones from C2 up, five octaves. */
const TONES = Array.from({ length: 60 }, (_, index) => 65.4 * 2 ** (index / 12));

/** How strong each semitone is in each frame: captures pitch, timbre and rhythm. */
function heard({ sampleRate, channels: [samples = new Float32Array()] }: Pcm): Float64Array {
  const strengths = new Float64Array(FRAMES * TONES.length);
  for (let frame = 0; frame < FRAMES; frame += 1)
    for (const [index, hertz] of TONES.entries()) {
      const turn = 2 * Math.cos((2 * Math.PI * hertz) / sampleRate);
      let [before, last] = [0, 0];
      for (let at = 0; at < FRAME; at += 1) {
        const next = (samples[frame * FRAME + at] ?? 0) + turn * last - before;
        [before, last] = [last, next];
      }
      const power = last * last + before * before - turn * last * before;
      strengths[frame * TONES.length + index] = Math.sqrt(Math.max(0, power));
    }
  return strengths;
}

/** 1 if identical, 0 if they have nothing in common. */
function likeness(a: Float64Array, b: Float64Array): number {
  let [both, ofA, ofB] = [0, 0, 0];
  for (let at = 0; at < a.length; at += 1) {
    both += a[at]! * b[at]!;
    ofA += a[at]! ** 2;
    ofB += b[at]! ** 2;
  }
  return both / Math.sqrt(ofA * ofB);
}

const JOBS = [
  ['a track whose tempo and key are named', 'music', 'Driving post-rock, 132 BPM, D minor, guitar over toms'],
  ['a track of which nothing is said', 'music', 'A song'],
  ['speech', 'speech', 'Welcome aboard. The next stop is the harbour.'],
  ['an effect', 'effect', 'A door falls shut'],
] as const;

describe('takes of one track', () => {
  it.each(JOBS)('sound different: %s', async (_name, kind, prompt) => {
    const takes = await Promise.all(
      ['1', '2', '3', '4'].map(async (seed) =>
        heard(await played({ prompt, kind, durationSeconds: 8, format: 'wav', seed: `abc ${seed}` })),
      ),
    );
    for (const [index, one] of takes.entries())
      for (const other of takes.slice(index + 1)) expect(likeness(one, other)).toBeLessThan(0.9);
  });

  // `audio.test.ts` shows that the samples are the same in every format.
  it.each(JOBS)('pass the quality check: %s', async (_name, kind, prompt) => {
    for (const seed of ['1', '2', '3'])
      for (const durationSeconds of [2, 7, 45]) {
        const pcm = await played({ prompt, kind, durationSeconds, format: 'wav', seed });
        expect(findingsOf(measure(pcm), { durationSeconds })).toEqual([]);
      }
  });

  it('have no seam if they are loops', async () => {
    for (const prompt of ['Rain on a tin roof', 'Engine hum', 'A door falls shut'])
      for (const seed of ['1', '2', '3'])
        for (const durationSeconds of [1, 7, 22]) {
          const pcm = await played({
            prompt,
            kind: 'effect',
            durationSeconds,
            format: 'wav',
            seed,
            loop: true,
          });
          expect(findingsOf(measure(pcm), { durationSeconds, loop: true })).toEqual([]);
        }
  });
});
