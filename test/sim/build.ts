import { mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import ts from 'typescript';

/** Replaces a text of the program, which must occur exactly once. This is how mutants are made. */
export interface Patch {
  /** Relative to the project's root. */
  readonly file: string;
  readonly find: string;
  readonly replace: string;
}

const ROOT = fileURLToPath(new URL('../..', import.meta.url));

/**
 * Compiles the simulation and all that it imports, patched, into a folder of its own: without a loader a world takes
 * half the time, and each mutant is a program of its own. Does not check types.
 *
 * @returns the compiled entry, and a function that removes the folder
 */
export function build(
  entry: string,
  patches: readonly Patch[] = [],
): { readonly entry: string; readonly remove: () => void } {
  const directory = mkdtempSync(path.join(tmpdir(), 'venice-batch-sim-'));
  const remove = () => rmSync(directory, { recursive: true, force: true });
  try {
    writeFileSync(path.join(directory, 'package.json'), '{"type":"module"}');
    symlinkSync(path.join(ROOT, 'node_modules'), path.join(directory, 'node_modules'), 'dir');
    const done = new Set<string>();
    const first = path.relative(ROOT, fileURLToPath(new URL(entry, import.meta.url)));
    const waiting = [first];
    for (let file = waiting.pop(); file !== undefined; file = waiting.pop()) {
      if (done.has(file)) continue;
      done.add(file);
      waiting.push(...compile(directory, file, patches));
    }
    for (const { file } of patches) if (!done.has(file)) throw new Error(`nothing imports ${file}`);
    return { entry: path.join(directory, compiledName(first)), remove };
  } catch (error) {
    remove();
    throw error;
  }
}

/** Mutants share nearly all files. By source text. */
const compiled = new Map<string, string>();

/** @returns the project files that it imports */
function compile(directory: string, file: string, patches: readonly Patch[]): readonly string[] {
  let text = readFileSync(path.join(ROOT, file), 'utf8');
  for (const patch of patches) if (patch.file === file) text = apply(patch, text);
  const outputText =
    compiled.get(text) ??
    eager(ts.transpileModule(text, { compilerOptions: OPTIONS, fileName: file }).outputText);
  compiled.set(text, outputText);
  const target = path.join(directory, compiledName(file));
  mkdirSync(path.dirname(target), { recursive: true });
  writeFileSync(target, outputText);
  return ts
    .preProcessFile(outputText, true, false)
    .importedFiles.filter(({ fileName }) => fileName.startsWith('.'))
    .map(({ fileName }) => path.join(path.dirname(file), fileName.replace(/\.js$/, '.ts')));
}

/** Lazy imports become eager: loading takes real time, and simulated time does not wait for it. */
function eager(text: string): string {
  const imports: string[] = [];
  const body = text.replace(/await import\('(\.[^']+)'\)/g, (_, name: string) => {
    imports.push(`import * as lazy${imports.length} from '${name}';\n`);
    return `lazy${imports.length - 1}`;
  });
  return imports.join('') + body;
}

const OPTIONS: ts.CompilerOptions = {
  target: ts.ScriptTarget.ES2022,
  module: ts.ModuleKind.ESNext,
  verbatimModuleSyntax: true,
};

function apply({ file, find, replace }: Patch, text: string): string {
  if (text.split(find).length !== 2) throw new Error(`not exactly once in ${file}: ${find}`);
  return text.replace(find, () => replace);
}

function compiledName(file: string): string {
  return file.replace(/\.ts$/, '.js');
}
