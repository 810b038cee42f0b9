/**
 * A text of others as a part of our sentence: without its full stop. An ellipsis stays.
 */
export function clause(text: string): string {
  return text.trimEnd().replace(/(?<!\.)\.$/, '');
}
