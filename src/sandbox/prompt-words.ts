import { closest } from '../core/closest.js';

/**
 * Words in a prompt that make the sandbox misbehave, to see each outcome on demand:
 * - `[sandbox:fail]`: the job fails: retrieve answers 400, refunded (as of August 2026: FAILED, and not refunded);
 * - `[sandbox:refund]`: the job fails, is refunded, and the response says so;
 * - `[sandbox:crash]`: the job fails, and retrieve answers 500 on each poll, refunded;
 * - `[sandbox:policy]`: refused with 422 and a suggested prompt (as is a prompt with one of a few dark words);
 * - `[sandbox:capacity]`: refused with 503 MODEL_AT_CAPACITY the first two times;
 * - `[sandbox:slow]`: takes five times as long;
 * - `[sandbox:lost-answer]`: queued and charged, but the first time the connection is reset instead of a response;
 * - `[sandbox:expired]`: 404 once it would be ready;
 * - `[sandbox:damaged]`: the download is not audio.
 */
const WORDS = [
  'fail',
  'refund',
  'crash',
  'policy',
  'capacity',
  'slow',
  'lost-answer',
  'expired',
  'damaged',
] as const;
export type PromptWord = (typeof WORDS)[number];

export function hasWord(prompt: string, word: PromptWord): boolean {
  return prompt.includes(`[sandbox:${word}]`);
}

/** Why a word in a prompt does nothing, or `undefined` if there is none: it was probably misspelled. */
export function unknownWord(prompt: string): string | undefined {
  for (const [given, rest = ''] of prompt.matchAll(/\[ *sandbox\b([^[\]]*)\]/gi)) {
    if (WORDS.some((known) => given === `[sandbox:${known}]`)) continue;
    const meant = closest(rest.replace(/^[ :_-]+/, '').trim(), WORDS);
    const hint =
      meant === undefined ? `the words are ${WORDS.join(', ')}` : `did you mean [sandbox:${meant}]?`;
    return `unknown sandbox word ${given}: ${hint}`;
  }
  return undefined;
}

/** Replacements for words that the content policy refuses. */
const INSTEAD: Readonly<Record<string, string>> = {
  gore: 'tension',
  massacre: 'battle',
  torture: 'struggle',
};

const FORBIDDEN = new RegExp(`\\b(?:${Object.keys(INSTEAD).join('|')})\\b|\\[sandbox:policy\\]\\s*`, 'gi');

/** @returns a prompt that is accepted, or `undefined` if this one is */
export function suggestPrompt(prompt: string): string | undefined {
  const suggested = prompt.replace(FORBIDDEN, (word) => INSTEAD[word.toLowerCase()] ?? '').trim();
  return suggested === prompt.trim() ? undefined : suggested || 'A calm instrumental';
}
