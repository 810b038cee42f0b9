import path from 'node:path';
import { fileURLToPath } from 'node:url';
import ts from 'typescript';

const ROOT = fileURLToPath(new URL('../../', import.meta.url));
const SRC = path.join(ROOT, 'src') + path.sep;

/**
 * Every code that the source can put on a diagnostic, a notice, a `BatchError` or a take: what is written to a
 * property or handed to a parameter that is called `code`, followed back to its literals through conditions,
 * templates and the parameters of our own functions; and what a text shows as `error[…]`. By code, the first
 * place (`manifest/rules.ts:35`). Without the sandbox, whose codes are the service's, and without the
 * system's own (`ENOSPC`).
 */
export function codesInSource(): ReadonlyMap<string, string> {
  const { config } = ts.readConfigFile(path.join(ROOT, 'tsconfig.json'), ts.sys.readFile);
  const { options, fileNames } = ts.parseJsonConfigFileContent(config, ts.sys, ROOT);
  const program = ts.createProgram(fileNames, { ...options, noEmit: true });
  const checker = program.getTypeChecker();
  const files = program
    .getSourceFiles()
    .filter(({ fileName }) => isOurs(fileName) && !fileName.includes('/sandbox/'));
  const literals = createTracer(checker, callsByTarget(checker, files));
  const codes = new Map<string, string>();
  for (const file of files)
    for (const expression of codeExpressions(checker, file))
      for (const code of literals(expression)) {
        if (code === '' || /^E[A-Z0-9]+$/.test(code) || codes.has(code)) continue;
        const { line } = file.getLineAndCharacterOfPosition(expression.getStart());
        codes.set(code, `${path.relative(SRC, file.fileName)}:${line + 1}`);
      }
  for (const { text, fileName } of files)
    for (const [, code] of text.matchAll(/error\[([a-z-]+)\]/g))
      codes.set(code!, path.relative(SRC, fileName));
  return codes;
}

function isOurs(fileName: string): boolean {
  return path.normalize(fileName).startsWith(SRC);
}

/** What a file writes to something called `code`. */
function codeExpressions(checker: ts.TypeChecker, file: ts.SourceFile): readonly ts.Expression[] {
  const found: ts.Expression[] = [];
  walk(file, (node) => {
    if (ts.isPropertyAssignment(node) && node.name.getText() === 'code') found.push(node.initializer);
    if (ts.isShorthandPropertyAssignment(node) && node.name.text === 'code') found.push(node.name);
    if (!ts.isCallExpression(node) && !ts.isNewExpression(node)) return;
    const called = checker.getResolvedSignature(node)?.declaration;
    const index = (called?.parameters ?? []).findIndex(({ name }) => name.getText() === 'code');
    const argument = index < 0 ? undefined : node.arguments?.[index];
    if (argument !== undefined && called !== undefined && isOurs(called.getSourceFile().fileName))
      found.push(argument);
  });
  return found;
}

type Calls = ReadonlyMap<ts.Node | undefined, readonly (readonly ts.Expression[])[]>;

/** The arguments of every call, by the function that is called. */
function callsByTarget(checker: ts.TypeChecker, files: readonly ts.SourceFile[]): Calls {
  const calls = new Map<ts.Node | undefined, (readonly ts.Expression[])[]>();
  for (const file of files)
    walk(file, (node) => {
      if (!ts.isCallExpression(node) && !ts.isNewExpression(node)) return;
      const called = checker.getResolvedSignature(node)?.declaration;
      calls.set(called, [...(calls.get(called) ?? []), [...(node.arguments ?? [])]]);
    });
  return calls;
}

function walk(node: ts.Node, visit: (node: ts.Node) => void): void {
  visit(node);
  ts.forEachChild(node, (child) => walk(child, visit));
}

/** Gives the texts that an expression can be, as far as our own source says. */
function createTracer(checker: ts.TypeChecker, calls: Calls): (node: ts.Expression) => readonly string[] {
  const open = new Set<ts.Node>();

  function literals(node: ts.Expression): readonly string[] {
    if (open.has(node)) return [];
    open.add(node);
    const found = read(node);
    open.delete(node);
    return found;
  }

  function read(node: ts.Expression): readonly string[] {
    if (ts.isStringLiteralLike(node)) return [node.text];
    if (ts.isAsExpression(node) || ts.isParenthesizedExpression(node)) return literals(node.expression);
    if (ts.isConditionalExpression(node)) return [...literals(node.whenTrue), ...literals(node.whenFalse)];
    if (ts.isBinaryExpression(node)) return [...literals(node.left), ...literals(node.right)];
    if (ts.isTemplateExpression(node)) return ofTemplate(node);
    if (ts.isCallExpression(node) && ts.isPropertyAccessExpression(node.expression))
      return ofReplaceAll(node, node.expression);
    const declaration = symbolAt(checker, node)?.declarations?.[0];
    // What a library calls a code (those of YAML errors) is not one of ours.
    if (declaration !== undefined && !isOurs(declaration.getSourceFile().fileName)) return [];
    const typed = ofType(checker.getTypeAtLocation(node));
    return typed.length > 0 || declaration === undefined ? typed : ofDeclaration(declaration);
  }

  function ofTemplate(node: ts.TemplateExpression): readonly string[] {
    return node.templateSpans.reduce<readonly string[]>(
      (texts, { expression, literal }) =>
        texts.flatMap((text) => literals(expression).map((part) => text + part + literal.text)),
      [node.head.text],
    );
  }

  /** `kind.replaceAll('_', '-')`. */
  function ofReplaceAll(node: ts.CallExpression, called: ts.PropertyAccessExpression): readonly string[] {
    const [from, to] = node.arguments;
    if (called.name.text !== 'replaceAll' || from === undefined || to === undefined) return [];
    if (!ts.isStringLiteral(from) || !ts.isStringLiteral(to)) return [];
    return literals(called.expression).map((text) => text.replaceAll(from.text, to.text));
  }

  /** Of a constant its value; of a parameter what its callers hand over. */
  function ofDeclaration(declaration: ts.Declaration): readonly string[] {
    if (ts.isVariableDeclaration(declaration))
      return declaration.initializer === undefined ? [] : literals(declaration.initializer);
    if (!ts.isParameter(declaration)) return [];
    const index = declaration.parent.parameters.indexOf(declaration);
    return (calls.get(declaration.parent) ?? []).flatMap((given) => {
      const argument = given[index];
      return argument === undefined ? [] : literals(argument);
    });
  }

  return literals;
}

function ofType(type: ts.Type): readonly string[] {
  if (type.isUnion()) return type.types.flatMap(ofType);
  return type.isStringLiteral() ? [type.value] : [];
}

function symbolAt(checker: ts.TypeChecker, node: ts.Node): ts.Symbol | undefined {
  return ts.isShorthandPropertyAssignment(node.parent)
    ? checker.getShorthandAssignmentValueSymbol(node.parent)
    : checker.getSymbolAtLocation(node);
}
