import { type Command, Option } from 'commander';
import { BatchError, EXIT } from '../errors.js';

/*
 * Flags that commands share, by what a command does. Each function adds its own and those below it.
 */

/** Flags of everything that has to find a lockfile and a service. */
export function located(command: Command): Command {
  return command
    .option('--sandbox', 'use the built-in simulator: no key, no network, no money')
    .option('--sandbox-speed <factor>', 'how many times faster than life the sandbox makes audio')
    .option(
      '--sandbox-as <month>',
      'the description of the service that the sandbox follows: 2026-10, 2026-08',
    )
    .option('--base-url <url>', 'another endpoint (also VENICE_BASE_URL)')
    .option('--env-file <path>', 'read VENICE_API_KEY and others from this file')
    .option('--lockfile <path>', 'another lockfile than the one beside the manifest')
    .option('--out-dir <path>', 'another output root than the folder of the manifest')
    .option('--json', 'print one JSON document on stdout')
    .addOption(
      new Option('--color <when>', 'colour the output').choices(['auto', 'always', 'never']).default('auto'),
    )
    .option('--debug', 'show each request and answer, secrets redacted');
}

export function collecting(command: Command): Command {
  return located(command)
    .option('--concurrency <n>', 'jobs in flight at most (1 to 64)')
    .option('--keep', 'leave the remote media where they are')
    .option(
      '--timeout <minutes>',
      'from the first submit on; what is in flight then is left for the next run',
    )
    .addOption(new Option('--events <format>', 'stream events on stdout').choices(['ndjson']))
    .addOption(
      new Option('--progress <how>', 'how progress is shown')
        .choices(['auto', 'tty', 'plain', 'quiet'])
        .default('auto'),
    )
    .option('--junit <file>', 'write a JUnit report');
}

function selecting(command: Command): Command {
  return command
    .option('--budget <usd>', "ceiling over the lockfile's whole life, in US dollars")
    .option('--only <id>', 'buy only these tracks (repeatable, comma-separated, * and ?)', namesOf('--only'))
    .option('--except <id>', 'do not buy these tracks (likewise)', namesOf('--except'))
    .option('--force <id>', 'make these tracks again though they are done (likewise)', namesOf('--force'))
    .option('--retry-failed', 'buy failed, lost, refused and missing tracks again');
}

export function buying(command: Command): Command {
  return selecting(collecting(command))
    .option('--yes', 'approve the total without asking; needs a budget outside the sandbox')
    .option('--accept-price', 'with --yes or --plan: also buy at prices far under the declared ones')
    .option('--ignore-balance', 'buy although the known balance does not cover the total')
    .option('--frozen', 'fail if anything would be bought')
    .option('--fail-fast', 'stop submitting after the first track that fails')
    .option('--detach', 'submit, and leave the collecting to a later run')
    .option('--plan <file>', 'do exactly what a saved plan says')
    .option('--suggestions <file>', 'write prompts suggested by the content policy as a patch');
}

export function planning(command: Command): Command {
  return selecting(located(command))
    .option('--concurrency <n>', 'jobs in flight at most (1 to 64)')
    .option('--ignore-balance', 'plan although the known balance does not cover the total')
    .option('--detailed-exitcode', 'exit 10 if anything would be bought')
    .option('--out <file>', 'save the plan for run --plan');
}

export function choosing(command: Command): Command {
  return command
    .option('--sandbox', 'those of the built-in simulator')
    .option('--base-url <url>', 'another endpoint (also VENICE_BASE_URL)')
    .option('--env-file <path>', 'read VENICE_BASE_URL and others from this file')
    .option('--duration <seconds>', 'show the price for this length')
    .option('--lyrics', 'only models that sing')
    .option('--instrumental', 'only models that can be told not to')
    .option('--voices', 'only models with voices')
    .addOption(
      new Option('--sort <by>', 'order; price: that of --duration, else of 60 seconds')
        .choices(['name', 'price'])
        .default('name'),
    )
    .option('--json', 'print one JSON document on stdout')
    .addOption(
      new Option('--color <when>', 'colour the output').choices(['auto', 'always', 'never']).default('auto'),
    )
    .option('--debug', 'show each request and answer, secrets redacted');
}

export function resolving(command: Command): Command {
  return located(command)
    .option('--queue-id <id>', 'it was queued: this is its id')
    .option('--charged', 'it was charged, and the audio is lost')
    .option('--not-charged', 'it was not charged')
    .option('--refunded', 'it was charged and refunded')
    .option('--requeue', 'keep its price reserved, and allow a new approved attempt');
}

/** A repeatable, comma-separated flag. An empty name is most often a shell variable that is not set: it names nothing, never all. */
function namesOf(flag: string) {
  return (text: string, before: readonly string[] = []): readonly string[] => {
    const names = text.split(',').map((name) => name.trim());
    if (names.includes(''))
      throw new BatchError('usage', `${flag} was given an empty name`, {
        exitCode: EXIT.usage,
        hint: `name a track, as ${flag} opening, or leave ${flag} out`,
      });
    return [...before, ...names];
  };
}

/** Flags of the simulator as a server. */
export function serving(command: Command): Command {
  return command
    .option('--port <n>', 'port to listen on; 0 picks a free one', '8377')
    .option('--ledger <path>', 'keep the simulated service in this folder across restarts')
    .option('--sandbox-speed <factor>', 'how many times faster than life it makes audio')
    .option('--sandbox-as <month>', 'the description of the service that it follows: 2026-10, 2026-08')
    .option('--no-limit', 'no rate limit');
}
