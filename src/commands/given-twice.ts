import type { Command } from 'commander';
import { usageError } from '../core/errors.js';
import { commandLine, shellWord } from '../core/shell.js';
import { REPEATABLE } from './flags.js';
import { mayHoldSecret } from './usage-error.js';

/**
 * Refuses a flag that takes one value and is given twice, in every command. Commander would keep the last value, and the
 * one that is dropped may be a spending limit.
 *
 * @param argv as typed, without the name of the program
 */
export function refuseGivenTwice(program: Command, argv: readonly string[]): void {
  for (const command of program.commands.flatMap((one) => [one, ...one.commands])) {
    const given = new Map<string, string>();
    for (const { long, required, name } of command.options.map(takenApart)) {
      if (!required || REPEATABLE.has(long)) continue;
      command.on(`option:${name}`, (value: string) => {
        const first = given.get(long);
        given.set(long, value);
        if (first !== undefined) throw givenTwice(long, [first, value], [program.name(), ...argv]);
      });
    }
  }
}

function takenApart(option: Command['options'][number]) {
  return { long: option.long ?? '', required: option.required, name: option.name() };
}

function givenTwice(flag: string, values: readonly string[], words: readonly string[]) {
  // An address may contain a secret: then neither the values nor the line are repeated.
  const isSecret = words.some(mayHoldSecret);
  return usageError(
    `${flag} takes one value, but was given twice${isSecret ? '' : `: ${values.map(shellWord).join(' and ')}`}`,
    isSecret ? 'keep one of the two' : `keep one of the two: ${commandLine(withFirst(words, flag))}`,
  );
}

/** The words with only the first of the flag's values. */
function withFirst(words: readonly string[], flag: string): readonly string[] {
  const places = words.flatMap((word, at) => (word === flag || word.startsWith(`${flag}=`) ? [at] : []));
  const dropped = new Set(places.slice(1).flatMap((at) => (words[at] === flag ? [at, at + 1] : [at])));
  return words.filter((_, at) => !dropped.has(at));
}
