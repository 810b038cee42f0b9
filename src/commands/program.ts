import { Command, Help } from 'commander';
import type { ExitCode } from '../core/errors.js';
import { programVersion } from '../node/version.js';
import type { Flags } from '../session/settings.js';
import {
  buying,
  COMMON_OPTIONS,
  choosing,
  collecting,
  located,
  merging,
  planning,
  releasing,
  reporting,
  resolving,
  reviewing,
  serving,
} from './flags.js';
import { refuseGivenTwice } from './given-twice.js';
import { usageErrorFor } from './usage-error.js';

/** Runs a command after its arguments are parsed. */
type Act<F extends Flags> = (subject: string, flags: F, rest: readonly string[]) => Promise<ExitCode>;

/** Imported only by the command that runs, so that `--help` loads nothing. */
type Load<F extends Flags> = () => Promise<Act<F>>;

/**
 * The command tree: names, flags, help. Calls `ended` with the exit code of the command that ran.
 *
 * @param argv what will be parsed, for messages that repeat it
 */
export function createProgram(ended: (code: ExitCode) => void, argv: readonly string[] = []): Command {
  const program = new Command('venice-batch')
    .description(
      'Make a batch of music, jingles, sound effects or narration with Venice from one YAML manifest.',
    )
    .version(programVersion())
    .addHelpText('after', PROGRAM_EXAMPLES);
  strict(program, argv);

  const add = <F extends Flags>(
    usage: string,
    description: string,
    load: Load<F>,
    parent = program,
  ): Command =>
    strict(parent.command(usage).description(description), argv).action(async (...words: unknown[]) => {
      // commander passes the arguments, then the flags, then the command itself.
      const self = words.at(-1) as Command;
      const [subject = '', ...rest] = words.slice(0, -2).filter((word) => typeof word === 'string');
      const act = await load();
      ended(await act(subject, { ...self.opts<F>(), typed: argv }, rest));
    });

  buying(
    add(
      'run <manifest>',
      'check, price, approve, make and download all tracks; resumes an interrupted run',
      async () => (await import('./run-command.js')).runCommand,
    ),
  ).addHelpText('after', RUN_EXAMPLES);
  planning(
    add(
      'plan <manifest>',
      'show what a run would do and cost; spends nothing',
      async () => (await import('./plan-command.js')).planCommand,
    ),
  );
  collecting(
    add(
      'collect <manifest>',
      'download what is already paid for; never buys',
      async () => (await import('./run-command.js')).collectCommand,
    ),
  );
  located(
    add(
      'pull <manifest>',
      'download files that other machines stored, from the audio store of --state',
      async () => (await import('./pull-command.js')).pullCommand,
    ),
  );
  located(
    add(
      'validate <manifest>',
      'check the manifest offline',
      async () => (await import('./validate-command.js')).validateCommand,
    ),
  ).option('--live', 'also check against the current models of the service');
  located(
    add(
      'status <manifest>',
      'show the state of every take; offline',
      async () => (await import('./status-command.js')).statusCommand,
    ),
  );
  located(
    add(
      'verify <manifest>',
      'check every stored file against its hash',
      async () => (await import('./verify-command.js')).verifyCommand,
    ),
  );
  reviewing(
    add(
      'review <manifest>',
      'listen to takes and pick them, in a page in the browser',
      async () => (await import('./review-command.js')).reviewCommand,
    ),
  );
  reporting(
    add(
      'report <manifest>',
      'write the review page, read-only, as one HTML file',
      async () => (await import('./report-command.js')).reportCommand,
    ),
  );
  choosing(
    add(
      'models [model]',
      'list models, what they support, and their prices',
      async () => (await import('./models-command.js')).modelsCommand,
    ),
  );
  add(
    'init [manifest]',
    'write a starter manifest',
    async () => (await import('./init-command.js')).initCommand,
  );
  resolving(
    add(
      'resolve <manifest> [attempt]',
      'list attempts in doubt, or settle one',
      async () => (await import('./resolve-command.js')).resolveCommand,
    ),
  );
  located(
    add(
      'accept <manifest> <take>',
      'accept the audio of an unverified take as it is',
      async () => (await import('./accept-command.js')).acceptCommand,
    ),
  );
  releasing(
    add(
      'release <manifest>',
      'copy the chosen takes to a folder: named, tagged, with checksums',
      async () => (await import('./release-command.js')).releaseCommand,
    ),
  );
  located(
    add(
      'qc <manifest>',
      'measure the sound of every stored file: loudness, clipping, silence, length',
      async () => (await import('./qc-command.js')).qcCommand,
    ),
  ).option('--qc-fail', 'exit 100 if the sound of a file has warnings');
  located(
    add(
      'pick <manifest> <track> [take]',
      'choose the take of a track: a number or a name as status shows it',
      async () => (await import('./pick-command.js')).pickCommand,
    ),
  )
    .option('--note <text>', 'why this one; kept with the pick')
    .option('--clear', 'remove the pick of the track');
  located(
    add(
      'tidy <manifest>',
      'move files that are neither current nor picked to a folder of their own',
      async () => (await import('./tidy-command.js')).tidyCommand,
    ),
  )
    .option('--dry-run', 'show what would be moved')
    .option('--undo', 'move all of them back');
  located(
    add(
      'unlock <manifest>',
      'release the lock of a run that is gone',
      async () => (await import('./unlock-command.js')).unlockCommand,
    ),
  )
    .option('--force', 'also release a lock whose run cannot be checked, such as one on another host')
    .option('--id <lock>', 'with --force: release only this lock, not one that another run has taken since');
  const lock = strict(program.command('lock').description('maintain the lockfile'), argv);
  located(
    add(
      'repair <manifest>',
      'repair it after a merge or damage; keeps every queue_id',
      async () => (await import('./lock-repair-command.js')).repairCommand,
      lock,
    ),
  );
  merging(
    add(
      'merge <lockfile> <other>',
      'join two lockfiles of one manifest; lists what was bought twice',
      async () => (await import('./lock-merge-command.js')).mergeCommand,
      lock,
    ),
  );
  buying(
    add(
      'config <manifest>',
      'show each setting and where it comes from',
      async () => (await import('./config-command.js')).configCommand,
    ),
  );
  add(
    'explain [code]',
    'explain an error code or a state, and how to fix it',
    async () => (await import('./explain-command.js')).explainCommand,
  );
  add('completion <shell>', 'print the completion script for bash, zsh or fish', async () => {
    const { completionCommand } = await import('./completion-command.js');
    return (shell) => completionCommand(program, shell);
  });
  serving(
    add(
      'sandbox',
      'serve the built-in simulator on localhost',
      async () => (await import('./sandbox-command.js')).sandboxCommand,
    ),
  );
  refuseGivenTwice(program, argv);
  return program;
}

