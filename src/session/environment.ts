import path from 'node:path';
import { parseEnv } from 'node:util';
import { closest, isNear } from '../core/closest.js';
import { describeFault, usageError } from '../core/errors.js';
import type { Files } from '../core/ports.js';
import { commandLine, shellWord } from '../core/shell.js';
import { readTextFile, type TextFile } from '../manifest/text-file.js';
import { asItLooks, oddIn, shownAs } from './as-it-looks.js';

export interface ProcessContext {
  readonly cwd: string;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly files: Files;
}

export type EnvironmentOrigin = 'environment' | 'env-file';

/**
 * A variable and where it was set; the process's environment wins. Empty ones count as not set, but an empty budget and
 * an empty address of the shared log are refused (`settings.ts`).
 */
export interface Variable {
  readonly value: string;
  readonly origin: EnvironmentOrigin;
}

export interface EnvironmentReader {
  /** The value that applies. */
  read(name: Name): Variable | undefined;
  /** Every place that sets it, even to an empty value. */
  readAll(name: Name): readonly Variable[];
}

const NAMES = [
  'VENICE_API_KEY',
  'VENICE_WALLET_KEY',
  'VENICE_BASE_URL',
  'VENICE_BATCH_BUDGET',
  'VENICE_BATCH_CONCURRENCY',
  'VENICE_BATCH_STATE',
] as const;
export type Name = (typeof NAMES)[number];

/** Variables whose values may appear in messages. */
const SHOWN: ReadonlySet<string> = new Set(['VENICE_BATCH_BUDGET', 'VENICE_BATCH_CONCURRENCY']);

export const ENV_FILE_BYTES_MAX = 1024 * 1024;

/**
 * The process's environment, and the file of `--env-file`. A setting that cannot be read (a misspelled name, a line
 * that is not `NAME=value`, a file in another encoding) may be a spending limit, so it is a usage error and never
 * ignored. Throws `BatchError` (exit 2).
 */
export async function readEnvironment(
  envFile: string | undefined,
  around: ProcessContext,
): Promise<EnvironmentReader> {
  for (const name of Object.keys(around.env)) requireKnownName(name, around.env);
  const text = envFile === undefined ? '' : await readEnvFile(envFile, around);
  const fault = faultIn(text);
  if (fault !== undefined) throw usageError(`line ${fault.line} of ${envFile}: ${fault.message}`, fault.hint);
  const filed = parseEnvText(text);
  const readAll = (name: Name): readonly Variable[] => {
    const [direct, inFile] = [around.env[name], filed[name]];
    return [
      ...(direct === undefined ? [] : [{ value: direct, origin: 'environment' as const }]),
      ...(inFile === undefined ? [] : [{ value: inFile, origin: 'env-file' as const }]),
    ];
  };
  return { readAll, read: (name) => readAll(name).find(({ value }) => value !== '') };
}

function requireKnownName(name: string, env: ProcessContext['env']): void {
  const meant = typoOf(name);
  // Windows returns a variable for every spelling of its name.
  if (meant === undefined || env[meant] === env[name]) return;
  throw usageError(
    `the environment variable ${shellWord(name)} is not a setting of this program`,
    `did you mean ${meant}? Rename it, or unset it: ${commandLine(['unset', name])}`,
  );
}

async function readEnvFile(name: string, { cwd, files }: ProcessContext): Promise<string> {
  const file = await readTextFile(files, path.resolve(cwd, name), ENV_FILE_BYTES_MAX);
  // ASCII text in UTF-16 is also valid UTF-8, with a zero after each letter.
  if (file.kind === 'text' && !file.text.includes('\0')) return file.text;
  const { what, fix } = describeFileFault(file.kind === 'fault' ? file : { fault: 'not-utf8', code: '' });
  throw usageError(`cannot read the file of --env-file: ${shellWord(name)} ${what}`, fix);
}

type FileFault = Pick<Extract<TextFile, { kind: 'fault' }>, 'fault' | 'code'>;

