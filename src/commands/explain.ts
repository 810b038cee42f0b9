import { BatchError, EXIT, type ExitCode } from '../core/errors.js';
import { closest } from '../core/suggest.js';
import { escapeForeign } from '../report/escape.js';
import { renderExplanation } from '../report/explanation-text.js';
import { findExplanation, TOLD } from '../report/find-explanation.js';
import { streamTerminal } from '../report/terminal.js';

const CODE_COLUMNS = 30;

/** What an error code or a state means, what it says about the money, and how to mend it. Without a code: all of them. */
export async function explainCommand(code: string): Promise<ExitCode> {
  const stdout = streamTerminal(process.stdout, false, process.env);
  if (code === '') {
    for (const [name, { title }] of Object.entries(TOLD))
      stdout.write(`${name.padEnd(CODE_COLUMNS)} ${title}\n`);
    return EXIT.ok;
  }
  const found = findExplanation(code);
  if (found === undefined) throw unknownCode(code);
  stdout.write(renderExplanation(found.code, found.explanation, stdout.columns));
  return EXIT.ok;
}

function unknownCode(code: string): BatchError {
  const meant = closest(code, Object.keys(TOLD));
  return new BatchError('unknown-code', `there is no error code ${escapeForeign(code)}`, {
    exitCode: EXIT.usage,
    hint:
      meant === undefined ? 'list them: venice-batch explain' : `did you mean: venice-batch explain ${meant}`,
  });
}
