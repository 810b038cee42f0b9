import type { Explanation } from './explanation.js';
import { wrap } from './width.js';

/** Longer lines are hard to read, however wide the terminal is. */
const WIDTH_MAX = 100;

/** Renders an explanation as a page. `next` is not wrapped, so that it can be pasted. Ends with a line end. */
export function renderExplanation(code: string, explanation: Explanation, columns: number): string {
  const { title, text, money, fix, next } = explanation;
  const width = Math.max(40, Math.min(columns, WIDTH_MAX));
  const entry = (name: string, words: string) =>
    wrap(words, width - INDENT).map((line, index) => `${(index === 0 ? name : '').padEnd(INDENT)}${line}`);
  const lines = [
    ...wrap(`${code}: ${title}`, width),
    '',
    ...wrap(text, width),
    '',
    ...entry('Money', money),
    ...entry('Fix', fix),
    `${'Next'.padEnd(INDENT)}${next}`,
  ];
  return `${lines.join('\n')}\n`;
}

const INDENT = 7;
