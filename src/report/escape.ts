/**
 * Untrusted text (from the API, the manifest, file names) must not control a terminal, or look like something else.
 * These characters are shown as escapes: control characters (C0, DEL, C1), format characters (bidi controls, zero-width
 * characters, byte-order mark), line and paragraph separators, and lone surrogates.
 */
const FOREIGN = /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Cs}]/gu;
const FOREIGN_BUT_NEWLINE = /(?!\n)[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Cs}]/gu;

function show(character: string): string {
  return `\\u{${character.codePointAt(0)!.toString(16)}}`;
}

/** Commands to the GitHub Actions runner: the old form anywhere in a line, the new one at its beginning. */
const RUNNER_COMMAND = /##(?=\[)|(?<=^|\s):(?=:)/g;

function showCommand(start: string): string {
  return start === '##' ? `#${show('#')}` : show(start);
}

/** Makes a text safe to print on one line: `\u{1b}` for an escape character, `\u{a}` for a newline. */
export function escapeForeign(text: string): string {
  return text.replace(FOREIGN, show).replace(RUNNER_COMMAND, showCommand);
}

/** Like `escapeForeign`, but also escapes spaces that look like a normal one: `\u{a0}` may be the cause of an error. */
export function showHidden(text: string): string {
  return escapeForeign(text).replace(/(?! )\p{Zs}/gu, show);
}

/** Like `escapeForeign`, but keeps line feeds. */
export function escapeForeignLines(text: string): string {
  return text.replace(FOREIGN_BUT_NEWLINE, show).replace(RUNNER_COMMAND, showCommand);
}
