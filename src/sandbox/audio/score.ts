import { createHash } from 'node:crypto';

/** What a prompt says about its music. Anything else is drawn from the seed. */
export interface Score {
  /** Beats per minute, 40 to 220. */
  readonly bpm: number;
  /** Semitones above C. */
  readonly tonic: number;
  readonly minor: boolean;
  readonly instruments: ReadonlySet<Instrument>;
  /** Chords of the loop, as scale degrees from 0. */
  readonly progression: readonly number[];
}

export type Instrument = 'pluck' | 'keys' | 'synth' | 'strings' | 'bass' | 'drums';

const WORDS: Readonly<Record<Instrument, RegExp>> = {
  pluck: /guitar|ukulele|harp|banjo|mandolin|lute|pluck|marimba|kalimba/i,
  keys: /piano|keys|rhodes|wurlitzer|organ|harpsichord|celesta|vibraphone/i,
  synth: /synth|analog|arpegg|lead|electro|chip|wave|trance|house|techno|brass|horn|trumpet|sax|flute/i,
  strings: /string|violin|cello|viola|orchestr|cinematic|pad|choir|ambient|drone/i,
  bass: /bass|sub\b|808/i,
  drums: /drum|percussion|beat|kick|snare|hi-?hat|clap|tom|cymbal|groove/i,
};

const NOTES: Readonly<Record<string, number>> = { C: 0, D: 2, E: 4, F: 5, G: 7, A: 9, B: 11 };
const PROGRESSIONS = [
  [0, 4, 5, 3],
  [0, 5, 3, 4],
  [0, 3, 5, 4],
  [5, 3, 0, 4],
  [0, 2, 3, 4],
] as const;

/** Numbers in 0..1, always the same for the same seed. */
export function drawn(seed: string): () => number {
  let state = createHash('sha256').update(seed).digest().readUInt32LE(0) || 1;
  return () => {
    // xorshift32 is good enough to pick notes.
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return (state >>> 0) / 2 ** 32;
  };
}

/** Reads tempo, key and instruments from a prompt. */
export function readScore(prompt: string, seed: string): Score {
  const draw = drawn(`score ${seed}`);
  const bpm = Number(/\b(\d{2,3})\s*bpm\b/i.exec(prompt)?.[1] ?? Math.round(84 + 52 * draw()));
  const drawnTonic = Math.floor(12 * draw());
  const tonic = namedTonic(prompt) ?? drawnTonic;
  const minor =
    /\bminor\b|\b[A-G][#♯b♭]?[ -]min\b|melanchol|dark|sad|noir/i.test(prompt) && !/\bmajor\b/i.test(prompt);
  const named = (Object.keys(WORDS) as Instrument[]).filter((instrument) => WORDS[instrument].test(prompt));
  const instruments = new Set<Instrument>(named.length > 0 ? named : ['keys', 'bass', 'drums']);
  const progression = PROGRESSIONS[Math.floor(draw() * PROGRESSIONS.length)] ?? PROGRESSIONS[0];
  return { bpm: Math.min(220, Math.max(40, bpm)), tonic, minor, instruments, progression };
}

const ACCIDENTAL = '(#|♯|b|♭| sharp| flat)?';
const KEY_WITH_MODE = new RegExp(`\\b([A-G])${ACCIDENTAL}[ -](?:major|minor|maj|min)\\b`);
const KEY_ALONE = new RegExp(`\\b(?:key of|in) ([A-G])${ACCIDENTAL}(?![\\w#])`);

function namedTonic(prompt: string): number | undefined {
  const key = [KEY_WITH_MODE, KEY_ALONE]
    .map((pattern) => pattern.exec(prompt))
    .find((match) => match !== null && !isArticle(match));
  if (key === null || key === undefined) return undefined;
  const shift = key[2] === undefined ? 0 : /#|♯|sharp/.test(key[2]) ? 1 : -1;
  return (NOTES[key[1]!]! + shift + 12) % 12;
}

/** "A major success", "in A room": an A at the beginning of a sentence or after "in", followed by a word. */
function isArticle({ 0: text, 1: letter, 2: accidental, index, input }: RegExpExecArray): boolean {
  if (letter !== 'A' || accidental !== undefined) return false;
  const follows = input.slice(index + text.length);
  return /^ [a-z]/.test(follows) && (text.startsWith('in ') || /(?:^|[.!?]\s*)$/.test(input.slice(0, index)));
}

const MAJOR = [0, 2, 4, 5, 7, 9, 11];
const MINOR = [0, 2, 3, 5, 7, 8, 10];

/** MIDI number of a scale degree; degrees beyond the octave continue above it. */
export function pitch(score: Score, degree: number, octave: number): number {
  const scale = score.minor ? MINOR : MAJOR;
  const step = ((degree % 7) + 7) % 7;
  return 12 * (octave + 1) + score.tonic + (scale[step] ?? 0) + 12 * Math.floor(degree / 7);
}

export function frequency(midi: number): number {
  return 440 * 2 ** ((midi - 69) / 12);
}
