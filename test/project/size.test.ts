import { readdirSync, readFileSync } from 'node:fs';
import ts from 'typescript';
import { describe, expect, it } from 'vitest';

const SRC = new URL('../../src/', import.meta.url);
const FILE_LINES_MAX = 300;
const FUNCTION_LINES_MAX = 50;

/** Generated, or a plain list: longer, and no harder to read. */
const LISTS: ReadonlySet<string> = new Set(['core/codes.ts', 'manifest/manifest.types.ts']);

/** One entry per command or fault; and steps whose order matters, best read in one place. */
const WHOLE: ReadonlySet<string> = new Set([
  'commands/program.ts: createProgram',
  'lockfile/lock-error.ts: explain',
  'commands/release-command.ts: carryOut',
  'app/open-lockfile.ts: openForRun',
  'run/clean-up.ts: cleanUpJob',
  'run/execute.ts: loop',
  'run/collect-audio.ts: collectAudio',
  'run/record.ts: recordOutcome',
]);

const files = readdirSync(SRC, { recursive: true, encoding: 'utf8' }).filter((name) => name.endsWith('.ts'));
const read = (file: string) => readFileSync(new URL(file, SRC), 'utf8');

/** Functions by their own lines; nested functions are counted separately. */
function longFunctionsIn(file: string): readonly string[] {
  const source = ts.createSourceFile(file, read(file), ts.ScriptTarget.Latest, true);
  const lineOf = (position: number) => source.getLineAndCharacterOfPosition(position).line;
  const found: string[] = [];
  const visit = (node: ts.Node): number => {
    let inner = 0;
    ts.forEachChild(node, (child) => {
      inner += visit(child);
    });
    if (!ts.isFunctionLike(node) || !('body' in node) || node.body === undefined) return inner;
    const lines = lineOf(node.end) - lineOf(node.getStart()) + 1;
    const name = node.name?.getText() ?? `line ${lineOf(node.getStart()) + 1}`;
    if (lines - inner > FUNCTION_LINES_MAX && !WHOLE.has(`${file}: ${name}`))
      found.push(`${file}: ${name} (${lines - inner} lines)`);
    return lines;
  };
  visit(source);
  return found;
}

describe('the source can be read a screen at a time', () => {
  it(`in files of at most ${FILE_LINES_MAX} lines`, () => {
    const long = files.filter(
      (file) => !LISTS.has(file) && read(file).split('\n').length - 1 > FILE_LINES_MAX,
    );
    expect(long).toEqual([]);
  });

  it(`in functions of at most ${FUNCTION_LINES_MAX} lines`, () => {
    expect(files.flatMap(longFunctionsIn)).toEqual([]);
  });
});
