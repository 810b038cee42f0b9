import { escapeForeign } from './escape.js';
import { styleFor } from './style.js';
import type { Suggestions } from './suggestions.js';
import { wrap } from './width.js';

export interface SuggestionLinesOptions {
  /** The command that applies a patch, to be followed by a file name or used with standard input. */
  readonly apply: string;
  /** Where the patch was written, ready to paste. Absent: it is only on the screen. */
  readonly file?: string | undefined;
  readonly color: boolean;
  /** Columns. The patch is not wrapped, because it must be complete to be pasted. */
  readonly width: number;
}

/** A section of the last screen: the patch, as a command to paste, and what could not be patched. */
export function suggestionLines(
  suggestions: Suggestions,
  options: SuggestionLinesOptions,
): readonly string[] {
  const { patch, unpatched } = suggestions;
  if (patch === '' && unpatched.length === 0) return [];
  const style = styleFor(options.color);
  const note = 'The content policy may accept these. Nothing is bought with them until you apply them.';
  return [
    style.strong('Suggested prompts'),
    ...wrap(note, options.width - 2).map((line) => `  ${line}`),
    ...(patch === '' ? [] : patchLines(patch, options)),
    ...unpatched.flatMap(({ track, prompt, why }) => [
      ...wrap(`${track}: ${escapeForeign(why)}`, options.width - 2).map((line) => `  ${line}`),
      ...wrap(escapeForeign(prompt), options.width - 4).map((line) => style.note(`    ${line}`)),
    ]),
  ];
}

function patchLines(patch: string, { apply, file, color }: SuggestionLinesOptions): readonly string[] {
  const style = styleFor(color);
  const shown = patch
    .trimEnd()
    .split(/\r?\n/)
    .map((line) => {
      const safe = line.split('\t').map(escapeForeign).join('\t');
      return line.startsWith('+') ? style.good(safe) : line.startsWith('-') ? style.bad(safe) : safe;
    });
  // No line of a patch can be the end mark: each begins with one of `+-@\` or a space.
  return file === undefined ? [`${apply} <<'PATCH'`, ...shown, 'PATCH'] : [`  ${apply} ${file}`, ...shown];
}
