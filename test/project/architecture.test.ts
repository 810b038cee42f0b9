import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';

const SRC = fileURLToPath(new URL('../../src/', import.meta.url));

/** The leaves that everybody may use. */
const LEAVES = [
  'ports',
  'events',
  'diagnostic',
  'errors',
  'money',
  'queue-id',
  'take-key',
  'ethereum',
  'address',
  'shell',
];

/** Who may import whom, by folder. Data flows one way: manifest → plan → run → report. */
const MAY_IMPORT: Readonly<Record<string, readonly string[]>> = {
  leaf: [],
  manifest: [],
  lock: ['manifest:type'],
  venice: ['manifest:type', 'lock:type'],
  plan: ['manifest', 'lock', 'venice:type'],
  scheduler: [],
  run: ['plan', 'venice', 'lock', 'scheduler', 'manifest:type'],
  report: ['plan', 'lock', 'manifest:type', 'venice:type'],
  node: [],
  sandbox: [],
  commands: ['manifest', 'plan', 'run', 'lock', 'venice', 'report', 'node', 'sandbox'],
};

interface Import {
  readonly from: string;
  readonly to: string;
  readonly typeOnly: boolean;
}

function sourceFiles(): string[] {
  return readdirSync(SRC, { recursive: true, encoding: 'utf8' }).filter((name) => name.endsWith('.ts'));
}

function placeOf(file: string): string {
  const folder = file.split(path.sep)[0] ?? '';
  if (folder === 'core') return 'leaf';
  if (folder !== path.basename(file)) return folder;
  return LEAVES.includes(path.basename(file, '.ts')) ? 'leaf' : 'commands';
}

function importsOf(file: string): Import[] {
  const text = readFileSync(path.join(SRC, file), 'utf8');
  return [
    ...text.matchAll(/(?:import|export)\s+(type\s+)?([^;'"]*?)\s*from\s+'(\.[^']+)'|import\('(\.[^']+)'\)/g),
  ].map(([, type, names, target, dynamic]) => {
    const to = path.join(path.dirname(file), (target ?? dynamic ?? '').replace(/\.js$/, '.ts'));
    const everyNameIsAType =
      names?.startsWith('{') === true &&
      names
        .replace(/[{}]/g, '')
        .split(',')
        .every((name) => name.trim() === '' || name.trim().startsWith('type '));
    return { from: file, to, typeOnly: type !== undefined || everyNameIsAType };
  });
}

describe('the shape of the source', () => {
  const files = sourceFiles();

  it('lets data flow one way', () => {
    expect(files.length).toBeGreaterThan(50);
    const wrong = files.flatMap(importsOf).filter(({ from, to, typeOnly }) => {
      const [source, target] = [placeOf(from), placeOf(to)];
      if (source === target || target === 'leaf') return false;
      const allowed = MAY_IMPORT[source] ?? [];
      return !allowed.includes(target) && !(typeOnly && allowed.includes(`${target}:type`));
    });
    expect(wrong.map(({ from, to }) => `${from} → ${to}`)).toEqual([]);
  });

  it('leaves clock, chance, files and network to node/ and the sandbox', () => {
    const worldly =
      /from '(node:(fs|fs\/promises|http|https|net|child_process|os|perf_hooks)|undici)'|Date\.now\(|Math\.random\(|(?<![.\w])fetch\(|setTimeout\(|setInterval\(/;
    const allowed = (file: string) => ['node', 'sandbox', 'commands'].includes(placeOf(file));
    const wrong = files.filter(
      (file) => !allowed(file) && worldly.test(readFileSync(path.join(SRC, file), 'utf8')),
    );
    expect(wrong).toEqual([]);
  });

  it('sets the exit code in cli.ts alone', () => {
    const setters = files.filter((file) =>
      /process\.exitCode\s*=/.test(readFileSync(path.join(SRC, file), 'utf8')),
    );
    expect(setters).toEqual(['cli.ts']);
  });
});
