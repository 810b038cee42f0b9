import { type Command, CommanderError } from 'commander';
import { closest } from '../core/closest.js';
import { type BatchError, EXIT, type ExitCode, usageError } from '../core/errors.js';
import { commandLine } from '../core/shell.js';
import { unblock } from '../node/unblock.js';
import { watchOutput } from '../report/terminal.js';
import { createProgram } from './program.js';

/** Runs one command line. @returns the exit code */
export async function main(argv: readonly string[]): Promise<ExitCode> {
  for (const stream of [process.stdout, process.stderr]) unblock(stream);
  const faultOf = watchOutput(process.stdout);
  watchOutput(process.stderr);
  const code = await runLine(argv);
  // An error of the last write is reported in a later turn of the event loop.
  await new Promise((resolve) => setImmediate(resolve));
  if (faultOf() === '') return code;
  process.stderr.write(`error[output]: standard output cannot be written (${faultOf()})\n`);
  return code === EXIT.ok ? EXIT.unavailable : code;
}

async function runLine(argv: readonly string[]): Promise<ExitCode> {
  let code: ExitCode = EXIT.ok;
  const program = createProgram((ended) => {
    code = ended;
  }, argv);
  try {
    if (argv.length === 0) {
      program.outputHelp();
      return EXIT.ok;
    }
    await program.parseAsync(groupFirst(program, argv), { from: 'user' });
    return code;
  } catch (error) {
    if (error instanceof CommanderError && error.exitCode === 0) return EXIT.ok;
    const { failedCommand } = await import('./failure.js');
    return failedCommand(
      error instanceof CommanderError ? noCommand(program, groupFirst(program, argv)) : error,
      argv,
    );
  }
}

/** `help lock repair` as `lock help repair`: commander ignores all but the first word after `help`. */
function groupFirst(program: Command, argv: readonly string[]): string[] {
  const [help, group = '', name, ...rest] = argv;
  if (help !== 'help' || name === undefined || commandsOf(program, group).length === 0) return [...argv];
  return [group, help, name, ...rest];
}

function commandsOf(program: Command, group: string): readonly string[] {
  const found = program.commands.find((command) => command.name() === group);
  return found?.commands.map((command) => command.name()) ?? [];
}

/** For a command group alone, commander shows the help without saying what is wrong. */
function noCommand(program: Command, argv: readonly string[]): BatchError {
  const at = argv.indexOf('help');
  const [group = '', word] = [at === 1 ? argv[0] : '', argv[at + 1]];
  if (at < 0 || at > 1 || word === undefined)
    return usageError('a command is missing', 'use one of the commands above');
  const names = at === 0 ? program.commands.map((command) => command.name()) : commandsOf(program, group);
  const meant = closest(word, names);
  return usageError(
    `unknown command '${word}'${meant === undefined ? '' : ` (Did you mean ${meant}?)`}`,
    meant === undefined
      ? 'use one of the commands above'
      : commandLine([program.name(), 'help', ...(at === 0 ? [] : [group]), meant]),
  );
}
