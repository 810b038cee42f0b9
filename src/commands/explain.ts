import { BatchError, EXIT, type ExitCode } from '../errors.js';
import { closest } from '../manifest/suggest.js';
import { escapeForeign } from '../report/escape.js';
import { EXPLANATIONS } from '../report/explanations.js';

/** What an error code means, what it says about the money, and how to mend it. Without a code: all of them. */
export async function explainCommand(code: string): Promise<ExitCode> {
  if (code === '') {
    for (const [name, { title }] of Object.entries(EXPLANATIONS))
      process.stdout.write(`${name.padEnd(28)} ${title}\n`);
    return EXIT.ok;
  }
  const found = EXPLANATIONS[code];
  if (found === undefined) {
    const meant = closest(code, Object.keys(EXPLANATIONS));
    throw new BatchError('unknown-code', `there is no error code ${escapeForeign(code)}`, {
      exitCode: EXIT.usage,
      hint:
        meant === undefined
          ? 'list them: venice-batch explain'
          : `did you mean: venice-batch explain ${meant}`,
    });
  }
  process.stdout.write(`${code}: ${found.title}\n\n${found.text}\n`);
  return EXIT.ok;
}
