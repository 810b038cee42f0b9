/** What a terminal might obey or not show: JSON allows it in a text as it is. */
const UNSEEN = /[\u007f-\u009f\u00ad\u061c\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff]/g;

/** JSON that is also safe to look at: what a terminal might obey is written as `\uXXXX`, which reads as the same text. */
export function jsonText(value: unknown, indent?: number): string {
  return (
    JSON.stringify(value, null, indent)
      .replace(UNSEEN, (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`)
      // A command to the runner of GitHub Actions, at any place of a line; it can stand in a text only.
      .replaceAll('##[', '##\\u005b')
  );
}