/** Usage errors are reported like all others, so commander must neither print nor exit. */
function strict(command: Command, argv: readonly string[]): Command {
  return command
    .exitOverride((ended) => {
      throw ended.exitCode === 0 || ended.code === 'commander.help'
        ? ended
        : usageErrorFor(command, ended.message, argv);
    })
    .showSuggestionAfterError()
    .configureOutput({ outputError: () => {} })
    .configureHelp({ groupItems: ownFirst, minWidthToWrap: 30, subcommandTerm: nameAndArguments })
    .allowExcessArguments(false);
}

/** Leaves room for the description. */
function nameAndArguments(command: Command): string {
  return `${command.name()} ${command.usage().replace('[options] ', '')}`.trim();
}

/** A command's own options come before those that most commands have. */
const ownFirst: Help['groupItems'] = (all, shown, groupOf) => {
  const groups = Help.prototype.groupItems(all, shown, groupOf);
  const common = groups.get(COMMON_OPTIONS);
  if (common === undefined) return groups;
  groups.delete(COMMON_OPTIONS);
  return groups.set(COMMON_OPTIONS, common);
};

const PROGRAM_EXAMPLES = `
Examples:
  $ venice-batch init album.yaml
  $ venice-batch run album.yaml --sandbox --yes     try it: no key, no cost
  $ venice-batch plan album.yaml                    show what it would cost
  $ venice-batch run album.yaml                     buy it; run again to resume

Exit codes: 0 done · 2 usage · 3 invalid · 4 key · 5 budget · 6 balance
  7 locked · 8 in doubt · 9 lockfile · 10 would buy · 11 in flight
  12 unavailable · 100 tracks failed · 130/143 interrupted`;

const RUN_EXAMPLES = `
Examples:
  $ venice-batch run album.yaml                     ask, then make the album
  $ venice-batch run album.yaml --yes --budget 5.00 unattended, within a budget
  $ venice-batch run album.yaml --only 'intro-*'    buy some of the tracks
  $ venice-batch run album.yaml --detach            queue now, collect later
  $ venice-batch run album.yaml --retry-failed      buy again what failed`;
