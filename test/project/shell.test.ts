import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { storageError } from '../../src/app/storage-error.js';
import { readPlanFile } from '../../src/commands/plan-file.js';
import { createProgram } from '../../src/commands/program.js';
import { BatchError } from '../../src/core/errors.js';
import { commandLine, shellWord } from '../../src/core/shell.js';
import { type LockProblem, lockError } from '../../src/lockfile/lock-error.js';
import { escapeForeign } from '../../src/report/escape.js';
import { pathText } from '../../src/report/path-text.js';
import { openLedgerFile } from '../../src/sandbox/ledger-file.js';
import { nextCommandLine } from '../../src/session/next-command-line.js';
import { placesIn } from '../../src/session/place.js';
import type { Session } from '../../src/session/session.js';
import { createMemoryDisk } from '../fakes/memory-files.js';
import { hostileName, shellWords } from './shell-words.js';

const isPosix = process.platform !== 'win32';

describe('a suggested command line', () => {
  it('is one line, splits into the same words again, and survives escaping', () => {
    fc.assert(
      fc.property(fc.array(hostileName, { minLength: 1, maxLength: 4 }), (args) => {
        const line = commandLine(args);
        expect(shellWords(line)).toEqual(args);
        expect(escapeForeign(line)).toBe(line);
        expect(pathText(args[0]!)).toBe(shellWord(args[0]!));
      }),
      { numRuns: 1_000 },
    );
  });

  it.runIf(isPosix)('is safe in any shell', () => {
    const names = fc.sample(hostileName, { numRuns: 400, seed: 1 });
    const printable = names.filter((name) => !shellWord(name).startsWith('$'));
    const directory = mkdtempSync(path.join(os.tmpdir(), 'venice-shell-'));
    try {
      const file = path.join(directory, 'lines.sh');
      writeFileSync(file, names.map((name) => `: ${shellWord(name)}\n`).join(''));
      execFileSync('sh', ['-n', file]);
      const shown = execFileSync('sh', ['-c', `printf '%s\\n' ${commandLine(printable)}`], {
        cwd: directory,
      });
      expect(shown.toString()).toBe(printable.map((name) => `${name}\n`).join(''));
    } finally {
      rmSync(directory, { recursive: true, force: true });
    }
  });

  it('names the same manifest and the same files to the program', () => {
    fc.assert(
      fc.property(hostileName, hostileName, (manifest, lockfile) => {
        const flags = { lockfile, outDir: manifest, envFile: lockfile, only: ['opening'] };
        const words = shellWords(nextCommandLine('run', { manifest, flags } as never));
        const program = createProgram(() => {});
        const run = program.commands.find((command) => command.name() === 'run')!;
        run.action(() => {});
        program.parse(words.slice(1), { from: 'user' });
        expect(path.resolve(run.args[0]!)).toBe(path.resolve(manifest));
        expect(run.opts()).toMatchObject({
          lockfile,
          outDir: manifest,
          envFile: lockfile,
          only: ['opening'],
        });
      }),
    );
  });

  it('repeats the flags about audio for commands that collect', () => {
    const flags = { keep: true, allowSingleCopy: true, concurrency: '2', failFast: true };
    const line = (verb: string, ...words: string[]) => nextCommandLine(verb, { manifest: 'a', flags }, words);
    expect(line('run')).toBe('venice-batch run a --keep --allow-single-copy --concurrency 2 --fail-fast');
    expect(line('run', '--keep').match(/--keep/g)).toHaveLength(1);
    expect(line('collect')).toBe('venice-batch collect a --keep --allow-single-copy --concurrency 2');
    expect(line('status')).toBe('venice-batch status a --allow-single-copy');
  });

  it('repeats what else the run was asked to do, where the command can do it', () => {
    const flags = {
      timeout: '5',
      junit: 'out.xml',
      qcFail: true,
      detach: true,
      ignoreBalance: true,
      suggestions: 'p.patch',
    };
    const line = (verb: string) => nextCommandLine(verb, { manifest: 'a', flags });
    expect(line('run')).toBe(
      'venice-batch run a --timeout 5 --junit out.xml --qc-fail --detach --ignore-balance --suggestions p.patch',
    );
    expect(line('collect')).toBe('venice-batch collect a --timeout 5 --junit out.xml --qc-fail');
    expect(line('plan')).toBe('venice-batch plan a --ignore-balance');
  });

  it('names no command that cannot read standard input with it', () => {
    const line = (verb: string) => nextCommandLine(verb, { manifest: '-', flags: {} });
    expect([line('plan'), line('validate')]).toEqual(['venice-batch plan -', 'venice-batch validate -']);
    for (const verb of ['run', 'resolve', 'status', 'lock repair'])
      expect(line(verb)).toBe(`venice-batch ${verb} MANIFEST`);
  });

  it('names other tracks than the run was restricted to', () => {
    const flags = { only: ['intro'], except: ['outro'], budget: '5' };
    const line = nextCommandLine('run', { manifest: 'a', flags }, ['--retry-failed', '--only', 'jingle']);
    expect(line).toBe('venice-batch run a --retry-failed --only jingle --budget 5');
  });

  it('lists the models of the same endpoint, without the manifest', () => {
    const flags = {
      baseUrl: 'https://a.example/v1',
      envFile: '.env',
      lockfile: 'l',
      budget: '5',
      keep: true,
    };
    const line = (given: object) => nextCommandLine('models', { manifest: 'a', flags: given });
    expect(line(flags)).toBe('venice-batch models --base-url https://a.example/v1 --env-file .env');
    expect(line({ sandbox: true, sandboxAs: '2026-08' })).toBe(
      'venice-batch models --sandbox --sandbox-as 2026-08',
    );
  });
});

