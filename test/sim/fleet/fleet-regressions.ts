/** Seeds of several machines that once found a bug, with the bug they found at the time. */
export const FLEET_REGRESSIONS: readonly number[] = [
  // An intent that the user had settled on another machine ended a run with a bug error.
  3600012582, 3700004335,
  // A machine that was suspended deleted the remote copy of a job that another machine had given up meanwhile.
  3600013076,
  // A machine that was suspended after it had read the log deleted a remote copy although others had given the job up.
  3900076783,
  // The first poll did not keep the pause of a 429 that missing files had met when they were fetched again.
  4000073553,
  // The judge wrongly blamed the program: for a file that no record names, for a download that the user can accept, for
  // records of several machines, for a clock that is behind, and for a job that the user named for another attempt.
  3400011558,
  3400009186, 3400019821, 3500000137, 3500006805, 3500007046, 3500011294, 3600040954,
  // The same, for entries that could not be restored after a late write had filled a slot again.
  3900060276,
  // The same, for entries deleted while a suspended run had found the log empty: nobody can notice that in time.
  4100002267,
  // The same, for two machines that recorded one state of one job, each with other bytes.
  4400028983,
  // The same, for a download that failed the checks, and whose job is asked for in every run.
  4400044654,
  // The same, for a request to delete what the service no longer had, and another machine had given up a moment before.
  4600010940,
  // The same, for a job whose id a repair read wrong from a damaged line.
  4800006697, 4800054867,
  // The judge wrongly blamed the program: one machine found nothing more, and another had kept a download.
  5700011216,
  // The doubt about a damaged line was recorded again after the line was damaged a second time, and no run could begin.
  5700053497,
  // The judge wrongly blamed the program: the entry with the user's word was deleted.
  6520003764,
  // The same, for a late write in the place of a deleted entry, and machines that were then lost.
  6520009678,
];
