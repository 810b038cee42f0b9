/** Seeds that once found a bug, with the bug they found at the time. */
export const REGRESSIONS: readonly number[] = [
  // Zeros that reached from one line of the lockfile into the next left nothing of the second take, and `lock repair`
  // forgot it.
  606,
  1789,
  // The same, for a line that also named the job of another take, and for an end mark that ran into a record.
  32966, 4500008675,
  // A run resumed with --keep left a stored take in that state forever.
  9081,
  // A file that replaced a missing one was moved away as if it were the missing one.
  21262, 24283,
  // To make way for a new file, a file was moved that was not the one in the lockfile.
  36400,
  // A clean-up was recorded with data that a move had made outdated.
  34074,
  // A move between folders could lose the new name and keep the removal of the old one.
  1394, 17055, 37140,
  // A run that waited for a long job checked an expired request window four times a second.
  82978694, 1956059665,
  // The judge wrongly blamed the program: for a limit that the first run did not meet, for a submit delayed by a slow
  // disk, and for believing a proxy's 500.
  1956055367,
  1956058887, 1956058055, 1956059904, 875908215,
  // A submit or a clean-up delayed by a slow disk was sent during the pause after a 429.
  1028748715, 1028750910, 1028757385,
  // The judge wrongly blamed the program: for restoring a lost lockfile from a journal, and for buying after that.
  964,
  800037004,
  // The same, for a file that somebody changed while only the copy of the lockfile named it.
  3100080828,
  // The same, for a file that the user had accepted, and that was out of reach for a while.
  3300020427,
  // The same, for a run that was killed while it wrote that it takes the lock over.
  4700024518,
  // The same, for lines of a pull request that were lost with the lockfile.
  4500001972,
  // The same, for a job that takes longer than all runs, and for two downloads that were cut at the same byte.
  3300043439,
  3300067615,
  // The same, for a clock that leapt in a run that also slept: both gaps count as work, two minutes each.
  3800015955,
  // The same, for a user who gave up a job that a damaged line had named.
  3800078777,
  // A file that a killed run had named but not synced counted as stored, and its remote copy was deleted.
  2100073965,
  // A file that was changed between the last look at it and its sync lost its remote copy.
  3100061209,
  // A rescued record that wins without being newer ended every later run.
  3000084650, 3000092980,
  // A job id that lost characters was adopted from a damaged line.
  5300018835,
  // Judge: a failed job whose answer is unreadable is called lost.
  5300007622,
  // Judge: a run leaves a job after six hours, and it became ready in the same run.
  5100012372,
  // Judge: a forged job that another key submitted is asked for in every run.
  6600000410,
  // A folder that was moved and put back: a submit was sent with its intent only in the journal.
  6600002194,
];
