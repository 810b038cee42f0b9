/**
 * Text from elsewhere (the API, the manifest, file names) must not steer a terminal, nor look like what it
 * is not. Shown instead of obeyed: control characters (C0, DEL, C1), everything of format (bidi controls,
 * zero-width characters, byte-order mark), line and paragraph separators, and halves of surrogate pairs.
 */
const FOREIGN = /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Cs}]/gu;
const FOREIGN_BUT_NEWLINE = /(?!\n)[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Cs}]/gu;

function show(character: string): string {
  return `\\u{${character.codePointAt(0)!.toString(16)}}`;
}

/** What the runner of GitHub Actions obeys: the old form at any place of a line, the new one where a line begins. */
const RUNNER_COMMAND = /##(?=\[)|(?<=^|\s):(?=:)/g;

function showCommand(start: string): string {
  return start === '##' ? `#${show('#')}` : show(start);
}

/** One line that is safe to print: `\u{1b}` in place of an escape character, `\u{a}` in place of a newline. */
export function escapeForeign(text: string): string {
  return text.replace(FOREIGN, show).replace(RUNNER_COMMAND, showCommand);
}

/** As `escapeForeign`, and spaces that only look like one: where a text is in error, `\u{a0}` may be the very reason. */
export function showHidden(text: string): string {
  return escapeForeign(text).replace(/(?! )\p{Zs}/gu, show);
}

/** As `escapeForeign`, but line feeds stay. */
export function escapeForeignLines(text: string): string {
  return text.replace(FOREIGN_BUT_NEWLINE, show).replace(RUNNER_COMMAND, showCommand);
}