const PROBLEMS: readonly LockProblem[] = [
  { kind: 'unreadable', code: 'EIO' },
  { kind: 'unwritable', code: 'EIO' },
  { kind: 'not_a_lockfile', line: 1 },
  { kind: 'not_a_lockfile', line: 1, named: 'git:origin' },
  { kind: 'newer_version', version: 9 },
  { kind: 'conflict_markers', line: 1 },
  { kind: 'second_header', line: 1, related: true },
  { kind: 'two_logs', line: 2, logs: ['git:origin', 'git:other'] },
  { kind: 'two_logs', line: 1, logs: ['git:origin', 'git:other'], journal: "/a b/it's.copy" },
  { kind: 'bad_line', line: 1, why: 'is not JSON' },
  { kind: 'checksum', line: 1 },
  { kind: 'incomplete' },
  { kind: 'other_endpoint', endpoint: 'sandbox:', wanted: 'https://a.example' },
];

describe('an error that names files', () => {
  const commandFor =
    (name: string) =>
    (verb: string, ...words: string[]) =>
      nextCommandLine(verb, { manifest: name, flags: { lockfile: name, outDir: name } }, words);

  /** What is left for a shell once everything quoted is removed. */
  function unquoted(
    { message, hint = '' }: { message: string; hint?: string | undefined },
    name: string,
  ): string {
    const words = [
      name,
      `./${name}`,
      `/${name}`,
      `/a/${name}`,
      `/a/${name}.damaged`,
      `/a/${name}.restored`,
      `/dev/null/${name}`,
      `/dev/null/${name}/ledger.jsonl`,
    ];
    return words
      .map((word) => shellWord(word))
      .sort((a, b) => b.length - a.length)
      .reduce((text, word) => text.replaceAll(word, ''), escapeForeign(`${message} ${hint}`));
  }

  async function thrown(act: () => unknown): Promise<BatchError> {
    try {
      await act();
    } catch (error) {
      if (error instanceof BatchError) return error;
      throw error;
    }
    throw new Error('nothing was thrown');
  }

  const BUILDERS: readonly (readonly [string, (name: string) => Promise<BatchError>])[] = [
    ...PROBLEMS.map(
      (problem) =>
        [
          `lockfile: ${problem.kind}`,
          async (name: string) => lockError(problem, `/a/${name}`, commandFor(name)),
        ] as const,
    ),
    [
      'a plan that is not there',
      (name) => {
        const { files } = createMemoryDisk();
        const settings = { flags: { plan: name } };
        return thrown(() =>
          readPlanFile({ settings, ports: { files }, command: commandFor(name) } as unknown as Session),
        );
      },
    ],
    [
      'a plan beside a flag',
      (name) => {
        const settings = { flags: { plan: name, only: [name] } };
        return thrown(() =>
          readPlanFile({ settings, ports: {}, command: commandFor(name) } as unknown as Session),
        );
      },
    ],
    [
      'a folder that takes no files',
      async (name) => {
        const { files } = createMemoryDisk();
        const fault = Object.assign(new Error('EIO'), { code: 'EIO', syscall: 'open' });
        const placeOf = placesIn('/a', '/a');
        const about = { directory: `/a/${name}`, next: commandFor(name)('run'), placeOf };
        return (await storageError(fault, files, about)) as BatchError;
      },
    ],
    ['the ledger of a sandbox', (name) => thrown(() => openLedgerFile(`/dev/null/${name}`))],
  ];

  it.each(BUILDERS)('contains no name that a shell could execute: %s', async (_, build) => {
    await fc.assert(
      fc.asyncProperty(hostileName, async (name) => {
        const text = unquoted(await build(name), name);
        expect(text).not.toContain('$(');
        expect(text).not.toContain('touch');
      }),
      { numRuns: 50 },
    );
  });
});
