import { readdirSync, readFileSync } from 'node:fs';
import ts from 'typescript';
import { describe, expect, it } from 'vitest';

/** Wording that puzzled readers. Plain words say the same: what happened, and what to do. */
const ODD: readonly RegExp[] = [
  /held against/,
  /put in order/,
  /\b(is|was|are|were|be|been) told\b(?! apart)/,
  /\btold (no|by|as|so)\b/,
  /\bslip\b/,
  /take them over/,
  /any ?more\b(?! (than|requests))/,
  /in later runs neither/,
  /\bunder way\b/,
  /\bcame? to nothing\b/,
  /\bby itself\b(?!, )/,
  /\bgoes? on\b/,
  /\bmade anew\b/,
  /\bleads? out of\b/,
  /, as [a-z`]+$/,
  /\bthe most is\b/,
  /\bbroke off\b/,
  /\bin all(?= of|$|[;)])/,
  /\bwhatever it\b/,
  /\bas slow as life\b/,
  /\bis to be\b/,
  /\bfor good\b/,
  /\bwere asked for\b/,
  /\bis no news\b/,
  /\bmended\b/,
  /\b(no|some|any|every)body\b/i,
  /\banew\b/,
  /\bof its own\b/,
  /\ball the same\b/,
];

/** Wording that left readers of the source guessing who does what. */
const ODD_IN_COMMENTS: readonly RegExp[] = [
  /\b(no|some|any|every)body\b/i,
  /\banew\b/,
  /\bmend(s|ed|ing)?\b/i,
  /\bstrangers?\b/i,
  /\b(is|are|was|were|been) told\b/,
  /\btells? of\b/,
  /\bslip of\b/,
  /\bunder way\b/,
  /\bfor good\b/,
  /\b(breaks?|broke) off\b/,
  /\bgo(es)? on\b(?! the wire)/i,
  /\bcame? to nothing\b/,
  /\bheld? against\b/i,
  /\bnone of (ours|its own)\b/,
  /\bis no news\b/,
  /\bany more\b/,
  /\bof (its|their) own\b/i,
  /\ball the same\b/,
  /\bstands? in the (way|place)\b/,
  /\bby itself\b/,
  /\bof no matter\b/,
  /\ba person\b/i,
  /\bcustody\b/i,
  /\bow(es|ed)\b/,
  /\bpurses?\b/i,
];

const ROOT = new URL('../../', import.meta.url);
const read = (path: string) => readFileSync(new URL(path, ROOT), 'utf8');
const filesIn = (folder: string, ending: string): string[] =>
  readdirSync(new URL(folder, ROOT), { recursive: true, encoding: 'utf8' })
    .filter((file) => file.endsWith(ending))
    .map((file) => `${folder}/${file}`);

/** Strings of a source file that a user may see: literals of at least two words. */
function literalsOf(path: string): readonly string[] {
  const source = ts.createSourceFile(path, read(path), ts.ScriptTarget.Latest, true);
  const found: string[] = [];
  const visit = (node: ts.Node): void => {
    if (ts.isStringLiteralLike(node) || ts.isTemplateExpression(node)) {
      const text = node.getText().slice(1, -1);
      if (/\w \w/.test(text)) found.push(text);
    }
    ts.forEachChild(node, visit);
  };
  visit(source);
  return found;
}

/** Lines of comments in a source file. */
function commentsOf(path: string): readonly string[] {
  return read(path)
    .split('\n')
    .filter((line) => /^\s*(\/\*|\*|\/\/)/.test(line));
}

function oddIn(path: string, texts: readonly string[], odd = ODD): readonly string[] {
  return texts.flatMap((text) =>
    odd.filter((one) => one.test(text)).map((one) => `${path}: ${one} in ${text}`),
  );
}

describe('what a user reads is plain English', () => {
  // The simulated service answers in the words of the real one.
  const sources = filesIn('src', '.ts').filter((path) => !path.startsWith('src/sandbox/'));

  it('in the messages of the program', () => {
    expect(sources.flatMap((path) => oddIn(path, literalsOf(path)))).toEqual([]);
  });

  it('in comments', () => {
    const files = filesIn('src', '.ts');
    expect(files.flatMap((path) => oddIn(path, commentsOf(path), ODD_IN_COMMENTS))).toEqual([]);
  });

  it.each([
    ...filesIn('src/explanations', '.md'),
    ...filesIn('schemas', '.json'),
    ...filesIn('examples', '.md'),
    ...filesIn('examples', '.yml'),
    ...filesIn('examples', '.sh'),
    'ARCHITECTURE.md',
    '.github/CONTRIBUTING.md',
    'README.md',
  ])('in %s', (path) => {
    expect(oddIn(path, read(path).split('\n'))).toEqual([]);
  });
});
