import { asOperand, commandLine } from '../core/shell.js';
import { isLoopback, shownBaseUrl } from '../node/base-url.js';
import type { Flags, Settings } from './settings.js';

/** Commands to which a next command carries a flag of this one, unless it has one of these words. */
interface Carried {
  readonly to: 'every' | readonly string[];
  readonly unless?: readonly string[];
}

/** For every command that takes a manifest. `models` takes none, and only the flags of the endpoint. */
const BATCH: readonly string[] = [
  ...['run', 'plan', 'collect', 'pull', 'validate', 'status', 'verify', 'review', 'report', 'resolve'],
  ...['accept', 'release', 'qc', 'pick', 'tidy', 'unlock', 'lock repair', 'config'],
];
const COLLECT = ['run', 'collect', 'config'];
const SELECT = ['run', 'plan', 'config'];
const BUY = ['run', 'config'];

/** How to print, which only matters for this command: the user will read the next one's output. */
const OUTPUT: Carried = { to: [] };
/** Says what this one command does; a message that means it again names it. */
const ONCE: Carried = { to: [] };
/** A saved plan contains the selection and the approval, and cannot be combined with another selection. */
const NOT_WITH_PLAN = { to: SELECT, unless: ['--plan'] };

/** For each flag, where it is carried, in the order in which flags are shown. */
export const CARRIED: { readonly [F in keyof Required<Flags>]: Carried } = {
  sandbox: { to: 'every', unless: ['--base-url'] },
  sandboxAs: { to: 'every', unless: ['--base-url'] },
  // Also to those that wait for no audio: the command that they suggest may.
  sandboxSpeed: { to: BATCH, unless: ['--base-url'] },
  baseUrl: { to: 'every', unless: ['--sandbox'] },
  envFile: { to: 'every' },
  lockfile: { to: BATCH },
  outDir: { to: BATCH },
  state: { to: BATCH },
  only: { to: SELECT, unless: ['--plan', '--only'] },
  except: { to: SELECT, unless: ['--plan', '--only'] },
  more: NOT_WITH_PLAN,
  onlyUnpicked: NOT_WITH_PLAN,
  // To buy again is for the user to approve.
  yes: { to: BUY, unless: ['--plan', '--retry-failed', '--force'] },
  acceptPrice: { to: BUY },
  budget: { to: SELECT },
  keep: { to: COLLECT },
  allowSingleCopy: { to: BATCH },
  concurrency: { to: [...COLLECT, 'plan'] },
  timeout: { to: COLLECT },
  junit: { to: COLLECT },
  qcFail: { to: [...COLLECT, 'qc'] },
  failFast: { to: BUY },
  detach: { to: BUY },
  ignoreBalance: { to: SELECT },
  suggestions: { to: BUY },
  live: { to: ['validate'] },
  note: { to: ['pick'], unless: ['--clear'] },
  force: ONCE,
  retryFailed: ONCE,
  plan: ONCE,
  frozen: ONCE,
  out: ONCE,
  report: ONCE,
  clear: ONCE,
  undo: ONCE,
  dryRun: ONCE,
  json: OUTPUT,
  events: OUTPUT,
  progress: OUTPUT,
  color: OUTPUT,
  debug: OUTPUT,
  detailedExitcode: OUTPUT,
};

/**
 * A command for the same manifest, ready to paste, with the flags of this one that `CARRIED` says it needs. A flag in
 * `words` replaces the same flag.
 *
 * @param verb may have two words, such as `lock repair`
 */
export function nextCommandLine(
  verb: string,
  { manifest, flags }: Pick<Settings, 'manifest' | 'flags'>,
  words: readonly string[] = [],
): string {
  const carried = (Object.keys(CARRIED) as (keyof Flags)[]).flatMap((name) => {
    const { to, unless = [] } = CARRIED[name];
    const flag = flagOf(name);
    const isWanted = to === 'every' || to.includes(verb);
    if (!isWanted || [flag, ...unless].some((word) => words.includes(word))) return [];
    return wordsOf(flag, name === 'baseUrl' ? flags.baseUrl && shownBaseUrl(flags.baseUrl) : flags[name]);
  });
  const operand = verb === 'models' ? [] : [operandOf(manifest, verb)];
  return commandLine(['venice-batch', ...verb.split(' '), ...operand, ...words, ...carried]);
}

/**
 * A command line as it was typed, with these words. A flag that begins them replaces the same flag.
 *
 * @param typed without the name of the program
 */
export function sameCommandLine(typed: readonly string[], words: readonly string[]): string {
  const [flag = ''] = words;
  const kept: string[] = [];
  for (let at = 0; at < typed.length; at += 1) {
    const word = typed[at] ?? '';
    const [name = '', value] = word.split(/=(.*)/s);
    if (flag !== '' && name === flag) at += value === undefined ? 1 : 0;
    else if (name === BASE_URL && value !== undefined) kept.push(`${name}=${shownBaseUrl(value)}`);
    else kept.push(typed[at - 1] === BASE_URL ? shownBaseUrl(word) : word);
  }
  const end = kept.indexOf('--');
  return commandLine(['venice-batch', ...kept.toSpliced(end < 0 ? kept.length : end, 0, ...words)]);
}

const BASE_URL = '--base-url';

/**
 * Adds the lockfile's endpoint if nothing else selects it, but only for loopback addresses: the key must not go to
 * whatever address a lockfile names.
 */
export function endpointWords(settings: Settings, endpoint: string | undefined): readonly string[] {
  const reported =
    settings.sandbox || settings.flags.baseUrl !== undefined || settings.baseUrl.value === endpoint;
  const local = endpoint !== undefined && URL.canParse(endpoint) && isLoopback(new URL(endpoint).hostname);
  if (reported || !local) return [];
  return ['--base-url', endpoint];
}

/** `outDir` is `--out-dir`. */
function flagOf(name: string): string {
  return `--${name.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)}`;
}

function wordsOf(flag: string, value: Flags[keyof Flags]): readonly string[] {
  if (value === undefined || value === false) return [];
  if (value === true) return [flag];
  return [value].flat().flatMap((each) => [flag, each]);
}

/** Only two commands read standard input: for the others the manifest has to be saved, under a name we cannot know. */
function operandOf(manifest: string, verb: string): string {
  return manifest === '-' && verb !== 'plan' && verb !== 'validate' ? 'MANIFEST' : asOperand(manifest);
}
