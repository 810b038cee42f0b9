import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import type { Command } from 'commander';
import { commandLine } from '../core/shell.js';
import { nextCommandLine } from '../session/next-command-line.js';
import { looseFlags } from './flags.js';

/** Only the start of a file is searched for `tracks:`, and only so many files. */
const CHARACTERS_READ = 4_096;
const FILES_MAX = 50;

const SHELLS = ['bash', 'zsh', 'fish'];

/** What is wrong with a command line, and the command that was probably meant. */
export interface UsageMistake {
  readonly message: string;
  readonly hint?: string;
}

/** For a command line that lacks an argument or a required option: the same line, completed as far as possible. */
export function missingWord(
  command: Command,
  text: string,
  argv: readonly string[],
): UsageMistake | undefined {
  const argument = /^missing required argument '([^']*)'/.exec(text)?.[1];
  if (argument === 'manifest') return missingManifest(command, argv);
  if (argument === 'lockfile' || argument === 'other') return { message: 'name two lockfiles' };
  if (argument === 'shell')
    return {
      message: 'name the shell: bash, zsh or fish',
      hint: SHELLS.map((shell) => commandLine(['venice-batch', 'completion', shell])).join(', or '),
    };
  const manifest = argv.find((word) => /\.(ya?ml|json)$/i.test(word));
  if (manifest === undefined) return undefined;
  if (argument === 'track' || argument === 'take') {
    const status = nextCommandLine('status', { manifest, flags: looseFlags(argv).flags });
    return { message: `name a ${argument}`, hint: `list them: ${status}` };
  }
  if (/^required option '--to /.test(text)) {
    const folder = `${path.basename(manifest, path.extname(manifest))}.release`;
    const line = commandLine(['venice-batch', ...argv, '--to', folder]);
    return { message: '--to is required: the folder to write the release to', hint: line };
  }
  return undefined;
}

function missingManifest(command: Command, argv: readonly string[]): UsageMistake {
  const found = manifestsHere();
  const [only] = found;
  const message = 'name the manifest';
  if (only === undefined) {
    const starts = ['run', 'plan', 'validate'].includes(command.name());
    const none = `${message}: this folder has none`;
    return { message: none, ...(starts ? { hint: 'venice-batch init album.yaml' } : {}) };
  }
  if (found.length > 1) return { message: `${message}: ${found.join(' or ')}` };
  const at = argv.indexOf(command.name()) + 1;
  return { message, hint: commandLine(['venice-batch', ...argv.toSpliced(at, 0, only)]) };
}

/** In the working directory; none if it cannot be listed. */
function manifestsHere(): readonly string[] {
  try {
    return readdirSync('.', { withFileTypes: true })
      .filter((entry) => entry.isFile() && /\.ya?ml$/i.test(entry.name))
      .slice(0, FILES_MAX)
      .filter(({ name }) => /^tracks:/m.test(startOf(name)))
      .map(({ name }) => name);
  } catch {
    return [];
  }
}

function startOf(file: string): string {
  try {
    return readFileSync(file, 'utf8').slice(0, CHARACTERS_READ);
  } catch {
    return '';
  }
}
