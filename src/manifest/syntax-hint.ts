import type { YAMLError } from 'yaml';

/** Lines of the manifest. */
export interface Context {
  /** The line of the error. */
  readonly line: string;
  /** The last line before it that is not empty. */
  readonly above: string;
}

/** The usual meaning of a YAML error in a manifest, and how to fix it, as far as possible from what was written. */
export function syntaxHint(
  { code, message: detail }: Pick<YAMLError, 'code' | 'message'>,
  { line, above }: Context,
): { message: string; hint?: string } {
  const message = `this is not valid YAML: ${readable(detail).slice(0, 200)}`;
  const column = fieldColumn(above);
  const indentation = `begin it in the same column as the field above it: ${column === 0 ? 'do not indent it' : `indent it with ${column === 1 ? '1 space' : `${column} spaces`}`}`;
  const dash = /^\s*-([^\s-].*)$/.exec(line);
  if (dash !== null) return { message, hint: `put a space after the dash: \`- ${shortened(dash[1]!)}\`` };
  const early = ENDED_EARLY.has(code) ? endedEarly(line) : undefined;
  if (early !== undefined) return early;
  if (/^Flow/.test(detail))
    return {
      message,
      hint: `end it with ${detail.at(-1)}, or if it is text, ${quotedIn(line) ?? 'put it into quotes'}`,
    };
  switch (code) {
    case 'BLOCK_AS_IMPLICIT_KEY':
      return valueIn(line)?.includes(': ') === true
        ? { message: 'a second `key:` on one line', hint: quotedIn(line) ?? QUOTE }
        : { message, hint: 'begin the next line in the same column as this field' };
    case 'BAD_INDENT':
      return { message, hint: indentation };
    case 'MISSING_CHAR':
    case 'MULTILINE_IMPLICIT_KEY':
      return {
        message,
        hint: missingIn(detail, line, above) ?? (/indicator/.test(detail) ? indentation : FIELD),
      };
    case 'BAD_ALIAS':
    case 'BAD_SCALAR_START':
    case 'UNEXPECTED_TOKEN':
    case 'BLOCK_IN_FLOW':
      return { message, hint: (NEEDS_QUOTES.test(valueIn(line) ?? '') && quotedIn(line)) || QUOTE };
    case 'BAD_DQ_ESCAPE':
      return {
        message,
        hint: `between double quotes \\ begins an escape: write \\${detail.split(' ').at(-1)}, or use single quotes`,
      };
    case 'NON_STRING_KEY':
      return { message: 'the name of a field is not plain text' };
    case 'TAG_RESOLVE_FAILED':
      return {
        message: 'a tag (`!…`) means nothing here',
        hint: `remove it, or ${quotedIn(line) ?? 'put the text into quotes'}`,
      };
    default:
      return { message };
  }
}

function endedEarly(line: string): { message: string; hint: string } | undefined {
  const inner = innerQuotes(line);
  if (inner === undefined) return undefined;
  const isShort = inner.meant !== undefined && inner.meant.length <= SHOWN_MAX;
  return {
    message: 'a quote inside this text ends it early',
    hint: isShort ? `write ${inner.name}: ${inner.meant}` : INNER_QUOTES,
  };
}

/** The library writes `Missing closing "quote`. */
function readable(detail: string): string {
  const quote = /^Missing closing (.)quote/.exec(detail)?.[1];
  if (quote !== undefined) return `the closing ${quote} is missing`;
  const plain = PLAIN_WORDS.find(([said]) => detail.startsWith(said))?.[1];
  return plain ?? `${detail.charAt(0).toLowerCase()}${detail.slice(1)}`;
}

/** The library uses the terms of the YAML specification. */
const PLAIN_WORDS: readonly (readonly [string, string])[] = [
  ['Sequence item without - indicator', 'this line of a list does not begin with `- `'],
  ['All sequence items must start', 'this list entry is not in the same column as the one above'],
  ['All mapping items must start', 'this line is not in the same column as the fields above'],
  ['Implicit map keys need to be followed', 'this line has no colon'],
  ['Implicit keys need to be on a single line', 'this line has no colon'],
  ['Unexpected scalar at node end', 'there is more text after the end of this value'],
];

