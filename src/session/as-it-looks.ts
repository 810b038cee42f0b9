/*
 * Text as it looks to a reader: without the backslashes of Markdown, invisible characters and accents, and with
 * full-width characters as ASCII. All in linear time.
 */

const ODD = /[^\x20-\x7e]|\\/;

export interface Shown {
  /** With one blank for several. */
  readonly text: string;
  /** Where each of its characters is in the original. */
  readonly places: readonly number[];
}

/** `undefined`: the text is plain ASCII without backslashes. */
export function shownAs(code: string): Shown | undefined {
  if (!ODD.test(code)) return undefined;
  const parts: string[] = [];
  const places: number[] = [];
  let place = 0;
  for (const character of code) {
    const plain = asItLooks(character);
    if (plain !== ' ' || parts.at(-1) !== ' ') {
      if (plain !== '') parts.push(plain);
      for (let unit = 0; unit < plain.length; unit += 1) places.push(place);
    }
    place += character.length;
  }
  return { text: parts.join(''), places };
}

export function asItLooks(text: string): string {
  return text
    .normalize('NFKD')
    .replace(/[\p{Cf}\p{M}\\]/gu, '')
    .replace(/\s/g, ' ');
}

/** The first character from this place on that does not look as it is, in words with its column (from 1). */
export function oddIn(code: string, from: number): string {
  let place = from;
  for (const character of code.slice(from)) {
    if (asItLooks(character) !== character && !/\s/.test(character)) break;
    place += character.length;
  }
  const at = code.codePointAt(place);
  if (at === undefined) return 'other characters';
  const name = at === BACKSLASH ? 'a backslash' : `the character U+${hex(at)}`;
  return `${name} in column ${place + 1}`;
}

const BACKSLASH = 0x5c;

function hex(codePoint: number): string {
  return codePoint.toString(16).toUpperCase().padStart(4, '0');
}
