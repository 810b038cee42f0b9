import { type Command, CommanderError } from 'commander';
import { closest } from '../core/closest.js';
import { type BatchError, EXIT, type ExitCode, usageError } from '../core/errors.js';
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
    await program.parseAsync([...argv], { from: 'user' });
    return code;
  } catch (error) {
    if (error instanceof CommanderError && error.exitCode === 0) return EXIT.ok;
    const { failedCommand } = await import('./failure.js');
    return failedCommand(error instanceof CommanderError ? noCommand(program, argv) : error, argv);
  }
}

/** For a command group alone, commander shows the help without saying what is wrong. */
function noCommand(program: Command, [first, second]: readonly string[]): BatchError {
  if (first !== 'help' || second === undefined)
    return usageError('a command is missing', 'use one of the commands above');
  const meant = closest(
    second,
    program.commands.map((command) => command.name()),
  );
  return usageError(
    `unknown command '${second}'${meant === undefined ? '' : ` (Did you mean ${meant}?)`}`,
    meant === undefined ? 'use one of the commands above' : `venice-batch help ${meant}`,
  );
}
