import path from 'node:path';
import { type BatchError, usageError } from '../core/errors.js';
import type { Files } from '../core/ports.js';
import { commandLine, shellWord } from '../core/shell.js';
import { picksFileOf } from './picks.js';
import type { Flags, Settings } from './settings.js';

interface OutputKind {
  /** The flag, or the environment variable. */
  readonly name: string;
  readonly what: string;
  /** How files of this kind start. */
  readonly looksLike: RegExp;
}

interface OutputFile {
  readonly kind: OutputKind;
  readonly file: string;
}

/** The files that flags name to be written, by flag. */
const KINDS = {
  junit: {
    name: '--junit',
    what: 'a JUnit report',
    looksLike: /^\s*(?:<\?xml[^>]*>\s*)?<testsuites?[\s>]/,
  },
  suggestions: {
    name: '--suggestions',
    what: 'a patch',
    looksLike: /^(?:diff .*\n(?:.*\n){0,4}?)?--- .+\n\+\+\+ /,
  },
  out: {
    name: '--out',
    what: 'a saved plan',
    looksLike: /^\s*\{\s*"format":\s*"venice-batch-plan"/,
  },
  report: {
    name: '--out',
    what: 'a report',
    looksLike: /^<!doctype html>\n<!-- venice-batch report -->/,
  },
} as const satisfies Partial<Record<keyof Flags, OutputKind>>;

export type OutputFlag = keyof typeof KINDS;

/** Appended to: existing content stays. */
const STEP_SUMMARY: OutputKind = { name: 'GITHUB_STEP_SUMMARY', what: 'a step summary', looksLike: /^/ };

const HEAD_BYTES = 512;

/**
 * Refuses an output file that is another file of the run, or that exists and is of another kind: the manifest, the
 * lockfile, lyrics, audio, or anything else named by mistake. Also refuses anything but a regular file, including
 * symbolic links, which may lead to one of these. Throws `BatchError` (exit 2).
 */
export async function checkOutputFiles(
  settings: Settings,
  files: Files,
  { cwd, env }: { readonly cwd: string; readonly env: Readonly<Record<string, string | undefined>> },
): Promise<void> {
  const outputs = outputsOf(settings, env);
  if (outputs.length === 0) return;
  const taken = new Map<string, string>();
  const take = async (full: string, what: string) => {
    const real = await files.real(full);
    taken.set(real, what);
    // Also under another name, as a hard link.
    const id = (await files.facts(real))?.id;
    if (id !== undefined) taken.set(id, what);
  };
  for (const [name, what] of inputsOf(settings)) await take(path.resolve(cwd, name), what);
  for (const { kind, file } of outputs) {
    const full = path.resolve(cwd, file);
    const real = await files.real(full);
    const id = (await files.facts(real))?.id ?? real;
    const what = taken.get(real) ?? taken.get(id) ?? ownFolder(real) ?? (await obstacleAt(files, full, kind));
    if (what !== undefined) throw refused(kind, file, what);
    const folder = path.dirname(file);
    if ((await files.facts(path.dirname(real))) === undefined)
      throw usageError(
        `the folder of ${kind.name} ${shellWord(file)} does not exist`,
        `create it: ${commandLine(['mkdir', '-p', folder])}`,
        'output-file',
      );
    await take(full, `the file of ${kind.name}`);
  }
}

/**
 * What is at a path that a flag names to be written, if no such flag would have written it.
 *
 * @param full absolute
 */
export function obstacle(files: Files, full: string, flag: OutputFlag): Promise<string | undefined> {
  return obstacleAt(files, full, KINDS[flag]);
}

async function obstacleAt(
  files: Files,
  full: string,
  { what, looksLike }: OutputKind,
): Promise<string | undefined> {
  const real = await files.real(full);
  const folder = await files.real(path.dirname(full));
  if (real !== path.join(folder, path.basename(full))) return 'the target of a symbolic link';
  const facts = await files.facts(real);
  if (facts?.kind === 'directory') return 'a folder';
  if (facts?.kind === 'other') return 'a pipe or a device';
  if (facts === undefined || facts.bytes === 0) return undefined;
  let head = Buffer.alloc(0);
  for await (const piece of files.stream(real)) {
    head = Buffer.concat([head, piece]);
    if (head.length >= HEAD_BYTES) break;
  }
  return looksLike.test(head.toString('utf8')) ? undefined : `a file that is not ${what}`;
}

function outputsOf(
  { flags }: Settings,
  { GITHUB_STEP_SUMMARY: summary = '' }: Readonly<Record<string, string | undefined>>,
): readonly OutputFile[] {
  const named = (Object.keys(KINDS) as OutputFlag[]).map((flag) => [KINDS[flag], flags[flag]] as const);
  return [...named, [STEP_SUMMARY, summary === '' ? undefined : summary] as const].flatMap(([kind, file]) =>
    file === undefined ? [] : [{ kind, file }],
  );
}

function inputsOf(settings: Settings): readonly (readonly [name: string, what: string])[] {
  const { flags } = settings;
  return [
    [settings.manifestPath, 'the manifest'],
    [settings.lockfilePath.value, 'the lockfile'],
    [picksFileOf(settings), 'the picks file'],
    ...(flags.envFile === undefined ? [] : [[flags.envFile, 'the file of --env-file'] as const]),
    ...(flags.plan === undefined ? [] : [[flags.plan, 'the file of --plan'] as const]),
  ];
}

/** Lock, journal and scratch files beside a lockfile. */
function ownFolder(real: string): string | undefined {
  return real.split(path.sep).includes('.venice-batch') ? 'a file in a `.venice-batch` folder' : undefined;
}

function refused({ name, what }: OutputKind, file: string, existing: string): BatchError {
  return usageError(
    `${name} ${shellWord(file)} would overwrite ${existing}`,
    `name a new file, or one that contains ${what}`,
    'output-file',
  );
}