/** What the parser says of text that continues after its closing quote. */
const ENDED_EARLY: ReadonlySet<string> = new Set(['UNEXPECTED_TOKEN', 'BLOCK_AS_IMPLICIT_KEY']);
const INNER_QUOTES =
  'put text that contains double quotes in single quotes, and text that contains apostrophes in double quotes';

const QUOTE =
  'text with `: ` or ` #` in it needs quotes, and so does text that begins with one of { } [ ] , & * # ? | > @ % or a backtick';
const NEEDS_QUOTES = /^[{}[\],&*#?|>@%!`"']|: | #/;
const FIELD = 'a field is written `name: value`, with a space after the colon';
const SHOWN_MAX = 100;

/** Columns before the field of a line, which may begin a list entry. */
function fieldColumn(line: string): number {
  return /^\s*(?:- +)?/.exec(line)![0].length;
}

function fieldIn(line: string): { name: string; value: string } | undefined {
  const [, name, value] = /^\s*(?:- +)?([\w-]+):[ \t]+(\S.*?)\s*$/.exec(line) ?? [];
  return name === undefined || value === undefined ? undefined : { name, value };
}

function valueIn(line: string): string | undefined {
  return fieldIn(line)?.value;
}

/** The field with its text in quotes. */
function quotedIn(line: string): string | undefined {
  const field = fieldIn(line);
  if (field === undefined || field.value.length > SHOWN_MAX) return undefined;
  return `put the text into quotes: ${field.name}: ${JSON.stringify(field.value)}`;
}

/**
 * The field of a line whose text in quotes has such quotes in it: `"a "b" c"` is a quoted text with a quoted word.
 * `"a" and "b"` is none: there the quotes belong to the words. `meant` is the text as it was meant, absent if it may
 * continue in the next line.
 */
function innerQuotes(line: string): { name: string; meant?: string } | undefined {
  const field = fieldIn(line);
  const quote = field?.value.charAt(0) ?? '';
  if (field === undefined || !/["']/.test(quote)) return undefined;
  const closed = (quote === '"' ? /^"(.*)"(\s+#.*)?$/ : /^'(.*)'(\s+#.*)?$/).exec(field.value);
  const text = closed?.[1] ?? field.value.slice(1);
  const inner = [...text.matchAll(unescaped(quote))];
  const first = inner[0];
  if (first === undefined) return undefined;
  const [before, after] = [text.slice(0, first.index), text.slice(first.index + 1)];
  const inPairs = (inner.length + (closed === null ? 1 : 2)) % 2 === 0;
  if (inPairs && /\S$/.test(before) && !/^\w/.test(after)) return undefined;
  const opensAWord = /(^|\s)$/.test(before);
  if (closed === null || (opensAWord && !inPairs)) return { name: field.name };
  return { name: field.name, meant: requoted(text, quote) + (closed[2] ?? '') };
}

function unescaped(quote: string): RegExp {
  return quote === '"' ? /(?<!\\)"/g : /(?<!')'(?!')/g;
}

/** In quotes of the other kind, unless that would change what else stands between them. */
function requoted(text: string, quote: string): string {
  const isDouble = quote === '"';
  const other = isDouble ? "'" : '"';
  if (!text.includes(other) && !text.includes('\\'))
    return other + (isDouble ? text : text.replaceAll("''", "'")) + other;
  return quote + text.replace(unescaped(quote), isDouble ? '\\"' : "''") + quote;
}

/** What is missing in a line that is not a field: a quote, a space, or the indentation of a text. */
function missingIn(detail: string, line: string, above: string): string | undefined {
  const field = fieldIn(line);
  const quote = /closing (.)quote/.exec(detail)?.[1];
  if (quote !== undefined && field?.value.startsWith(quote) === true)
    return `end the text with a quote: ${field.name}: ${shortened(field.value)}${quote}`;
  if (/: *[>|][+-]?\d*$/.test(above.trimEnd()))
    return `indent the text below \`${above.trim()}\` with at least ${fieldColumn(above) + 2} spaces`;
  const [, name, value] = /^\s*(?:- +)?(\w+):(\S.*)$/.exec(line) ?? [];
  return name === undefined || value === undefined
    ? undefined
    : `put a space after the colon: \`${name}: ${shortened(value)}\``;
}

function shortened(text: string): string {
  return text.length > SHOWN_MAX ? `${text.slice(0, SHOWN_MAX - 1)}…` : text.trimEnd();
}