function describeFileFault({ fault, code }: FileFault): { readonly what: string; readonly fix: string } {
  switch (fault) {
    case 'not-utf8':
      return { what: 'is not UTF-8 text', fix: 'save it with the encoding UTF-8' };
    case 'not-a-file':
      return {
        what: 'is not a regular file',
        fix: 'write its content to a file and pass that: Node.js empties a pipe before this program can read it',
      };
    case 'too-large':
      return { what: 'is larger than 1 MiB', fix: 'name a file of NAME=value lines' };
    default: {
      const { what } = describeFault(code);
      return { what: `cannot be read: ${what} (${code})`, fix: 'name a file of NAME=value lines' };
    }
  }
}

export function parseEnvText(text: string): ProcessContext['env'] {
  return parseEnv(text.replace(/\r\n?/g, '\n'));
}

interface LineFault {
  readonly line: number;
  readonly message: string;
  readonly hint: string;
}

/** The first line that seems to set one of our variables but does not. */
function faultIn(text: string): LineFault | undefined {
  const values = parseEnvText(text);
  const seen = new Map<string, number>();
  for (const [index, line] of text.split(/\r\n?|\n/).entries()) {
    const code = withoutComment(line);
    if (exportsOnly(code, values)) continue;
    const assignments = assignmentsIn(code);
    for (const { name, value } of assignments) {
      const known = (NAMES as readonly string[]).includes(name);
      const meant = known ? name : typoOf(name);
      if (meant === undefined) continue;
      const faultWith = faultAt(index + 1, { name: meant, value });
      if (!known) return faultWith(`${name} is not a setting; did you mean ${meant}?`);
      if (values[name] === undefined) return faultWith(`${name} ${UNREADABLE}`);
      const first = seen.get(name);
      if (name === 'VENICE_BATCH_BUDGET' && first !== undefined)
        return {
          ...faultWith(`${name} is set again, after line ${first}`),
          hint: 'keep one of the two lines',
        };
      seen.set(name, index + 1);
    }
    const named = namedIn(code);
    if (named !== undefined) return faultAt(index + 1, named)(`${named.name} ${UNREADABLE}`);
    const disguised = disguisedIn(line, assignments);
    if (disguised !== undefined) return faultAt(index + 1, disguised)(disguised.message);
  }
  return undefined;
}

/** `export NAME`, as in a file that shells read too, after the line that sets it. */
function exportsOnly(code: string, values: Readonly<Record<string, string | undefined>>): boolean {
  const names = /^ ?export (\w+(?: \w+)*) ?$/.exec(code)?.[1]?.split(' ');
  return names?.every((name) => values[name] !== undefined) === true;
}

const UNREADABLE = 'cannot be read: the line is not NAME=value';

function faultAt(
  line: number,
  { name, value }: Pick<Assignment, 'name' | 'value'>,
): (message: string) => LineFault {
  const hint = SHOWN.has(name) && value !== '' ? `write: ${name}=${value}` : `write it as: ${name}=…`;
  return (message) => ({ line, message, hint });
}

/** The line without its comment, and with one blank for several: then the expressions below take linear time. */
function withoutComment(line: string): string {
  return beforeComment(line).replace(/\s+/g, ' ');
}

