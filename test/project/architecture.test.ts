import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';

const SRC = fileURLToPath(new URL('../../src/', import.meta.url));

/** Where everything is put together. */
const COMPOSITION = [
  'session',
  'app',
  'release',
  'run',
  'storage',
  'shared-log',
  'audio',
  'qc',
  'picks',
  'plan',
  'venice',
  'lockfile',
  'manifest',
  'report',
  'node',
  'sandbox',
];

/** Which folder may import which; all may import `core`. Data flows one way: manifest → plan → run → report. */
const MAY_IMPORT: Readonly<Record<string, readonly string[]>> = {
  core: [],
  manifest: [],
  lockfile: ['manifest:type'],
  venice: ['manifest:type', 'lockfile:type'],
  plan: ['manifest:type', 'lockfile', 'venice:type'],
  'shared-log': ['storage', 'plan', 'lockfile', 'manifest:type'],
  scheduler: [],
  storage: ['plan:type', 'lockfile:type', 'manifest:type', 'venice:type'],
  release: ['audio', 'storage', 'plan', 'lockfile', 'manifest'],
  run: ['scheduler', 'storage', 'shared-log', 'plan', 'venice', 'lockfile', 'manifest:type'],
  app: [
    'release',
    'run',
    'scheduler',
    'storage',
    'shared-log',
    'plan',
    'venice',
    'lockfile',
    'manifest:type',
  ],
  report: ['picks', 'qc', 'plan', 'lockfile', 'manifest:type', 'venice:type', 'release:type'],
  node: ['shared-log:type'],
  audio: ['storage', 'lockfile'],
  qc: ['audio'],
  picks: ['lockfile', 'manifest', 'plan:type'],
  review: ['picks', 'report', 'plan', 'lockfile', 'manifest:type'],
  page: ['review:type'],
  sandbox: [],
  session: [
    'app',
    'run',
    'storage',
    'shared-log',
    'picks',
    'plan',
    'venice',
    'lockfile',
    'manifest',
    'report',
    'node',
    'sandbox',
  ],
  commands: [...COMPOSITION, 'review'],
  library: COMPOSITION,
};

interface Import {
  readonly from: string;
  readonly to: string;
  readonly typeOnly: boolean;
}

function sourceFiles(): string[] {
  return readdirSync(SRC, { recursive: true, encoding: 'utf8' }).filter((name) => name.endsWith('.ts'));
}

/** The folder of a file; `cli.ts` counts as a command, `index.ts` as the library. */
function placeOf(file: string): string {
  const folder = file.split(path.sep)[0] ?? '';
  if (file === 'index.ts') return 'library';
  return folder === path.basename(file) ? 'commands' : folder;
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
      if (source === target || target === 'core') return false;
      const allowed = MAY_IMPORT[source] ?? [];
      return !allowed.includes(target) && !(typeOnly && allowed.includes(`${target}:type`));
    });
    expect(wrong.map(({ from, to }) => `${from} → ${to}`)).toEqual([]);
  });

  it('has no circle of imports, types included', () => {
    const targets = new Map(files.map((file) => [file, importsOf(file).map(({ to }) => to)]));
    const settled = new Set<string>();
    const circles: string[] = [];
    const visit = (file: string, way: readonly string[]): void => {
      if (way.includes(file)) circles.push([...way.slice(way.indexOf(file)), file].join(' → '));
      if (settled.has(file) || way.includes(file)) return;
      for (const target of targets.get(file) ?? []) visit(target, [...way, file]);
      settled.add(file);
    };
    for (const file of files) visit(file, []);
    expect(circles).toEqual([]);
  });

  it('accesses clock, random numbers, files and network only in node/ and the sandbox', () => {
    const worldly =
      /from '(node:(fs|fs\/promises|http|https|net|child_process|os|perf_hooks)|undici)'|Date\.now\(|Math\.random\(|(?<![.\w])fetch\(|setTimeout\(|setInterval\(/;
    const allowed = (file: string) =>
      ['node', 'sandbox', 'commands', 'session', 'page'].includes(placeOf(file));
    const wrong = files.filter(
      (file) => !allowed(file) && worldly.test(readFileSync(path.join(SRC, file), 'utf8')),
    );
    expect(wrong).toEqual([]);
  });

  it('sets the exit code only in cli.ts', () => {
    const setters = files.filter((file) =>
      /process\.exitCode\s*=/.test(readFileSync(path.join(SRC, file), 'utf8')),
    );
    expect(setters).toEqual(['cli.ts']);
  });
});

describe('the index of files in ARCHITECTURE.md', () => {
  const files = sourceFiles().map((file) => file.split(path.sep).join('/'));
  const text = readFileSync(path.join(SRC, '../ARCHITECTURE.md'), 'utf8');
  const [, section = ''] = /^## Where is it\?$(.*?)^## /ms.exec(text) ?? [];
  const named = [...section.matchAll(/`([\w./-]+\.ts)`/g)].map(([, name = '']) => name);
  const meantBy = (name: string) => files.filter((file) => file === name || file.endsWith(`/${name}`));
  const baseName = (file: string) => path.basename(file);

  it('can name files without their folder, as each file name is unique', () => {
    const names = files.map(baseName);
    expect(names.filter((name, at) => names.indexOf(name) !== at)).toEqual([]);
  });

  it('names files that exist', () => {
    expect(named.filter((name) => meantBy(name).length !== 1)).toEqual([]);
  });

  it('names every file but the generated one', () => {
    const found = new Set(named.flatMap(meantBy));
    expect(files.filter((file) => !found.has(file))).toEqual(['manifest/manifest.types.ts']);
  });
});
