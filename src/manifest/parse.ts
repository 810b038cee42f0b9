import { Composer, type CST, type Document, isScalar, Lexer, Parser, visit, type YAMLError } from 'yaml';
import type { Code } from '../core/codes.js';
import type { Diagnostic } from '../core/diagnostic.js';
import { locate } from './locate.js';
import type { Located, Source } from './located.js';
import { createSource } from './source.js';
import { type Context, syntaxHint } from './syntax-hint.js';

/** Characters (UTF-16 units) of a manifest at most. Its file may have as many bytes. */
export const MANIFEST_LENGTH_MAX = 16 * 1024 * 1024;

/** A full manifest of 20,000 tracks has two million. Many more would take gigabytes and a minute. */
const LEXEMES_MAX = 3_000_000;

/** A manifest needs four levels. Many more would overflow the stack of recursive functions. */
export const DEPTH_MAX = 64;

/** Characters of a line that its hint is made from. */
const CONTEXT_LENGTH_MAX = 1_000;

/** Syntax errors reported at most. Later ones usually follow from the first. */
const SYNTAX_ERRORS_MAX = 100;

export interface Parsed {
  readonly source: Source;
  /** The part that could be read; absent if the text as a whole cannot be read. */
  readonly root?: Located;
  readonly diagnostics: readonly Diagnostic[];
}

/**
 * Reads one YAML 1.2 document. Accepts a byte-order mark and CRLF, and a limited number of anchors and aliases. Refuses
 * merge keys (`<<`: YAML 1.2 has none, and `defaults` replaces them), unknown tags, duplicate keys, and a second
 * document. Takes time linear in `text` and never throws.
 */
export function parseManifest(file: string, text: string): Parsed {
  const source = createSource(file, text.startsWith('\uFEFF') ? text.slice(1) : text);
  const fail = (code: Code, offset: number, message: string, hint: string): Parsed => ({
    source,
    diagnostics: [
      { code, severity: 'error', message, hint, span: source.spanOf({ start: offset, end: offset + 1 }) },
    ],
  });
  if (source.text.length > MANIFEST_LENGTH_MAX)
    return fail('manifest-too-large', 0, 'the manifest is larger than 16 MiB', SPLIT);
  if (hasMoreLexemes(source.text, LEXEMES_MAX))
    return fail('manifest-too-large', 0, 'the manifest has more values than 20,000 tracks can need', SPLIT);
  const tokens = [...new Parser().parse(source.text)];
  const deep = firstDeeperThan(DEPTH_MAX, tokens);
  if (deep !== undefined)
    return fail(
      'too-deep',
      deep,
      `values are nested more than ${DEPTH_MAX} deep`,
      'write each track as a flat map of fields',
    );

  const [document, second] = compose(tokens, source.text.length);
  const diagnostics = syntaxErrors(document, source);
  if (diagnostics.length > 0) return { source, diagnostics };
  if (document.directives?.yaml.version !== '1.2')
    return fail(
      'yaml-version',
      0,
      'the manifest requires a YAML version older than 1.2',
      'remove the %YAML line',
    );
  if (second !== undefined)
    return fail(
      'several-documents',
      second.range[0],
      'a second document begins here',
      'keep one manifest in one file: remove the --- line',
    );
  if (document.contents === null || isNothing(document.contents))
    return fail(
      'empty-manifest',
      0,
      'the manifest is empty',
      'list what to make under `tracks:`; to write a commented example: venice-batch init example.yaml',
    );

  return { source, ...locate(document.contents, source) };
}

const SPLIT = 'split it into several manifests';

/** An empty document with a marker (`---`) contains an empty scalar. */
function isNothing(contents: Document.Parsed['contents']): boolean {
  return isScalar(contents) && contents.value === null && contents.source === '';
}

/** Checked only for long texts, because it takes a tenth of the parsing time. */
export function hasMoreLexemes(text: string, max: number): boolean {
  if (text.length < max / 2) return false;
  let count = 0;
  for (const _ of new Lexer().lex(text)) {
    count += 1;
    if (count > max) return true;
  }
  return false;
}

/** Where the first value deeper than `depthMax` begins. Keeps its own stack, because the text may be malicious. */
export function firstDeeperThan(depthMax: number, tokens: readonly CST.Token[]): number | undefined {
  const open = tokens.map((token) => ({ token, depth: 0 }));
  let first: number | undefined;
  for (let next = open.pop(); next !== undefined; next = open.pop()) {
    const { token, depth } = next;
    if (depth > depthMax) {
      first = Math.min(token.offset, first ?? token.offset);
      continue;
    }
    if (token.type === 'document') {
      if (token.value) open.push({ token: token.value, depth });
    } else if ('items' in token) {
      for (const { key, value } of token.items) {
        if (key) open.push({ token: key, depth: depth + 1 });
        if (value) open.push({ token: value, depth: depth + 1 });
      }
    }
  }
  return first;
}

type Composed = Document.Parsed & { readonly range: readonly [number, number, number] };

