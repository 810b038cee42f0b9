import { BatchError } from '../core/errors.js';
import type { RunEvent } from '../core/events.js';
import { nextCommandLine } from '../session/command-line.js';
import type { Planned } from '../session/plan-batch.js';
import type { PlaceOptions } from './options.js';

/* The program's messages suggest commands and flags. A program that calls the library needs functions and options. */

/** Commands that exist as functions. The others exist only on the command line. */
const FUNCTIONS: ReadonlySet<string> = new Set(['run', 'plan', 'collect', 'status', 'verify', 'resolve']);

/** Turns a command for the same manifest into the equivalent call. */
export function callFor(manifest: string, place: Omit<PlaceOptions, 'manifest' | 'apiKey'>) {
  return (verb: string, ...words: string[]): string => {
    if (!FUNCTIONS.has(verb)) return nextCommandLine(verb, { manifest, flags: defined(place) }, words);
    const options = { manifest, ...defined(place), ...optionsOf(words) };
    const members = Object.entries(options).map(([name, value]) => `${name}: ${literal(value)}`);
    return `${verb}({ ${members.join(', ')} })`;
  };
}

/** Replaces names of flags in a text with the equivalent options. Commands stay as they are. */
function inOptions(text: string): string {
  // Not within a word: a path may contain `--`.
  return text.replace(
    /venice-batch [^;,]*|(?<![^\s`('"])--([a-z]+(?:-[a-z]+)*)/g,
    (whole, flag: string | undefined) => (flag === undefined ? whole : optionName(flag)),
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

export function planInLibraryTerms({ loaded, prepared, ...rest }: Planned): Planned {
  const { diagnostics } = loaded;
  return {
    ...rest,
    loaded: { ...loaded, diagnostics: diagnostics.map(inLibraryTerms) },
    ...(prepared && { prepared: { ...prepared, diagnostics: prepared.diagnostics.map(inLibraryTerms) } }),
  };
}

export function errorInLibraryTerms(error: unknown): unknown {
  if (!(error instanceof BatchError)) return error;
  const { code, message, hint, exitCode, cause } = error;
  return new BatchError(code, inOptions(message), { exitCode, hint: hint && inOptions(hint), cause });
}

const RENAMED: Readonly<Record<string, string>> = { budget: 'budgetUsd' };

function optionName(flag: string): string {
  return RENAMED[flag] ?? flag.replace(/-([a-z])/g, (_, letter: string) => letter.toUpperCase());
}

/** Parses `--force a --force b --retry-failed` and an attempt before them. */
function optionsOf(words: readonly string[]): Record<string, unknown> {
  const options: Record<string, unknown> = {};
  for (const [at, word] of words.entries()) {
    const next = words[at + 1];
    if (!word.startsWith('--')) {
      if (at === 0) options.attempt = word;
      continue;
    }
    const name = optionName(word.slice(2));
    const value = next === undefined || next.startsWith('--') ? true : next;
    const before = options[name];
    options[name] = LISTS.has(name) ? [...(Array.isArray(before) ? before : []), value] : value;
  }
  const { queueId, charged, notCharged, refunded, requeue, ...rest } = options;
  if (typeof queueId === 'string') return { ...rest, outcome: { kind: 'queue_id', queueId } };
  const said = Object.entries({ charged, not_charged: notCharged, refunded, requeue });
  const kind = said.find(([, value]) => value !== undefined)?.[0];
  return kind === undefined ? rest : { ...rest, outcome: { kind } };
}

const LISTS: ReadonlySet<string> = new Set(['only', 'except', 'force']);

function literal(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(literal).join(', ')}]`;
  if (typeof value === 'object' && value !== null)
    return `{ ${Object.entries(value)
      .map(([name, one]) => `${name}: ${literal(one)}`)
      .join(', ')} }`;
  return typeof value === 'string' ? `'${value.replaceAll(/['\\]/g, '\\$&')}'` : String(value);
}

type Defined<T> = { [K in keyof T]: Exclude<T[K], undefined> };

function defined<T extends object>(options: T): Defined<T> {
  return Object.fromEntries(Object.entries(options).filter(([, value]) => value !== undefined)) as Defined<T>;
}
