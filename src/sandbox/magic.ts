/**
 * Words in a prompt that make the sandbox misbehave, so that every outcome can be seen on purpose:
 * - `[sandbox:fail]`: the job fails: retrieve answers 400, refunded (as of August 2026: FAILED, and stays charged);
 * - `[sandbox:refund]`: the job fails, is refunded, and says so;
 * - `[sandbox:crash]`: the job fails, and retrieve answers 500 on each poll, refunded;
 * - `[sandbox:policy]`: refused with 422 and a suggested prompt (as is a prompt with one of a few dark words);
 * - `[sandbox:capacity]`: refused with 503 MODEL_AT_CAPACITY the first two times;
 * - `[sandbox:slow]`: takes five times as long;
 * - `[sandbox:lost-answer]`: queued and charged, and the first time the connection is reset instead of an answer;
 * - `[sandbox:expired]`: 404 once it would be ready;
 * - `[sandbox:damaged]`: what is downloaded is no audio.
 */
export type MagicWord =
  | 'fail'
  | 'refund'
  | 'crash'
  | 'policy'
  | 'capacity'
  | 'slow'
  | 'lost-answer'
  | 'expired'
  | 'damaged';

export function hasWord(prompt: string, word: MagicWord): boolean {
  return prompt.includes(`[sandbox:${word}]`);
}

/** What the content policy puts in the place of each word that it does not pass. */
const INSTEAD: Readonly<Record<string, string>> = {
  gore: 'tension',
  massacre: 'battle',
  torture: 'struggle',
};

const FORBIDDEN = new RegExp(`\\b(?:${Object.keys(INSTEAD).join('|')})\\b|\\[sandbox:policy\\]\\s*`, 'gi');

/** @returns a prompt that passes, or `undefined` if this one does */
export function suggestPrompt(prompt: string): string | undefined {
  const suggested = prompt.replace(FORBIDDEN, (word) => INSTEAD[word.toLowerCase()] ?? '').trim();
  return suggested === prompt.trim() ? undefined : suggested || 'A calm instrumental';
}
