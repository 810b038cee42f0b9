import path from 'node:path';
import { BatchError, EXIT } from '../errors.js';
import type { Files } from '../ports.js';
import { pathText } from '../report/shell.js';
import type { Settings } from './settings.js';

/** A file that a flag names to be written, and how one starts that an earlier run wrote there. */
interface OutputFile {
  readonly flag: string;
  readonly name: string;
  readonly what: string;
  readonly looksLike: RegExp;
}

const HEAD_BYTES = 512;

/**
 * Refuses a file to be written that is another file of the run, or that exists and is of another kind: the manifest,
 * the lockfile, lyrics, audio, whatever a slip of the command line names. Throws `BatchError` (exit 2).
 */
export async function checkOutputFiles(settings: Settings, files: Files, cwd: string): Promise<void> {
  const outputs = outputsOf(settings);
  if (outputs.length === 0) return;
  const taken = new Map<string, string>();
  for (const [name, what] of inputsOf(settings)) taken.set(await files.real(path.resolve(cwd, name)), what);
  for (const output of outputs) {
    const real = await files.real(path.resolve(cwd, output.name));
    const what = taken.get(real) ?? (await otherKind(files, real, output));
    if (what !== undefined) throw refused(output, what);
    taken.set(real, `the file of ${output.flag}`);
  }
}

function outputsOf({ flags: { junit, suggestions, out } }: Settings): readonly OutputFile[] {
  const outputs: OutputFile[] = [];
  const add = (flag: string, name: string | undefined, what: string, looksLike: RegExp) => {
    if (name !== undefined) outputs.push({ flag, name, what, looksLike });
  };
  add('--junit', junit, 'a JUnit report', /^\s*<\?xml/);
  add('--suggestions', suggestions, 'a patch', /^(--- |diff )/);
  add('--out', out, 'a saved plan', /^\s*\{\s*"format":\s*"venice-batch-plan"/);
  return outputs;
}

/** The guard and scratch files of a lockfile have random names, and are nobody's slip. */
function inputsOf(settings: Settings): readonly (readonly [name: string, what: string])[] {
  const { flags } = settings;
  return [
    [settings.manifestPath, 'the manifest'],
    [settings.lockfilePath.value, 'the lockfile'],
    ...(flags.envFile === undefined ? [] : [[flags.envFile, 'the file of --env-file'] as const]),
    ...(flags.plan === undefined ? [] : [[flags.plan, 'the file of --plan'] as const]),
  ];
}

/** What stands there, if it is nothing that such a flag ever wrote. Devices and pipes are written to as they are. */
async function otherKind(files: Files, real: string, { what, looksLike }: OutputFile) {
  const facts = await files.facts(real);
  if (facts?.kind !== 'file' || facts.bytes === 0) return undefined;
  let head = Buffer.alloc(0);
  for await (const piece of files.stream(real)) {
    head = Buffer.concat([head, piece]);
    if (head.length >= HEAD_BYTES) break;
  }
  return looksLike.test(head.toString('utf8')) ? undefined : `a file that is not ${what}`;
}

function refused({ flag, name, what }: OutputFile, standing: string): BatchError {
  return new BatchError('output-file', `${flag} ${pathText(name)} would overwrite ${standing}`, {
    exitCode: EXIT.usage,
    hint: `name a new file, or one that holds ${what}`,
  });
}
