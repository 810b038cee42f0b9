/** Seeds that once found a fault of the program, at the time of writing with what they found. */
export const REGRESSIONS: readonly number[] = [
  // A run resumed with --keep left a stored take stored for ever.
  9081,
  // A file that took the place of a missing one was moved away as that one's.
  21262, 24283,
  // A file was moved aside for a newcomer that was not the one the lockfile meant.
  36400,
  // A clean-up's record was made from what a move had made old.
  34074,
  // A move between folders could lose the new name and keep the removal of the old one.
  1394, 17055, 37140,
  // A run that waited for a long job looked at a request window that was long over, four times a second.
  82978694, 1956059665,
  // The judge blamed the program: for a limit that the first run did not meet, for a submit held up by a slow disk, and for
  // believing a proxy's 500.
  1956055367,
  1956058887, 1956058055, 1956059904, 875908215,
  // A submit or a clean-up that a slow disk held up left in the pause after a 429.
  1028748715, 1028750910, 1028757385,
  // The judge blamed the program: for bringing a lost lockfile back from a journal.
  964,
];
