import { Command, Option } from 'commander';
import { usageError } from '../core/errors.js';
import type { Flags } from '../session/settings.js';

/*
 * Flags that commands share, grouped by what a command does. Each function adds its own flags and those of the
 * functions below it.
 */

/** Heading in `--help` of the flags that most commands have. */
export const COMMON_OPTIONS = 'Common options:';

/** Flags that may be given several times: their values add up. */
export const REPEATABLE: ReadonlySet<string> = new Set(['--only', '--except', '--force']);

/** Flags of every command that needs a lockfile and a service. */
export function located(command: Command): Command {
  command
    .optionsGroup(COMMON_OPTIONS)
    .option('--sandbox', 'use the built-in simulator: no key, no network, no cost')
    .option('--sandbox-speed <factor>', 'how many times faster than real time the sandbox makes audio')
    .option(
      '--sandbox-as <month>',
      'the API description that the sandbox follows: 2026-10 (default) or 2026-08',
    )
    .option('--base-url <url>', 'use another endpoint (also VENICE_BASE_URL)')
    .option('--env-file <path>', 'read environment variables such as VENICE_API_KEY from this file')
    .option('--lockfile <path>', 'use this lockfile instead of the one next to the manifest')
    .option('--out-dir <path>', 'store files below this folder instead of the manifest folder')
    .option(
      '--state <address>',
      'share the batch between machines: s3://…, git:origin or file:///… (also VENICE_BATCH_STATE)',
    )
    .option('--allow-single-copy', 'with --state git:…: accept that a file is kept on one machine only')
    .option('--json', 'print one JSON document on stdout')
    .addOption(
      new Option('--color <when>', 'when to use colour').choices(['auto', 'always', 'never']).default('auto'),
    )
    .option('--debug', 'show each request and response, with secrets redacted');
  return command.optionsGroup('Options:');
}

export function collecting(command: Command): Command {
  return located(command)
    .option('--concurrency <n>', 'maximum number of jobs in flight (1 to 64)')
    .option('--keep', 'do not delete the remote copies')
    .option(
      '--timeout <minutes>',
      'stop after this long, not counting checks and approval; a later run collects what is in flight',
    )
    .addOption(new Option('--events <format>', 'stream events to stdout').choices(['ndjson']))
    .addOption(
      new Option('--progress <how>', 'how to show progress')
        .choices(['auto', 'tty', 'plain', 'quiet'])
        .default('auto'),
    )
    .option('--junit <file>', 'write a JUnit report')
    .option('--qc-fail', 'fail (exit 100) if the sound of a file has warnings');
}

function selecting(command: Command): Command {
  return command
    .option('--budget <usd>', 'spending limit over the life of the lockfile, in US dollars')
    .option('--only <id>', 'buy only these tracks (repeatable, comma-separated, * and ?)', namesOf('--only'))
    .option('--except <id>', 'do not buy these tracks (same syntax)', namesOf('--except'))
    .option('--force <id>', 'make these tracks again even if they are done (same syntax)', namesOf('--force'))
    .option('--more <n>', 'make n takes of each track beyond `takes` in the manifest')
    .option('--only-unpicked', 'buy only for tracks without a pick')
    .option('--retry-failed', 'buy failed, lost, refused and missing takes again');
}

export function buying(command: Command): Command {
  return selecting(collecting(command))
    .option('--yes', 'approve the total without asking; requires a budget outside the sandbox')
    .option('--accept-price', 'with --yes or --plan: also buy at prices far below the declared ones')
    .option('--ignore-balance', 'buy even if the known balance does not cover the total')
    .option('--frozen', 'fail if anything would be bought or moved; writes only audio from the audio store')
    .option('--fail-fast', 'stop submitting after the first take that fails')
    .option('--detach', 'submit, then exit; a later run collects')
    .option('--plan <file>', 'apply a saved plan exactly')
    .option('--suggestions <file>', 'write prompts suggested by the content policy as a patch file');
}

export function planning(command: Command): Command {
  return selecting(located(command))
    .option('--concurrency <n>', 'maximum number of jobs in flight (1 to 64)')
    .option('--ignore-balance', 'plan even if the known balance does not cover the total')
    .option('--detailed-exitcode', 'exit 10 if anything would be bought')
    .option('--out <file>', 'save the plan for run --plan');
}

