import type { Command, Option } from 'commander';
import { closest } from '../core/closest.js';
import { type BatchError, usageError } from '../core/errors.js';
import { commandLine } from '../core/shell.js';
import { listed } from '../plan/text.js';
import { missingWord, type UsageMistake } from './missing-word.js';

/**
 * What is wrong with a command line that commander refused, and the command that was probably meant.
 *
 * @param command that refused it
 * @param message from commander, in English
 * @param argv as typed, without the name of the program
 */
export function usageErrorFor(command: Command, message: string, argv: readonly string[]): BatchError {
  const text = message
    .replace(/^error: /, '')
    .trimEnd()
    .replaceAll(/\s*\n\s*/g, ' ');
  const found =
    unknownOption(command, text, argv) ??
    unknownCommand(command, text, argv) ??
    tooManyManifests(command, text, argv) ??
    missingWord(command, text, argv);
  const help = `${pathOf(command)} --help`;
  // An address may contain a secret, so such a line is not repeated.
  const hint = found?.hint === undefined || argv.some(mayHoldSecret) ? help : found.hint;
  return usageError(found?.message ?? text, hint);
}

/** As typed: `venice-batch lock repair`. */
export function pathOf(command: Command): string {
  return command.parent === null ? command.name() : `${pathOf(command.parent)} ${command.name()}`;
}

function unknownOption(command: Command, text: string, argv: readonly string[]): UsageMistake | undefined {
  const flag = /^unknown option '(-[^']*)'/.exec(text)?.[1]?.replace(/=.*$/s, '');
  if (flag === undefined) return undefined;
  const program = rootOf(command);
  const here = pathOf(command).slice(program.name().length + 1);
  if (flag === '--dry-run' && here === 'run') return dryRun(command, program, argv);
  const owners = ownersOf(flag, program);
  if (here === '' && owners.length > 0) return beforeCommand(flag, program, argv);
  if (here !== '' && owners.length > 0) {
    const option = owners[0]?.options.find(({ long }) => long === flag);
    return {
      message: `\`${here}\` has no ${flag}: it is an option of ${listed(
        owners.map((owner) => `\`${owner.name()}\``),
        5,
      )}`,
      hint: `leave it out: ${line(program, without(argv, flag, option))}`,
    };
  }
  const near = closest(
    flag.slice(2),
    command.options.flatMap(({ long }) => long?.slice(2) ?? []),
  );
  if (near === undefined) return undefined;
  const meant = `--${near}`;
  const corrected = argv.map((word) =>
    word === flag || word.startsWith(`${flag}=`) ? meant + word.slice(flag.length) : word,
  );
  return { message: `unknown option '${flag}' (Did you mean ${meant}?)`, hint: line(program, corrected) };
}

/** Options go after the command: moves there what is before it. */
function beforeCommand(flag: string, program: Command, argv: readonly string[]): UsageMistake {
  const names = new Set(program.commands.map((command) => command.name()));
  const at = argv.findIndex((word) => names.has(word));
  const message = `${flag} goes after the command`;
  return at === -1
    ? { message }
    : { message, hint: line(program, [...argv.slice(at), ...argv.slice(0, at)]) };
}

/** `plan` is the dry run of `run`. Flags that `plan` does not have are about buying. */
function dryRun(run: Command, program: Command, argv: readonly string[]): UsageMistake {
  const plan = program.commands.find((one) => one.name() === 'plan');
  const extra = run.options.filter(({ long }) => plan?.options.every((known) => known.long !== long));
  const words = extra.reduce<readonly string[]>(
    (rest, option) => without(rest, option.long ?? '', option),
    without(argv, '--dry-run', undefined),
  );
  return {
    message: '`run` has no --dry-run: `plan` shows what it would do and cost, and spends nothing',
    hint: line(program, replaced(words, 'run', 'plan')),
  };
}

function unknownCommand(command: Command, text: string, argv: readonly string[]): UsageMistake | undefined {
  const word = /^unknown command '([^']*)'/.exec(text)?.[1];
  if (word === undefined) return undefined;
  const program = rootOf(command);
  if (command === program && /\.(ya?ml|json)$/i.test(word)) {
    const flags = argv.filter((one) => one !== word);
    const [verb] = program.commands.map((one) => one.name()).filter((name) => name === flags[0]);
    if (verb !== undefined)
      return {
        message: `the command goes before '${word}'`,
        hint: line(program, [verb, word, ...flags.slice(1)]),
      };
    return {
      message: `a command is missing before '${word}'`,
      hint: `to see what it would cost: ${line(program, ['plan', word, ...flags])}; to make it: ${line(program, ['run', word, ...flags])}`,
    };
  }
  const meant = closest(
    word,
    command.commands.map((one) => one.name()),
  );
  if (meant === undefined || argv.at(-1) === word) return undefined;
  return { message: text, hint: line(program, replaced(argv, word, meant)) };
}

/** Usually a pattern of the shell, such as `*.yaml`: the same line with the first one only. */
function tooManyManifests(command: Command, text: string, argv: readonly string[]): UsageMistake | undefined {
  if (!text.startsWith('too many arguments') || command.registeredArguments.length !== 1) return undefined;
  if (command.registeredArguments[0]?.name() !== 'manifest') return undefined;
  const words = pathOf(command).split(' ').slice(1);
  const first = command.args.find((word) => !words.includes(word)) ?? command.args[0];
  if (first === undefined) return undefined;
  const others = command.args.filter((word) => word !== first);
  const extra = new Set(others);
  return {
    message: `\`${pathOf(command).slice(rootOf(command).name().length + 1)}\` takes one manifest at a time`,
    hint: line(
      rootOf(command),
      argv.filter((word, index) => {
        const isFirst = argv.indexOf(word) === index;
        return extra.has(word) ? isFirst && words.includes(word) : word !== first || isFirst;
      }),
    ),
  };
}

function ownersOf(flag: string, program: Command): readonly Command[] {
  return program.commands
    .flatMap((command) => [command, ...command.commands])
    .filter(({ options }) => options.some(({ long }) => long === flag));
}

/** Removes a flag and its value from the words. */
function without(words: readonly string[], flag: string, option: Option | undefined): readonly string[] {
  const takesValue = option?.required === true;
  return words.filter(
    (word, index) =>
      word !== flag && !word.startsWith(`${flag}=`) && !(takesValue && words[index - 1] === flag),
  );
}

function replaced(words: readonly string[], word: string, by: string): readonly string[] {
  const at = words.indexOf(word);
  return at === -1 ? words : words.with(at, by);
}

function line(program: Command, words: readonly string[]): string {
  return commandLine([program.name(), ...words]);
}

function rootOf(command: Command): Command {
  return command.parent === null ? command : rootOf(command.parent);
}

/** Whether the word contains an address with more than a host and a path. */
export function mayHoldSecret(word: string): boolean {
  return /:\/\/.*[@?#]/s.test(word);
}
