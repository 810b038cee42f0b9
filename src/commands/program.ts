import { Command, Option } from 'commander';
import type { ExitCode } from '../errors.js';
import { packageVersion } from '../version.js';
import type { Flags } from './settings.js';

/** What a command does once its words are understood. Modules are imported only by the command that needs them. */
type Act = (manifest: string, flags: Flags, rest: readonly string[]) => Promise<ExitCode>;

/** The command tree: names, flags, help. `ended` is told the exit code of the command that ran. */
export function createProgram(ended: (code: ExitCode) => void): Command {
  const program = new Command('venice-batch')
    .description(
      'Make a batch of music, jingles, sound effects or narration with Venice from one YAML manifest.',
    )
    .version(packageVersion())
    .showSuggestionAfterError()
    .showHelpAfterError('(add --help for the flags and examples)')
    .helpCommand(true)
    .configureHelp({ showGlobalOptions: true })
    .exitOverride()
    .addHelpText('after', PROGRAM_EXAMPLES);

  const command = (usage: string, description: string, act: Act): Command =>
    program
      .command(usage)
      .description(description)
      .action(async (...words: unknown[]) => {
        // commander hands over the arguments, then the flags, then the command itself.
        const self = words.at(-1) as Command;
        const args = words.slice(0, -2).filter((word): word is string => typeof word === 'string');
        ended(await act(args[0] ?? '', self.opts<Flags>(), args.slice(1)));
      });

  buying(
    command(
      'run <manifest>',
      'check, price, approve, make and download every track; continues an interrupted run',
      lazily(async () => (await import('./run.js')).runCommand),
    ),
  ).addHelpText('after', RUN_EXAMPLES);
  planning(
    command(
      'plan <manifest>',
      'show what a run would do and cost; spends nothing',
      lazily(async () => (await import('./plan.js')).planCommand),
    ),
  );
  collecting(
    command(
      'collect <manifest>',
      'gather what is in flight; never buys',
      lazily(async () => (await import('./run.js')).collectCommand),
    ),
  );
  located(
    command(
      'validate <manifest>',
      'check the manifest offline',
      lazily(async () => (await import('./validate.js')).validateCommand),
    ),
  ).option('--live', 'also check against the live models');
  located(
    command(
      'status <manifest>',
      'what the lockfile says; asks nobody',
      lazily(async () => (await import('./status.js')).statusCommand),
    ),
  );
  located(
    command(
      'verify <manifest>',
      'hash every stored file again',
      lazily(async () => (await import('./verify.js')).verifyCommand),
    ),
  );
  models(
    command(
      'models',
      'what each model can do, and its price',
      lazily(async () => (await import('./models.js')).modelsCommand),
    ),
  );
  command(
    'init [manifest]',
    'write a starter manifest',
    lazily(async () => (await import('./init.js')).initCommand),
  );
  resolving(
    command(
      'resolve <manifest> [attempt]',
      'show attempts in doubt, and say what became of one',
      lazily(async () => (await import('./resolve.js')).resolveCommand),
    ),
  );
  located(
    command(
      'unlock <manifest>',
      'free a lock whose run is gone',
      lazily(async () => (await import('./unlock.js')).unlockCommand),
    ),
  ).option('--force', 'also one held on another host');
  located(
    command(
      'repair <manifest>',
      'mend a lockfile after a merge or damage, losing no queue_id',
      lazily(async () => (await import('./repair.js')).repairCommand),
    ),
  );
  located(
    command(
      'config <manifest>',
      'each setting and where it came from',
      lazily(async () => (await import('./config.js')).configCommand),
    ),
  );
  command(
    'explain [code]',
    'what an error code means and how to mend it',
    lazily(async () => (await import('./explain.js')).explainCommand),
  );
  command('completion <shell>', 'print the completion script for bash, zsh or fish', async (shell) => {
    const { completionCommand } = await import('./completion.js');
    return completionCommand(program, shell);
  });
  command(
    'sandbox',
    'serve the built-in simulator on loopback',
    lazily(async () => (await import('./sandbox.js')).sandboxCommand),
  )
    .option('--port <n>', 'port to listen on; 0 picks a free one', '8377')
    .option('--ledger <path>', 'keep the simulated service in this folder across restarts')
    .option('--sandbox-speed <factor>', 'how many times faster than life it makes audio')
    .option('--no-limit', 'no rate limit');
  return program;
}

