import { readFile } from 'node:fs/promises';
import { closest } from '../core/closest.js';
import { type BatchError, EXIT, type ExitCode, usageError } from '../core/errors.js';
import { escapeForeign } from '../report/escape.js';
import { type Explanation, readExplanation } from '../report/explanation.js';
import { renderExplanation } from '../report/explanation-text.js';
import { findExplanation, PAGE_GROUPS, PAGES } from '../report/find-explanation.js';
import { streamTerminal } from '../report/terminal.js';

const CODE_COLUMNS = 30;

/** Explains an error code, a state or an exit code. Without a word, lists all. */
export async function explainCommand(word: string): Promise<ExitCode> {
  const stdout = streamTerminal(process.stdout, false, process.env);
  if (word === '') {
    const groups = Object.entries(PAGE_GROUPS).map(([group, names]) => listGroup(group, names));
    stdout.write((await Promise.all(groups)).join('\n'));
    return EXIT.ok;
  }
  const found = findExplanation(word);
  if (found === undefined) throw unknownCode(word);
  stdout.write(renderExplanation(found.code, await openPage(found.page), stdout.columns));
  return EXIT.ok;
}

async function listGroup(group: string, names: readonly string[]): Promise<string> {
  const lines = names.map(async (name) => `  ${name.padEnd(CODE_COLUMNS)} ${(await openPage(name)).title}\n`);
  return `${group}\n${(await Promise.all(lines)).join('')}`;
}

/** The build copies the pages next to the program. */
async function openPage(name: string): Promise<Explanation> {
  const file = new URL(`../explanations/${name}.md`, import.meta.url);
  const page = readExplanation(await readFile(file, 'utf8'));
  if (page === undefined) throw new Error(`not a page: ${file.pathname}`);
  return page;
}

function unknownCode(word: string): BatchError {
  const meant = closest(word, PAGES);
  return usageError(
    `there is no error code ${escapeForeign(word)}`,
    meant === undefined ? 'list them: venice-batch explain' : `did you mean: venice-batch explain ${meant}`,
    'unknown-code',
  );
}
