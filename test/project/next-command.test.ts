import type { Command, Option } from 'commander';
import { describe, expect, it } from 'vitest';
import { createProgram } from '../../src/commands/program.js';
import type { BatchError } from '../../src/core/errors.js';
import { CARRIED, nextCommandLine, sameCommandLine } from '../../src/session/next-command-line.js';
import type { Flags } from '../../src/session/settings.js';
import { shellWords } from './shell-words.js';

/** What only says how one command prints, or what one command does: a message that means it again names it. */
const NOT_CARRIED = new Set([
  ...['json', 'events', 'progress', 'color', 'debug', 'detailedExitcode'],
  ...['force', 'retryFailed', 'plan', 'frozen', 'out', 'clear', 'undo', 'dryRun'],
]);

const all = createProgram(() => {}).commands.flatMap((command) =>
  command.commands.length === 0 ? [command] : command.commands,
);
const verbOf = (command: Command): string =>
  command.parent?.name() === 'lock' ? `lock ${command.name()}` : command.name();
/** Commands that a message can name: those of a manifest, and `models`. */
const nameable = all
  .filter((command) => command.registeredArguments[0]?.name() === 'manifest' || command.name() === 'models')
  .filter((command) => command.name() !== 'init');
const declared = new Map(
  nameable.flatMap((command) => command.options.map((option) => [option.attributeName(), option] as const)),
);
const known = Object.keys(CARRIED) as (keyof Flags)[];

/** Needs quoting, so that a value which is not quoted is seen. */
function exampleOf(name: keyof Flags, option: Option): Flags[keyof Flags] {
  if (name === 'only' || name === 'except') return ["it's *", 'b c'];
  if (name === 'baseUrl') return 'https://a.example/v1';
  return option.isBoolean() ? true : "it's $HOME; a";
}

const cases = nameable.flatMap((command) =>
  known.flatMap((name) => {
    const option = declared.get(name);
    return option === undefined ? [] : [{ verb: verbOf(command), name, option, command }];
  }),
);

describe('a flag of this command in the next one', () => {
  it.each(cases)('$name in $verb', ({ verb, name, option, command }) => {
    const value = exampleOf(name, option);
    const words = shellWords(nextCommandLine(verb, { manifest: 'a.yaml', flags: { [name]: value } }));
    const accepts = command.options.some((own) => own.attributeName() === name);
    const isCarried = accepts && !NOT_CARRIED.has(name);
    const flag = option.long!;
    const expected = [value].flat().flatMap((each) => (each === true ? [flag] : [flag, each]));
    const operand = verb === 'models' ? [] : ['a.yaml'];
    expect(words).toEqual(['venice-batch', ...verb.split(' '), ...operand, ...(isCarried ? expected : [])]);
  });

  it.each(['accept', 'pick'])('of an incomplete %s says where things are', (verb) => {
    const place = ['--sandbox', '--lockfile', 'l k', '--out-dir', 'my out', '--state', 'file:///log'];
    const program = createProgram(() => {}, [verb, 'a.yaml', ...place]);
    let hint: string | undefined;
    try {
      program.parse([verb, 'a.yaml', ...place], { from: 'user' });
    } catch (error) {
      hint = (error as BatchError).hint;
    }
    const status = hint?.replace(/^list them: /, '') ?? '';
    expect(shellWords(status)).toEqual(['venice-batch', 'status', 'a.yaml', ...place]);
  });

  it('is not lost on the way from a run through its status to the next run', () => {
    const given = { sandbox: true, sandboxSpeed: '100', state: 'git:origin', lockfile: 'l', outDir: 'o' };
    for (const verb of nameable.map(verbOf).filter((one) => one !== 'models')) {
      const words = shellWords(nextCommandLine(verb, { manifest: 'a.yaml', flags: given }));
      expect(words.join(' '), verb).toContain(
        '--sandbox --sandbox-speed 100 --lockfile l --out-dir o --state git:origin',
      );
    }
  });

  it('is never given twice', () => {
    for (const { verb, name, option } of cases) {
      const flags = { [name]: exampleOf(name, option) };
      const words = shellWords(nextCommandLine(verb, { manifest: 'a.yaml', flags }, [option.long!]));
      expect(words.filter((word) => word === option.long)).toHaveLength(1);
    }
  });

  it('has a rule, unless only one command has it and a message that needs it names it', () => {
    const owners = (name: string) =>
      nameable.filter((command) => command.options.some((option) => option.attributeName() === name));
    const shared = [...declared.keys()].filter((name) => owners(name).length > 1);
    expect(shared.filter((name) => !(name in CARRIED))).toEqual([]);
  });

  it('with a saved plan keeps the limit and drops the selection', () => {
    const flags = { only: ['a'], except: ['b'], more: '2', onlyUnpicked: true, yes: true, budget: '5' };
    expect(nextCommandLine('run', { manifest: 'a.yaml', flags }, ['--plan', 'p.json'])).toBe(
      'venice-batch run a.yaml --plan p.json --budget 5',
    );
  });

  it('of the other endpoint is dropped, and an address shows no password', () => {
    const line = (flags: Flags, ...words: string[]) =>
      nextCommandLine('plan', { manifest: 'a.yaml', flags }, words);
    expect(line({ baseUrl: 'https://u:secret@a.example/v1?k=secret' })).not.toContain('secret');
    expect(line({ baseUrl: 'https://a.example/v1' }, '--sandbox')).toBe('venice-batch plan a.yaml --sandbox');
    expect(line({ sandbox: true, sandboxAs: '2026-08' }, '--sandbox')).toBe(
      'venice-batch plan a.yaml --sandbox --sandbox-as 2026-08',
    );
  });
});

describe('the same command', () => {
  it.each([
    ['with a flag', ['pick', 'a b.yaml', '1'], ['--state', 'git:x'], "pick 'a b.yaml' 1 --state git:x"],
    ['with another value', ['run', '--state', 'git:y', 'a'], ['--state', 'git:x'], 'run a --state git:x'],
    [
      'with another value after =',
      ['run', '--state=git:y', 'a'],
      ['--state', 'git:x'],
      'run a --state git:x',
    ],
    ['with operands behind --', ['run', '--', '-a'], ['--state', 'git:x'], 'run --state git:x -- -a'],
    [
      'without the password of a URL',
      ['run', 'a', '--base-url', 'https://u:p@h.example/v1'],
      [],
      'run a --base-url https://h.example',
    ],
    [
      'without the password after =',
      ['run', 'a', '--base-url=https://u:p@h.example/v1'],
      [],
      'run a --base-url=https://h.example',
    ],
    ['as it is', ['tidy', 'a', '--undo'], [], 'tidy a --undo'],
  ])('%s', (_name, typed, words, expected) => {
    expect(sameCommandLine(typed, words)).toBe(`venice-batch ${expected}`);
  });
});
