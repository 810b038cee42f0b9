/** YAML can escape these, but no text for people needs them, and they may break the service after payment. */
const UNPRINTABLE = /(?![\t\n\r\u0085])\p{Cc}|\p{Cs}/u;

/** The first unprintable character of a text, as `U+001B`, or `undefined`. */
export function unprintableIn(text: string): string | undefined {
  const bad = UNPRINTABLE.exec(text)?.[0];
  return bad === undefined
    ? undefined
    : `U+${bad.codePointAt(0)!.toString(16).toUpperCase().padStart(4, '0')}`;
}