export function choosing(command: Command): Command {
  return command
    .option('--sandbox', 'list the models of the built-in simulator')
    .option('--sandbox-as <month>', 'the API description that the sandbox follows: 2026-10, 2026-08')
    .option('--base-url <url>', 'use another endpoint (also VENICE_BASE_URL)')
    .option('--env-file <path>', 'read environment variables such as VENICE_BASE_URL from this file')
    .option('--duration <seconds>', 'show the price for this duration')
    .option('--lyrics', 'only models that sing')
    .option('--instrumental', 'only models that can leave out the vocals')
    .option('--voices', 'only models with voices')
    .addOption(
      new Option('--sort <by>', 'sort order; the price is for --duration, or for 60 seconds')
        .choices(['name', 'price'])
        .default('name'),
    )
    .option('--json', 'print one JSON document on stdout')
    .addOption(
      new Option('--color <when>', 'when to use colour').choices(['auto', 'always', 'never']).default('auto'),
    )
    .option('--debug', 'show each request and response, with secrets redacted');
}

export function merging(command: Command): Command {
  return command
    .option('--out <file>', 'write the result to this file instead of the first lockfile')
    .option('--state <address>', 'if the lockfiles belong to two shared logs: the log to keep using')
    .option('--sandbox', 'use the sandbox lockfiles of the manifests')
    .option('--json', 'print one JSON document on stdout')
    .addOption(
      new Option('--color <when>', 'when to use colour').choices(['auto', 'always', 'never']).default('auto'),
    );
}

export function resolving(command: Command): Command {
  return located(command)
    .option('--queue-id <id>', 'it was queued under this id')
    .option('--charged', 'it was charged, but the audio is lost')
    .option('--not-charged', 'it was not charged')
    .option('--refunded', 'it was charged and refunded')
    .option('--requeue', 'allow a new attempt; its price stays reserved');
}

export function releasing(command: Command): Command {
  return located(command)
    .requiredOption('--to <folder>', 'write the release to this folder, replacing an earlier release')
    .option('--zip', 'also write the release as FOLDER.zip')
    .option('--first', 'release the first take of a track that has several and no pick')
    .option('--dry-run', 'show what would be written');
}

export function reviewing(command: Command): Command {
  return located(command).option('--no-open', 'only print the address, do not open a browser');
}

export function reporting(command: Command): Command {
  return located(command)
    .option('--out <file>', 'write the page to this file')
    .option('--embed', 'put the audio inside the file');
}

/**
 * A repeatable, comma-separated flag. An empty name is usually an unset shell variable: it matches nothing, never
 * everything.
 */
function namesOf(flag: string) {
  return (text: string, before: readonly string[] = []): readonly string[] => {
    const names = text.split(',').map((name) => name.trim());
    if (names.includes(''))
      throw usageError(`${flag} has an empty name`, `name a track, such as ${flag} opening, or omit ${flag}`);
    return [...before, ...names];
  };
}

/** Flags of the simulator as a server. */
export function serving(command: Command): Command {
  return command
    .option('--port <n>', 'port to listen on; 0 picks a free port', '8377')
    .option('--ledger <path>', 'keep the state of the simulated service in this folder')
    .option('--sandbox-speed <factor>', 'how many times faster than real time it makes audio')
    .option('--sandbox-as <month>', 'the API description to follow: 2026-10 (default) or 2026-08')
    .option('--no-limit', 'turn the rate limit off');
}

/** The flags that decide where a failure is reported and which command comes next. */
export type LooseFlags = Pick<
  Flags,
  'json' | 'events' | 'color' | 'junit' | 'envFile' | 'sandbox' | 'baseUrl' | 'lockfile' | 'outDir' | 'state'
>;

/** Reads a command line that may itself be wrong: all flags it knows, and all other words. */
export function looseFlags(argv: readonly string[]): {
  readonly flags: LooseFlags;
  readonly words: readonly string[];
} {
  const loose = new Command()
    .option('--json')
    .option('--sandbox')
    .option('--events [format]')
    .option('--color [when]')
    .option('--junit [file]')
    .option('--env-file [path]')
    .option('--base-url [url]')
    .option('--lockfile [path]')
    .option('--out-dir [path]')
    .option('--state [address]');
  const { operands, unknown } = loose.parseOptions([...argv]);
  // Ignore a flag that is missing its value.
  const given = Object.entries(loose.opts()).filter(
    ([name, value]) => typeof value === 'string' || name === 'json' || name === 'sandbox',
  );
  return { flags: Object.fromEntries(given), words: [...operands, ...unknown] };
}
