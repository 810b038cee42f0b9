import { BatchError } from '../core/errors.js';
import type { RunEvent } from '../core/events.js';
import { nextCommandLine } from '../session/next-command-line.js';
import type { Planned } from '../session/plan-batch.js';
import type { PlaceOptions, RunOptions } from './option-types.js';

/* The program's messages suggest commands and flags. A program that calls the library needs functions and options. */

/** Commands that exist as functions. The others exist only on the command line. */
const FUNCTIONS: ReadonlySet<string> = new Set(['run', 'plan', 'collect', 'status', 'verify', 'resolve']);

type Kind = 'switch' | 'text' | 'number' | 'list';

/** The option for each flag, and the kind of its value. A test requires an entry for every flag in a message. */
const OPTION_OF_FLAG: Readonly<Record<string, readonly [option: keyof RunOptions, kind: Kind]>> = {
  '--accept-price': ['acceptPrice', 'switch'],
  '--base-url': ['baseUrl', 'text'],
  '--budget': ['budgetUsd', 'number'],
  '--concurrency': ['concurrency', 'number'],
  '--except': ['except', 'list'],
  '--fail-fast': ['failFast', 'switch'],
  '--force': ['force', 'list'],
  '--ignore-balance': ['ignoreBalance', 'switch'],
  '--keep': ['keep', 'switch'],
  '--lockfile': ['lockfile', 'text'],
  '--more': ['more', 'number'],
  '--only': ['only', 'list'],
  '--only-unpicked': ['onlyUnpicked', 'switch'],
  '--out-dir': ['outDir', 'text'],
  '--retry-failed': ['retryFailed', 'switch'],
  '--sandbox': ['sandbox', 'switch'],
  '--state': ['state', 'text'],
};

/** Wording for what is not an option: another way to set it, or what a function returned. */
const PHRASES: Readonly<Record<string, string>> = {
  '`plan --out`': '`plan()`',
};

/** What `resolve` records. */
const OUTCOMES: Readonly<Record<string, string>> = {
  '--charged': 'charged',
  '--not-charged': 'not_charged',
  '--refunded': 'refunded',
  '--requeue': 'requeue',
};

/** Turns a command for the same manifest into the equivalent call, if there is one. */
export function callFor(manifest: string, place: Omit<PlaceOptions, 'manifest' | 'apiKey'>) {
  const given = Object.entries({ manifest, ...place }).filter(([, value]) => value !== undefined);
  const memberOf = ([name, value]: (typeof given)[number]) =>
    `${name}: ${typeof value === 'boolean' ? value : quoted(String(value))}`;
  return (verb: string, ...words: string[]): string => {
    const options = FUNCTIONS.has(verb) ? optionsOf(words) : undefined;
    if (options === undefined)
      return nextCommandLine(verb, { manifest, flags: Object.fromEntries(given) }, words);
    // A flag in the words replaces the same option.
    const kept = given.filter(([name]) => !options.some((option) => option.startsWith(`${name}: `)));
    return `${verb}({ ${[...kept.map(memberOf), ...options].join(', ')} })`;
  };
}

/** The members that mean the same as the words of a command. `undefined`: a flag is not an option. */
function optionsOf(words: readonly string[]): readonly string[] | undefined {
  const members = new Map<string, string>();
  const lists = new Map<string, string[]>();
  for (let at = 0; at < words.length; at += 1) {
    const word = words[at] ?? '';
    const value = words[at + 1] ?? '';
    const [option, kind] = OPTION_OF_FLAG[word] ?? [];
    const outcome = OUTCOMES[word];
    if (option !== undefined && kind === 'list') {
      lists.set(option, [...(lists.get(option) ?? []), quoted(value)]);
      members.set(option, `[${lists.get(option)?.join(', ')}]`);
    } else if (option !== undefined) members.set(option, literal(kind, value));
    else if (word === '--yes') members.set('approve', '() => true');
    else if (word === '--queue-id') members.set('outcome', `{ kind: 'queue_id', queueId: ${quoted(value)} }`);
    else if (outcome !== undefined) members.set('outcome', `{ kind: ${quoted(outcome)} }`);
    else if (!word.startsWith('--') && at === 0) members.set('attempt', quoted(word));
    else return undefined;
    if ((option !== undefined && kind !== 'switch') || word === '--queue-id') at += 1;
  }
  return [...members].map(([name, value]) => `${name}: ${value}`);
}

/** A value of an option as it is written in a program. */
function literal(kind: Kind | undefined, value: string): string {
  if (kind === 'switch') return 'true';
  if (kind === 'number') return value.replace(/^\$/, '');
  return kind === 'list' ? `[${quoted(value)}]` : quoted(value);
}

function quoted(value: string): string {
  return `'${value.replaceAll(/['\\]/g, '\\$&')}'`;
}

/** A command, which stays as it is; or a phrase; or a flag, and its value if that is a number, a path or quoted. */
const IN_TEXT =
  /venice-batch [^;,]*|`plan --out`|(?<![^\s`('"])(--[a-z]+(?:-[a-z]+)*)( (?:'[^']*'|[^\s;,]*[/.][^\s;,]*|\d+))?(`?)/g;

/** Replaces names of flags in a text with the equivalent options. Not within a word: a path may contain `--`. */
export function inOptions(text: string): string {
  return text.replace(
    IN_TEXT,
    (whole, flag: string | undefined, value: string | undefined, tick: string | undefined) => {
      const phrase = PHRASES[whole];
      const [option, kind] = OPTION_OF_FLAG[flag ?? ''] ?? [];
      if (phrase !== undefined) return phrase;
      if (flag === undefined || option === undefined) return whole;
      const given = value?.trim().replace(/^'(.*)'$/, '$1');
      if (kind === 'switch' || given === undefined) {
        const named = kind === 'switch' ? `${option}: true` : option;
        return tick === '`' ? `${named}\`` : `\`${named}\`${value ?? ''}`;
      }
      return `\`${option}: ${literal(kind, given)}\`${tick ?? ''}`;
    },
  );
}

/** Rewrites a message and its hint, and nothing else: a prompt may well contain `--`. */
export function inLibraryTerms<T extends { readonly message: string; readonly hint?: string | undefined }>(
  text: T,
): T {
  const { message, hint } = text;
  return { ...text, message: inOptions(message), ...(hint === undefined ? {} : { hint: inOptions(hint) }) };
}

export function eventInLibraryTerms(event: RunEvent): RunEvent {
  return event.type === 'diagnostic' || event.type === 'notice' ? inLibraryTerms(event) : event;
}

export function planInLibraryTerms({ loaded, warnings, prepared, ...rest }: Planned): Planned {
  const { diagnostics } = loaded;
  return {
    ...rest,
    ...(warnings && { warnings: warnings.map(inLibraryTerms) }),
    loaded: { ...loaded, diagnostics: diagnostics.map(inLibraryTerms) },
    ...(prepared && { prepared: { ...prepared, diagnostics: prepared.diagnostics.map(inLibraryTerms) } }),
  };
}

export function errorInLibraryTerms(error: unknown): unknown {
  if (!(error instanceof BatchError)) return error;
  const { code, message, hint, exitCode, cause } = error;
  return new BatchError(code, inOptions(message), { exitCode, hint: hint && inOptions(hint), cause });
}