function lazily(load: () => Promise<Act>): Act {
  return async (manifest, flags, rest) => (await load())(manifest, flags, rest);
}

/** Flags of everything that has to find a lockfile and a service. */
function located(command: Command): Command {
  return command
    .option('--sandbox', 'use the built-in simulator: no key, no network, no money')
    .option('--sandbox-speed <factor>', 'how many times faster than life the sandbox makes audio')
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

function collecting(command: Command): Command {
  return located(command)
    .option('--concurrency <n>', 'jobs in flight at most (1 to 64)')
    .option('--keep', 'leave the remote media where they are')
    .option('--timeout <minutes>', 'leave what is still in flight then for the next run')
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
    .option('--only <id>', 'buy only these tracks (repeatable, comma-separated, * and ?)', list)
    .option('--except <id>', 'do not buy these tracks (likewise)', list)
    .option('--force <id>', 'make these tracks again though they are done (likewise)', list)
    .option('--retry-failed', 'buy failed, lost, refused and missing tracks again');
}

function buying(command: Command): Command {
  return selecting(collecting(command))
    .option('--yes', 'approve the total without asking; needs a budget outside the sandbox')
    .option('--frozen', 'fail if anything would be bought')
    .option('--fail-fast', 'stop submitting after the first track that fails')
    .option('--detach', 'submit, and leave the collecting to a later run')
    .option('--plan <file>', 'do exactly what a saved plan says')
    .option('--suggestions <file>', 'write prompts suggested by the content policy as a patch');
}

function planning(command: Command): Command {
  return selecting(located(command))
    .option('--concurrency <n>', 'jobs in flight at most (1 to 64)')
    .option('--detailed-exitcode', 'exit 10 if anything would be bought')
    .option('--out <file>', 'save the plan for run --plan');
}

function models(command: Command): Command {
  return command
    .option('--sandbox', 'those of the built-in simulator')
    .option('--base-url <url>', 'another endpoint (also VENICE_BASE_URL)')
    .option('--env-file <path>', 'read VENICE_BASE_URL and others from this file')
    .option('--duration <seconds>', 'show the price for this length')
    .option('--lyrics', 'only models that sing')
    .option('--instrumental', 'only models that can be told not to')
    .option('--voices', 'only models with voices')
    .addOption(new Option('--sort <by>', 'order').choices(['name', 'price']).default('name'))
    .option('--json', 'print one JSON document on stdout')
    .addOption(
      new Option('--color <when>', 'colour the output').choices(['auto', 'always', 'never']).default('auto'),
    )
    .option('--debug', 'show each request and answer, secrets redacted');
}

function resolving(command: Command): Command {
  return located(command)
    .option('--queue-id <id>', 'it was queued: this is its id')
    .option('--charged', 'it was charged, and the audio is lost')
    .option('--not-charged', 'it was not charged')
    .option('--refunded', 'it was charged and refunded')
    .option('--requeue', 'keep its price reserved, and allow a new approved attempt');
}

/** A repeatable, comma-separated flag. */
function list(text: string, before: readonly string[] = []): readonly string[] {
  return [...before, ...text.split(',').filter((word) => word !== '')];
}

const PROGRAM_EXAMPLES = `
Examples:
  $ venice-batch init album.yaml
  $ venice-batch run album.yaml --sandbox --yes     try it: no key, no money
  $ venice-batch plan album.yaml                    what it would cost
  $ venice-batch run album.yaml                     make it; run again to resume

Exit codes: 0 done · 2 usage · 3 invalid · 4 key · 5 budget · 6 balance · 7 locked · 8 in doubt ·
  9 lockfile · 10 would buy · 11 in flight · 12 unavailable · 100 tracks failed · 130/143 interrupted`;

const RUN_EXAMPLES = `
Examples:
  $ venice-batch run album.yaml                          shows the total, asks, makes the album
  $ venice-batch run album.yaml --yes --budget 5.00      unattended, with a ceiling
  $ venice-batch run album.yaml --only 'intro-*'         buy some of it
  $ venice-batch run album.yaml --detach                 queue now, collect later
  $ venice-batch run album.yaml --retry-failed           buy again what failed`;