/** The first document, and the second if there is one. */
export function compose(tokens: readonly CST.Token[], length: number): [Composed, Composed | undefined] {
  const composer = new Composer({
    version: '1.2',
    // Quadratic in the number of keys of a map. `locate` checks them with a set.
    uniqueKeys: false,
    stringKeys: true,
    resolveKnownTags: false,
    prettyErrors: false,
  });
  const documents: Composed[] = [];
  for (const document of composer.compose(tokens, true, length)) {
    documents.push(document as Composed);
    if (documents.length === 2) break;
  }
  return [documents[0]!, documents[1]];
}

/** An unclosed quote runs to the end of the file: what helps is where it begins. */
function openingQuote(error: YAMLError, document: Composed): number | undefined {
  if (error.code !== 'MISSING_CHAR' || !/closing .quote/.test(error.message)) return undefined;
  let opening: number | undefined;
  visit(document, {
    Scalar: (_key, { type, range }) => {
      if (type?.startsWith('QUOTE_') && range && range[0] < error.pos[0]) opening = range[0];
    },
  });
  return opening;
}

/** Likewise for a flow map or list: where it opens, by where it ends. The end of an unclosed one is its error's offset. */
function openingBrackets(document: Composed): ReadonlyMap<number, number> {
  const openings = new Map<number, number>();
  visit(document, {
    Collection: (_key, { flow, range }) => {
      if (flow === true && range) openings.set(range[1], range[0]);
    },
  });
  return openings;
}

/** The line around an offset, and the last one before it that is not empty. */
function contextOf(text: string, offset: number): Context {
  const from = text.lastIndexOf('\n', offset - 1) + 1;
  const end = text.indexOf('\n', offset);
  const above = text.slice(0, from).trimEnd();
  const aboveFrom = above.lastIndexOf('\n') + 1;
  return {
    line: text.slice(from, Math.min(end < 0 ? text.length : end, from + CONTEXT_LENGTH_MAX)),
    above: above.slice(aboveFrom, aboveFrom + CONTEXT_LENGTH_MAX),
  };
}

/** Below `prompt: |`, the parser says something else about a tab. */
function isTabIndent({ code, message, pos }: YAMLError, text: string): boolean {
  if (code === 'TAB_AS_INDENT') return true;
  if (!/^Block scalars with more-indented/.test(message)) return false;
  const line = text.slice(text.lastIndexOf('\n', pos[0] - 1) + 1, pos[0] + CONTEXT_LENGTH_MAX);
  return TAB_INDENT.test(line);
}

const TAB_INDENT = /^ *\t[ \t]*\S/;

/** At the first such line, with the number of those after it. */
function tabsAsIndentation(first: YAMLError, errors: readonly YAMLError[], source: Source): Diagnostic {
  const span = source.spanOf({ start: first.pos[0], end: Math.max(first.pos[0] + 1, first.pos[1]) });
  // `-<tab>id: a` begins with a dash, so only the parser finds it.
  const others = new Set(
    errors
      .filter(({ code }) => code === 'TAB_AS_INDENT')
      .map(({ pos: [start] }) => source.spanOf({ start, end: start + 1 }).line),
  );
  for (const [index, line] of source.text.split('\n').entries())
    if (index + 1 > span.line && TAB_INDENT.test(line)) others.add(index + 1);
  others.delete(span.line);
  const more =
    others.size === 0 ? '' : `, here and on ${others.size} more line${others.size === 1 ? '' : 's'}`;
  return {
    code: 'yaml-syntax',
    severity: 'error',
    message: `a tab is used as indentation${more}`,
    hint: 'indent with spaces',
    span,
  };
}

function isUnclosed({ message }: YAMLError): boolean {
  return /^Flow (?:map|sequence)/.test(message);
}

/** One error per line: others on the same line usually follow from it. Tabs hide the structure: then only they count. */
function syntaxErrors(document: Composed, source: Source): Diagnostic[] {
  const errors: YAMLError[] = [
    ...document.errors,
    ...document.warnings.filter((warning) => warning.code === 'TAG_RESOLVE_FAILED'),
  ].sort((a, b) => a.pos[0] - b.pos[0]);
  const tab = errors.find((error) => isTabIndent(error, source.text));
  if (tab !== undefined) return [tabsAsIndentation(tab, errors, source)];
  const byLine = new Map<number, Diagnostic>();
  const brackets = errors.some(isUnclosed) ? openingBrackets(document) : undefined;
  for (const error of errors) {
    const bracket = isUnclosed(error) ? brackets?.get(error.pos[0]) : undefined;
    const opening = openingQuote(error, document) ?? bracket;
    const start = Math.min(opening ?? error.pos[0], source.text.length);
    const span = source.spanOf({ start, end: Math.max(start + 1, error.pos[1]) });
    if (byLine.has(span.line)) continue;
    byLine.set(span.line, {
      code: error.code === 'TAG_RESOLVE_FAILED' ? 'yaml-tag' : 'yaml-syntax',
      severity: 'error',
      ...syntaxHint(error, contextOf(source.text, start)),
      span,
    });
    if (byLine.size === SYNTAX_ERRORS_MAX) break;
  }
  return [...byLine.values()];
}
