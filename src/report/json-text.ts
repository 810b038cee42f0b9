/** Characters that a terminal may interpret or hide. JSON allows them unescaped. */
const UNSEEN = /[\u007f-\u009f\u00ad\u061c\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff]/g;

/** A whole document, as `--json` prints it. */
export function jsonDocument(value: unknown): string {
  return `${jsonText(value, 2)}\n`;
}

/**
 * JSON that is also safe to display: characters that a terminal may interpret are written as `\uXXXX`, which is
 * equivalent.
 */
export function jsonText(value: unknown, indent?: number): string {
  return (
    JSON.stringify(value, null, indent)
      .replace(UNSEEN, (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`)
      // A command to the GitHub Actions runner, anywhere in a line. In JSON it can only occur in a string.
      .replaceAll('##[', '##\\u005b')
  );
}
