import { CommanderError } from 'commander';
import { EXIT, type ExitCode } from '../errors.js';
import { createProgram } from './program.js';

/** Runs one command line. @returns the exit code */
export async function main(argv: readonly string[]): Promise<ExitCode> {
  let code: ExitCode = EXIT.ok;
  const program = createProgram((ended) => {
    code = ended;
  });
  try {
    if (argv.length === 0) {
      program.outputHelp();
      return EXIT.ok;
    }
    await program.parseAsync([...argv], { from: 'user' });
    return code;
  } catch (error) {
    if (error instanceof CommanderError) return error.exitCode === 0 ? EXIT.ok : EXIT.usage;
    const { reportError } = await import('../report/error.js');
    return reportError(error, argv);
  }
}
