/**
 * The width of text in a terminal, and fitting it into a number of columns. For escaped text: control characters have
 * no width here. If terminals disagree (emoji), the larger width counts, so that a line that should fit never wraps.
 */

const NARROW = /^[\x20-\x7e]*$/;
const ZERO_WIDTH = /[\p{Mn}\p{Me}\p{Cc}\p{Cf}\u1160-\u11ff]/u;
/** East Asian Wide and Fullwidth (Unicode TR 11) by block, and emoji. */
const WIDE =
  /[\u1100-\u115f\u2e80-\u303e\u3041-\u4dbf\u4e00-\ua4cf\ua960-\ua97c\uac00-\ud7a3\uf900-\ufaff\ufe30-\ufe6f\uff01-\uff60\uffe0-\uffe6\u{1f300}-\u{1f64f}\u{1f680}-\u{1f6ff}\u{1f900}-\u{1f9ff}\u{1fa70}-\u{1faff}\u{20000}-\u{3fffd}]|\p{Emoji_Presentation}/u;
const REGIONAL_INDICATOR = /[\u{1f1e6}-\u{1f1ff}]/u;
const PICTURE_SELECTOR = '\ufe0f';

const segmenter = new Intl.Segmenter('en', { granularity: 'grapheme' });

function columnsOf(character: string): number {
  // The preceding base character is narrow on its own and wide as emoji.
  if (character === PICTURE_SELECTOR) return 1;
  if (ZERO_WIDTH.test(character)) return 0;
  if (REGIONAL_INDICATOR.test(character)) return 1;
  return WIDE.test(character) ? 2 : 1;
}

/** Columns that the text takes. */
export function displayWidth(text: string): number {
  if (NARROW.test(text)) return text.length;
  let width = 0;
  for (const character of text) width += columnsOf(character);
  return width;
}

/** The longest prefix of whole visible characters that fits in this many columns. */
function startWithin(text: string, width: number): string {
  if (NARROW.test(text)) return text.slice(0, width);
  let used = 0;
  let end = 0;
  for (const { segment, index } of segmenter.segment(text)) {
    used += displayWidth(segment);
    if (used > width) break;
    end = index + segment.length;
  }
  return text.slice(0, end);
}

/** The text in at most `width` columns (0 or more). If truncated, it ends with `…`. */
export function cut(text: string, width: number): string {
  if (displayWidth(text) <= width) return text;
  return width < 1 ? '' : `${startWithin(text, width - 1)}…`;
}

/** The text truncated or padded with spaces to exactly `width` columns. */
export function fill(text: string, width: number, align: 'left' | 'right' = 'left'): string {
  const part = cut(text, width);
  const space = ' '.repeat(Math.max(0, width - displayWidth(part)));
  return align === 'left' ? part + space : space + part;
}

/** A command of this program in a sentence is one word: half of it, pasted, can be another valid command. */
const WORDS = /[^\s`]*`venice-batch [^`]*`\S*|\S+/g;

/**
 * The text in lines of at most `width` columns (1 or more), wrapped between words if possible; only a command may be longer.
 * Where a word is broken, `::` would be at the beginning of a line, and a command to the GitHub Actions runner: its first
 * colon is shown as an escape.
 */
export function wrap(text: string, width: number): string[] {
  const lines: string[] = [];
  let line = '';
  for (const word of text.match(WORDS) ?? []) {
    if (line !== '' && displayWidth(line) + 1 + displayWidth(word) <= width) {
      line += ` ${word}`;
      continue;
    }
    if (line !== '') lines.push(line);
    line = word;
    while (displayWidth(line) > width && !line.includes('`venice-batch ')) {
      // A character wider than the whole line is output anyway.
      const part = startWithin(line, width) || [...line][0]!;
      lines.push(part);
      line = line.slice(part.length).replace(/^:(?=:)/, '\\u{3a}');
    }
  }
  if (line !== '') lines.push(line);
  return lines;
}
