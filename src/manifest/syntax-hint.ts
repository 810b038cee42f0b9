import type { YAMLError } from 'yaml';

/** The usual meaning of a YAML error in a manifest, and how to fix it. */
export function syntaxHint(code: YAMLError['code'], detail: string): { message: string; hint?: string } {
  const message = `this is not valid YAML: ${detail.charAt(0).toLowerCase()}${detail.slice(1, 200)}`;
  switch (code) {
    case 'TAB_AS_INDENT':
      return { message: 'a tab is used as indentation', hint: 'indent with spaces' };
    case 'BAD_INDENT':
      return { message, hint: 'the fields of one track begin in the same column, indented with spaces' };
    case 'BLOCK_AS_IMPLICIT_KEY':
      return { message: 'a second `key:` on one line', hint: `${QUOTE}: prompt: "Night: a slow drive"` };
    case 'MISSING_CHAR':
    case 'MULTILINE_IMPLICIT_KEY':
      return {
        message,
        hint: 'a field is written `name: value`, with a space after the colon; text that begins with a quote ends with one',
      };
    case 'BAD_ALIAS':
    case 'BAD_SCALAR_START':
    case 'UNEXPECTED_TOKEN':
    case 'BLOCK_IN_FLOW':
      return {
        message,
        hint: `${QUOTE}, and so does text that begins with one of { } [ ] , & * # ? | > @ % or a backtick`,
      };
    case 'BAD_DQ_ESCAPE':
      return { message, hint: 'between double quotes \\ begins an escape: write \\\\, or use single quotes' };
    case 'NON_STRING_KEY':
      return { message: 'the name of a field is not plain text' };
    case 'TAG_RESOLVE_FAILED':
      return { message: 'a tag (`!…`) means nothing here', hint: `remove it; ${QUOTE_MARK}` };
    default:
      return { message };
  }
}

const QUOTE = 'text with `: ` or ` #` in it needs quotes';
const QUOTE_MARK = 'text that begins with ! needs quotes';
