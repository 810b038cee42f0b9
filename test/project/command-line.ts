import { type Command, CommanderError } from 'commander';
import { createProgram } from '../../src/commands/program.js';
import { BatchError } from '../../src/core/errors.js';

/**
 * What is wrong with a command line of this program, or `undefined`. It is compared with the command tree, and nothing
 * runs.
 */
export function fault(line: string): string | undefined {
  const [name, ...words] = wordsOf(line);
  if (name !== 'venice-batch') return `not a command of venice-batch: ${line}`;
  const program = createProgram(() => {});
  silence(program);
  try {
    program.parse(words, { from: 'user' });
    return undefined;
  } catch (error) {
    if (error instanceof BatchError) return error.message;
    if (error instanceof CommanderError && error.exitCode === 0) return undefined;
    throw error;
  }
}

/** No action, no output. */
function silence(command: Command): void {
  command.configureOutput({ writeOut: () => {}, writeErr: () => {} });
  if (command.commands.length === 0) command.action(() => {});
  for (const child of command.commands) silence(child);
}

/** The words of a shell line: quotes are removed, nothing is expanded. */
export function wordsOf(line: string): string[] {
  return [...line.matchAll(/(?:"[^"]*"|'[^']*'|[^\s"'])+/g)].map(([word]) => word.replace(/["']/g, ''));
}
