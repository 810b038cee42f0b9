import { asOperand, commandLine } from '../core/shell.js';
import { shownBaseUrl } from '../node/base-url.js';
import type { Settings } from './settings.js';

/**
 * A command for the same manifest, ready to paste. Keeps the flags that say where things are, what may be bought, and
 * what to do with it, but not how to print (`--json`, `--events`, `--progress`, `--color`, `--debug`): the user will
 * read the next command's output. If `words` name another endpoint or other tracks, they replace the flags for these. `models` takes no
 * manifest, and only the flags of the endpoint.
 *
 * @param verb may have two words, such as `lock repair`
 */
export function nextCommandLine(
  verb: string,
  { manifest, flags }: Pick<Settings, 'manifest' | 'flags'>,
  words: readonly string[] = [],
): string {
  const elsewhere = words.includes('--sandbox') || words.includes('--base-url');
  const endpoint = [
    ...(flags.sandbox === true && !elsewhere ? ['--sandbox'] : []),
    ...(flags.sandboxAs === undefined || elsewhere ? [] : ['--sandbox-as', flags.sandboxAs]),
    ...(flags.baseUrl === undefined || elsewhere ? [] : ['--base-url', shownBaseUrl(flags.baseUrl)]),
    ...(flags.envFile === undefined ? [] : ['--env-file', flags.envFile]),
  ];
  if (verb === 'models') return commandLine(['venice-batch', verb, ...words, ...endpoint]);
  const kept = [
    ...endpoint,
    ...(flags.lockfile === undefined ? [] : ['--lockfile', flags.lockfile]),
    ...(flags.outDir === undefined ? [] : ['--out-dir', flags.outDir]),
    ...(flags.state === undefined || words.includes('--state') ? [] : ['--state', flags.state]),
  ];
  // A saved plan contains the selection, and `--plan` cannot be combined with one.
  const buys = (verb === 'run' || verb === 'plan') && !words.includes('--plan');
  const named = words.includes('--only');
  const chosen = [
    ...(named ? [] : (flags.only ?? [])).flatMap((pattern) => ['--only', pattern]),
    ...(named ? [] : (flags.except ?? [])).flatMap((pattern) => ['--except', pattern]),
    ...(flags.more === undefined ? [] : ['--more', flags.more]),
    ...(flags.onlyUnpicked === true ? ['--only-unpicked'] : []),
    ...(flags.budget === undefined ? [] : ['--budget', flags.budget]),
  ];
  const careful = [
    ...(flags.keep === true && !words.includes('--keep') ? ['--keep'] : []),
    ...(flags.allowSingleCopy === true ? ['--allow-single-copy'] : []),
    ...(flags.concurrency === undefined ? [] : ['--concurrency', flags.concurrency]),
    ...(flags.timeout === undefined ? [] : ['--timeout', flags.timeout]),
    ...(flags.junit === undefined ? [] : ['--junit', flags.junit]),
    ...(flags.qcFail === true ? ['--qc-fail'] : []),
    ...(verb === 'run' ? onlyOfRun(flags) : []),
  ];
  return commandLine([
    'venice-batch',
    ...verb.split(' '),
    operandOf(manifest, verb),
    ...words,
    ...kept,
    ...(buys ? chosen : []),
    ...(verb === 'run' || verb === 'collect' ? careful : []),
  ]);
}

function onlyOfRun(flags: Settings['flags']): readonly string[] {
  return [
    ...(flags.failFast === true ? ['--fail-fast'] : []),
    ...(flags.detach === true ? ['--detach'] : []),
    ...(flags.ignoreBalance === true ? ['--ignore-balance'] : []),
    ...(flags.suggestions === undefined ? [] : ['--suggestions', flags.suggestions]),
  ];
}

/** Only two commands read standard input: for the others the manifest has to be saved, under a name we cannot know. */
function operandOf(manifest: string, verb: string): string {
  return manifest === '-' && verb !== 'plan' && verb !== 'validate' ? 'MANIFEST' : asOperand(manifest);
}
