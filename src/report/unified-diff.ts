/** A change of a text: the part from `start` to `end` (UTF-16 offsets, exclusive) becomes `text`. */
export interface Edit {
  readonly start: number;
  readonly end: number;
  readonly text: string;
}

/** Lines of context, as in `diff -u`. */
const CONTEXT = 3;

/** Whole lines of the old text, from `first` (counted from 0) to before `after`, and their replacement. */
interface Change {
  readonly first: number;
  readonly after: number;
  readonly lines: readonly string[];
}

/**
 * The edits as a unified diff that `git apply` accepts in the folder that `name` is relative to. Without git's own
 * header, which would make the name relative to the top of the repository.
 *
 * @param name with `/`, below that folder
 * @param edits in order, not empty, not overlapping; none may end after the last character of its line
 * @returns '' without edits
 */
export function unifiedDiff(name: string, text: string, edits: readonly Edit[]): string {
  if (edits.length === 0) return '';
  const lines = linesOf(text);
  const changes = changesOf(text, lines, edits);
  const hunks: string[] = [];
  let shift = 0;
  for (let from = 0; from < changes.length; ) {
    let to = from + 1;
    while (to < changes.length && changes[to]!.first - changes[to - 1]!.after <= 2 * CONTEXT) to += 1;
    const hunk = changes.slice(from, to);
    hunks.push(hunkText(lines, hunk, shift));
    for (const change of hunk) shift += change.lines.length - (change.after - change.first);
    from = to;
  }
  return `--- ${pathText(`a/${name}`)}\n+++ ${pathText(`b/${name}`)}\n${hunks.join('')}`;
}

/** Each with its line end. */
function linesOf(text: string): readonly string[] {
  return text === '' ? [] : text.split(/(?<=\n)/);
}

/** Edits that share a line become one change. */
function changesOf(text: string, lines: readonly string[], edits: readonly Edit[]): readonly Change[] {
  const starts: number[] = [0];
  for (const line of lines) starts.push(starts.at(-1)! + line.length);
  const changes: Change[] = [];
  let line = 0;
  for (let at = 0; at < edits.length; ) {
    while (starts[line + 1]! <= edits[at]!.start) line += 1;
    const first = line;
    let replaced = '';
    let copied = starts[first]!;
    for (; at < edits.length && edits[at]!.start < starts[line + 1]!; at += 1) {
      const edit = edits[at]!;
      replaced += text.slice(copied, edit.start) + edit.text;
      copied = edit.end;
      while (starts[line + 1]! < edit.end) line += 1;
    }
    replaced += text.slice(copied, starts[line + 1]);
    line += 1;
    changes.push({ first, after: line, lines: linesOf(replaced) });
  }
  return changes;
}

/** @param shift how many lines longer the new text is up to here */
function hunkText(lines: readonly string[], changes: readonly Change[], shift: number): string {
  const from = Math.max(0, changes[0]!.first - CONTEXT);
  const to = Math.min(lines.length, changes.at(-1)!.after + CONTEXT);
  const body: string[] = [];
  let at = from;
  let grown = 0;
  for (const change of changes) {
    body.push(...lines.slice(at, change.first).map((line) => ` ${line}`));
    body.push(...lines.slice(change.first, change.after).map((line) => `-${line}`));
    body.push(...change.lines.map((line) => `+${line}`));
    at = change.after;
    grown += change.lines.length - (change.after - change.first);
  }
  body.push(...lines.slice(at, to).map((line) => ` ${line}`));
  const head = `@@ -${from + 1},${to - from} +${from + 1 + shift},${to - from + grown} @@\n`;
  return head + body.map(ended).join('');
}

function ended(line: string): string {
  return line.endsWith('\n') ? line : `${line}\n\\ No newline at end of file\n`;
}

/** As git parses it: quoted if the name contains a delimiter, else followed by a tab if it contains a space. */
function pathText(path: string): string {
  if (/["\\\p{Cc}]/u.test(path)) return `"${path.replace(/["\\\p{Cc}]/gu, octal)}"`;
  return path.includes(' ') ? `${path}\t` : path;
}

function octal(character: string): string {
  if (character === '"' || character === '\\') return `\\${character}`;
  return [...new TextEncoder().encode(character)]
    .map((byte) => `\\${byte.toString(8).padStart(3, '0')}`)
    .join('');
}