function beforeComment(line: string): string {
  return line.slice(0, /(?:^|\s)#/.exec(line)?.index);
}

interface Assignment {
  readonly name: string;
  readonly value: string;
  /** Where the name begins. */
  readonly start: number;
}

const NAME = /[\p{L}_][\p{L}\p{N}_.\u200b-\u200f\ufeff-]*/gu;
const AFTER_NAME = /\s*[^\p{L}\p{N}\s]?\s*[=:\uff1d]|\s+(?=[$\d])/uy;
const VALUE = /^\s*[^\p{L}\p{N}\s]?\s*[=:\uff1d]*\s*["'`]?([^\s"'`;]*)/u;
/** Only the amount in a hint needs it. */
const VALUE_LENGTH_MAX = 100;

/** Everything in a line that may be meant as `NAME=value`, including `NAME: value`, `NAME value` and `NAME` alone. */
function assignmentsIn(code: string): readonly Assignment[] {
  const isText = SETS_SOMETHING.test(code);
  const codeEnd = code.trimEnd().length;
  return [...code.matchAll(NAME)].flatMap(({ 0: name, index }) => {
    const end = index + name.length;
    AFTER_NAME.lastIndex = end;
    // A name at the end of another one's value only mentions it.
    if (!AFTER_NAME.test(code) && (end < codeEnd || isText)) return [];
    return [{ name, value: VALUE.exec(code.slice(end, end + VALUE_LENGTH_MAX))?.[1] ?? '', start: index }];
  });
}

/** The names as people write them: in any letter case, with anything between the words. */
const WRITTEN = NAMES.map((name) => {
  const words = name.replaceAll('_', '[\\s_.\\u2010-\\u2015\\u200b-\\u200f\\ufeff-]*');
  return { name, pattern: new RegExp(`(?<![\\p{L}\\p{N}_])${words}(?![\\p{L}\\p{N}_])`, 'iu') };
});

/** A setting that is named in a line which sets nothing, such as `NAME -> value` or `THE NAME=value`. */
function namedIn(code: string): Assignment | undefined {
  if (SETS_SOMETHING.test(code)) return undefined;
  for (const { name, pattern } of WRITTEN) {
    const found = pattern.exec(code);
    if (found === null) continue;
    const after = code.slice(found.index + found[0].length).slice(0, VALUE_LENGTH_MAX);
    return { name, value: /^[^\p{L}\p{N}]*([\d.,]+)/u.exec(after)?.[1] ?? '', start: found.index };
  }
  return undefined;
}

const SETS_SOMETHING = /^\s*(?:export )?[\p{L}_][\p{L}\p{N}_.-]* ?=/u;

/**
 * A setting whose name looks right but has characters that do not belong to it: an escape of Markdown
 * (`VENICE\_BATCH\_BUDGET`), an invisible one, an accent, a full-width one.
 *
 * @param plain what is found in the line as it is
 */
function disguisedIn(
  line: string,
  plain: readonly Assignment[],
): (Assignment & { readonly message: string }) | undefined {
  const code = beforeComment(line);
  const shown = shownAs(code);
  if (shown === undefined) return undefined;
  const { text, places } = shown;
  const known = new Set(plain.map(({ name }) => name));
  const ours = assignmentsIn(text).flatMap((one) => {
    const name = (NAMES as readonly string[]).includes(one.name) ? one.name : typoOf(one.name);
    return name === undefined || known.has(one.name) ? [] : [{ ...one, name }];
  });
  const found = ours[0] ?? namedIn(text);
  if (found === undefined) return undefined;
  const odd = oddIn(code, places[found.start] ?? 0);
  return { ...found, message: `${found.name} is written with ${odd}, so it sets nothing` };
}

/** Edits in a typo. A name with more may be another program's variable (`ENGINE_API_KEY`). */
const TYPO_EDITS_MAX = 2;

/** The variable that an unknown name probably meant. All names that begin with `VENICE_BATCH` are ours. */
function typoOf(name: string): Name | undefined {
  if ((NAMES as readonly string[]).includes(name)) return undefined;
  const folded = asItLooks(name)
    .toUpperCase()
    .replace(/[^A-Z\d]+/g, '_');
  const same = NAMES.find((known) => known === folded);
  if (same !== undefined) return same;
  if (/^(VENICE_.*|BATCH_)BUDGET/.test(folded)) return 'VENICE_BATCH_BUDGET';
  if (folded.startsWith('VENICE_BATCH_')) {
    const ours = NAMES.filter((known) => known.startsWith('VENICE_BATCH_'));
    return (closest(folded, ours) as Name | undefined) ?? 'VENICE_BATCH_BUDGET';
  }
  // A second key (`VENICE_API_KEY_2`) is not a typo, and a missing key is reported anyway.
  return NAMES.find((known) => known !== 'VENICE_API_KEY' && isNear(folded, known, TYPO_EDITS_MAX));
}
