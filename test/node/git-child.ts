import { systemGit } from '../../src/node/git.js';

/** Asks the repository at `URL_OF_REMOTE`, and exits when stdin ends, as after a second Ctrl-C. */
process.stdin.resume().on('end', () => process.exit(130));
await systemGit(['ls-remote', process.env.URL_OF_REMOTE ?? ''], {
  folder: process.cwd(),
  deadlineMs: 60_000,
});
process.stdout.write('answered');
