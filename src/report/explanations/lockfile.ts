import type { Explanation, Explanations } from './explanation.js';

const SAFE =
  'Nothing is bought until this is fixed: without the lockfile there is no record of what is already paid for.';
const REPAIR = 'venice-batch lock repair album.yaml';
const STATUS = 'venice-batch status album.yaml';
const RUN = 'venice-batch run album.yaml';
const RESOLVE = 'venice-batch resolve album.yaml';

function unusable(title: string, text: string, mend: string, next = REPAIR): Explanation {
  return { title, text, money: SAFE, mend, next };
}

const FILE: Explanations = {
  'lockfile-unreadable': unusable(
    'The lockfile cannot be read',
    'The file exists, but the system does not allow reading it. An unreadable lockfile is never treated as empty.',
    'Make it readable, or restore it from a backup.',
    STATUS,
  ),
  'lockfile-unwritable': unusable(
    'The lockfile cannot be written',
    'The disk is full or read-only, or the file belongs to another user. Nothing is submitted unless it was recorded on disk first.',
    'Free some space, or make the file and its folder writable.',
    RUN,
  ),
  'lockfile-not-a-lockfile': unusable(
    'Not a lockfile',
    'The first line is not a lockfile header: the file is damaged, or is something else.',
    'Restore it from version control or a backup, or pass another file with --lockfile.',
    STATUS,
  ),
  'lockfile-newer-version': unusable(
    'The lockfile comes from a newer release',
    'It may contain data that this release would lose.',
    'Update venice-batch to the release that wrote it.',
    'venice-batch --version',
  ),
  'lockfile-conflict-markers': unusable(
    'The lockfile contains merge conflict markers',
    'Both sides of the merge are in the file, and both may record paid jobs.',
    'Repair it. Every queue_id of both sides is kept.',
  ),
  'lockfile-second-header': unusable(
    'The file contains two lockfiles',
    'Git merged two lockfiles into one file: two branches of one lockfile, or two first runs that each began one.',
    'Repair it: it becomes one lockfile that keeps every attempt and every queue_id of both, and lists what was bought twice.',
  ),
  'lockfile-duplicate-key': unusable(
    'A field appears twice in one line',
    'A line of the lockfile was edited or damaged.',
    'Repair it.',
  ),
  'lockfile-bad-line': unusable(
    'The lockfile has a damaged line',
    'A line is not a valid record. It may be the only record of a paid job, so it is not skipped.',
    'Restore the file from version control or a backup, or repair it: whatever can still be read from the line is kept.',
  ),
  'lockfile-checksum': unusable(
    'A line of the lockfile was damaged or edited',
    'Each line carries a checksum, and the checksum of this line does not match. A single flipped bit can change what is recorded as paid.',
    'Restore the file from version control or a backup. If there is none, repair it: whatever can still be read is kept and listed.',
  ),
  'lockfile-incomplete': unusable(
    'Lines of the lockfile are missing',
    'The lockfile ends with a line that counts its records, and begins with one while it is new. That line is missing or does not match: a sync program or a partial copy truncated the file, or lines were edited or merged by hand.',
    'Restore the file from version control or a backup. To continue with what is left, repair it. The tracks of the missing lines then count as new, so look for them in the billing history before you buy.',
  ),
  'lockfile-too-many-jobs': unusable(
    'Too many jobs under one attempt id',
    'Merging branches can bring several jobs for one attempt, but not this many. The lines come from somewhere else.',
    'Restore the file from version control or a backup, or repair it: the excess lines are moved to a separate file.',
  ),
  'lockfile-not-merged': unusable(
    'The two lockfiles cannot be merged',
    'They belong to two endpoints, or one of them has more jobs under one attempt id, or comes from more lockfiles, than merges bring.',
    'Keep each in a file of its own, and pass it with --lockfile.',
    STATUS,
  ),
  'lockfile-missing': {
    title: 'There is no lockfile at this path',
    text: '`lock merge` joins two files that exist. One that is only on a branch has to be written to a file first: `git show BRANCH:album.lock.jsonl > theirs.lock.jsonl`.',
    money: 'Nothing was changed.',
    mend: 'Name two lockfiles, or a manifest for the lockfile beside it.',
    next: 'venice-batch lock merge album.lock.jsonl theirs.lock.jsonl',
  },
  'lockfile-other-endpoint': unusable(
    'The lockfile belongs to another endpoint',
    'A queue_id is valid only at the endpoint that issued it.',
    'Use that endpoint (--base-url), or another lockfile (--lockfile).',
    'venice-batch config album.yaml',
  ),
  'lockfile-replaced': unusable(
    'The lockfile was replaced during the run',
    'Another lockfile took its place (a checkout, a restore). The run stopped buying; its records are kept in a journal in the folder .venice-batch.',
    'Move the other lockfile away and run again: the lockfile is rebuilt from the journal.',
    RUN,
  ),
  'lockfile-changed': {
    title: 'The lockfile was replaced by one from another run',
    text: 'During the run another version of the lockfile was put in its place (a pull, a checkout), with attempts that this run did not know. The records of both are kept in one file. The plan did not include those attempts, so a take could have been bought twice.',
    money:
      'Nothing more was submitted after the change was noticed. Everything paid for is recorded and collected.',
    mend: 'Check the new plan and run again.',
    next: 'venice-batch plan album.yaml',
  },
  'lockfile-beside-link': {
    title: 'A lockfile next to a link to the manifest',
    text: 'A manifest reached through a symbolic link uses the lockfile of the real manifest. Here there is also a lockfile next to the link, from an earlier version or a copy. Each may record paid jobs that the other does not.',
    money: 'Nothing was bought.',
    mend: 'Pass the lockfile to use with --lockfile (and its output folder with --out-dir), or move the other one away once everything in it is done.',
    next: STATUS,
  },
  'bought-elsewhere': {
    title: 'Already bought under another lockfile',
    text: 'Another lockfile next to the manifest, the lockfile or the output records that the same takes (track, take and request) were bought. Using two lockfiles for one manifest buys everything twice.',
    money: 'Nothing was bought.',
    mend: 'Use that lockfile: pass it with --lockfile to every command for this manifest. To buy the takes again on purpose, name them with --force.',
    next: STATUS,
  },
  'lockfile-shared': {
    title: 'Two manifests would share a lockfile',
    text: 'The lockfile is named after the manifest without its extension, so album.yaml and album.yml would both use album.lock.jsonl and mix up their tracks and spending.',
    money: 'Nothing was bought.',
    mend: 'Rename one of them (and its lockfile), or give one a separate lockfile with --lockfile.',
    next: STATUS,
  },
  'lockfile-too-large': unusable(
    'The lockfile is full',
    'It would exceed 256 MiB.',
    'Start a new manifest for new tracks.',
    STATUS,
  ),
};

const GUARD: Explanations = {
  locked: {
    title: 'Another run holds the lock',
    text: 'Only one run at a time may use a lockfile, because two could buy the same track.',
    money: 'This run bought nothing.',
    mend: 'Wait for the other run, or stop it. If you are certain that it is gone (another host, a lost container), release its lock.',
    next: 'venice-batch unlock album.yaml',
  },
  'guard-taken-over': {
    title: 'The lock of a dead run was taken over',
    text: 'An earlier run ended without releasing its lock: it was killed, or the machine went down.',
    money: 'What it bought is in the lockfile. What it was submitting at that moment is in doubt.',
    mend: 'Nothing to do.',
    next: STATUS,
  },
  'guard-left': {
    title: 'The lock could not be removed',
    text: 'The lock file was left behind. The next run sees that its process is gone, and takes the lock over.',
    money: 'This does not affect what was bought.',
    mend: 'Check the permissions of the folder.',
    next: RUN,
  },
};

const LOST_LOCK: Explanations = {
  'lock-taken': {
    title: 'Another run took the lock',
    text: 'The lock was released by force or deleted, and another run took it while this one was running. Before each submit, a run checks that it still holds the lock.',
    money: 'This run submits nothing more. Everything it submitted is recorded.',
    mend: 'Wait for the other run, then run again.',
    next: RUN,
  },
  'lock-deleted': {
    title: 'The lock was deleted during the run',
    text: 'The lock file in the folder .venice-batch was removed. Where the operating system offers file locks, the file is put back; here it does not, so another run could have started meanwhile.',
    money: 'This run submits nothing more. Everything it submitted is recorded.',
    mend: 'Leave the folder .venice-batch alone during a run, and run again.',
    next: RUN,
  },
  'lock-unreadable': {
    title: 'The lock could not be checked',
    text: 'Before each submit, a run checks that it still holds the lock. The disk did not allow the check.',
    money: 'This run submits nothing more. Everything it submitted is recorded.',
    mend: 'Check the disk and the permissions of the folder, and run again.',
    next: RUN,
  },
  'lock-unreliable': {
    title: 'This file system does not support locks',
    text: 'It has no hard links and lets an existing file be created again, so nothing keeps two runs apart. The operating system offers no file locks here either.',
    money: 'Nothing was bought: two runs at once would buy everything twice.',
    mend: 'Put the lockfile on another disk.',
    next: RUN,
  },
};

const RECORDS: Explanations = {
  'lockfile-untidy': {
    title: 'The lockfile could not be compacted',
    text: 'All records are in it and safely on disk. At the end of a run the file is rewritten with one line per attempt; the disk did not allow that.',
    money: 'Nothing is lost.',
    mend: 'Free some space or fix the folder. The next run compacts it.',
    next: STATUS,
  },
  'journal-restored': {
    title: 'Records were brought back from a journal',
    text: 'An earlier run was killed. Its journal, in the folder .venice-batch beside the lockfile, has records that the lockfile lacks: the run was killed while it wrote them, or something cut the lockfile or put back an older one since.',
    money: 'What they say is known again. Nothing of it is bought twice.',
    mend: 'Nothing has to be done. If something other than this program changes the lockfile, keep it from doing so during a run.',
    next: STATUS,
  },
  'bought-twice': {
    title: 'A take was bought more than once',
    text: 'The lockfile has more than one live purchase of the same take and request, and none was made on purpose (--force, --retry-failed). Two machines bought it, each with a lockfile that did not know of the other.',
    money:
      'Each purchase is paid for (one in doubt may be), counts against the budget, and is collected. Buying the same take again is not possible without --force.',
    mend: 'Keep the file you prefer. Buy from one place at a time, or share the newest lockfile before each run. An earlier release did not record why a take was made again: a take that it made again with --force is listed here too.',
    next: STATUS,
  },
  'remote-copy-left': {
    title: 'A remote copy was not deleted',
    text: 'Each line of the lockfile carries a signature over the job and the hash of its file, which only the API key that made the job can write. The signature of this line comes from another key or an earlier release, or somebody else wrote the line. The job may belong to another album, so its remote copy is not deleted.',
    money: 'Nothing is charged for it.',
    mend: 'Nothing to do: the service deletes the copy eventually. If you do not recognise the line, find out who changed the lockfile.',
    next: STATUS,
  },
  'rescue-ignored': {
    title: 'A file that looks like a rescue file is ignored',
    text: 'When the disk of the lockfile is full, records go to a rescue file in a private folder of yours, signed with a key that only you have. This file is somewhere else or not signed with that key: anybody could have written it.',
    money: 'Nothing in it is used. Only the lockfile counts.',
    mend: 'Remove it. If it is yours, from another machine or an older release, look up its queue_id and adopt the job with `resolve --queue-id`.',
    next: 'venice-batch resolve album.yaml',
  },
  'rescue-adopted': {
    title: 'Records were recovered',
    text: 'An earlier run could not write the lockfile and saved its last records in a rescue file. They are now back in the lockfile.',
    money: 'They belong to paid jobs, which are collected now.',
    mend: 'Nothing to do.',
    next: STATUS,
  },
  'record-rescued': {
    title: 'A record was saved in a rescue file',
    text: 'The lockfile could not be written when the service answered, so the record was saved in another folder.',
    money: 'The job is paid for, and its record is safe.',
    mend: 'Free some disk space and run again: the rescue file is found automatically.',
    next: RUN,
  },
  'record-lost': {
    title: 'A record could not be saved',
    text: 'Neither the lockfile nor any other folder could store the record of an answer. The error message is the only place that has it.',
    money: 'The job is paid for, and can be collected only with the queue_id in the message.',
    mend: 'Write the queue_id down, free some disk space, and record it with `resolve --queue-id`.',
    next: RESOLVE,
  },
  'unknown-attempt': {
    title: 'No such attempt, or more than one',
    text: 'An attempt is identified by its id, or by the first digits of the id if only one attempt begins with them.',
    money: 'Nothing was changed.',
    mend: 'Give the whole id, as shown in the list.',
    next: RESOLVE,
  },
  'not-unverified': {
    title: 'The take has nothing to accept',
    text: 'You can accept only audio that was downloaded but failed the check. Name a take as shown on the screen: `opening`, `opening#2`.',
    money: 'Nothing was changed.',
    mend: 'Name one of the takes listed in the message.',
    next: STATUS,
  },
  'nothing-to-accept': {
    title: 'The kept file is missing',
    text: 'Only the exact bytes that the service sent can be accepted. They are gone, were changed, or never arrived completely.',
    money: 'It is paid for. Downloading it again costs nothing.',
    mend: 'Download it again, then accept it before anything changes the kept file.',
    next: 'venice-batch collect album.yaml',
  },
  'not-in-doubt': {
    title: 'The attempt is not in doubt',
    text: 'The outcome of the attempt is known and cannot be overridden.',
    money: 'Nothing was changed.',
    mend: 'A lost or failed attempt can still be marked as refunded. An attempt in flight whose audio cannot be retrieved can be marked as charged or refunded, or requeued.',
    next: STATUS,
  },
  'queue-id-unknown': {
    title: 'The service does not know this queue_id',
    text: 'Before a queue_id is adopted, the service is asked about it once, with the current key.',
    money: 'Nothing was changed.',
    mend: 'Copy the id again, use the key that submitted the job, or choose another outcome for the attempt.',
    next: RESOLVE,
  },
  'queue-id-taken': {
    title: 'Two attempts with one queue_id',
    text: 'The id belongs to another attempt in the lockfile, and no two jobs share a queue_id.',
    money:
      'If the service answered a submit with it: unknown. If you passed it to resolve: nothing was changed.',
    mend: 'Check the billing history and the list of takes in doubt to find out which job is missing.',
    next: RESOLVE,
  },
  'queue-id-seen': {
    title: 'A queue_id in an undocumented answer',
    text: 'The answer to the submit is not one that the API documents, but it contains a queue_id. It may be the id of the job, and is not used automatically.',
    money: 'Unknown: the attempt is in doubt, and its price stays reserved.',
    mend: 'Look the id up in the dashboard. If it belongs to the job, pass it to `resolve --queue-id`, which asks the service once before it adopts the job.',
    next: RESOLVE,
  },
};

/** Why an attempt is in its state, as the lockfile has it. */
const REASONS: Explanations = {
  run_ended: {
    title: 'The run ended before the answer',
    text: 'The lockfile records the submit but not the answer of the service: the run was killed in between.',
    money: 'It may have been charged, so its price stays reserved and it is not sent again.',
    mend: 'Look it up in the billing history, and settle it with `resolve`, which shows what is known.',
    next: RESOLVE,
  },
  resolved_charged: {
    title: 'Marked as charged, without audio',
    text: 'Somebody resolved an attempt as charged; its audio cannot be retrieved.',
    money: 'Its price counts as spent.',
    mend: 'Buy it again with --retry-failed if you still want it.',
    next: 'venice-batch run album.yaml --retry-failed',
  },
  resolved_not_charged: {
    title: 'Marked as not charged',
    text: 'Somebody resolved an attempt in doubt as not charged.',
    money: 'Its price is released.',
    mend: 'Nothing to do: the next run can buy it.',
    next: RUN,
  },
  resolved_refunded: {
    title: 'Marked as refunded',
    text: 'Somebody resolved an attempt as refunded.',
    money: 'Its price is released.',
    mend: 'Buy it again with --retry-failed if you still want it.',
    next: 'venice-batch run album.yaml --retry-failed',
  },
  requeued: {
    title: 'Requeued while in doubt',
    text: 'Somebody allowed a new attempt although the outcome of the first one is unknown.',
    money: 'The price of the first attempt stays reserved. The new attempt needs approval.',
    mend: 'Nothing to do: the next run offers it.',
    next: RUN,
  },
  custody_broken: {
    title: 'The stored file was removed or changed before the clean-up',
    text: 'Before the remote copy is deleted, the local file is read once more. It was missing or did not match its hash, and the service still has the audio, so it is downloaded again.',
    money: 'It is paid for. Downloading it again costs nothing.',
    mend: 'Nothing to do, but check the disk.',
    next: RUN,
  },
};

export const LOCKFILE: Explanations = { ...FILE, ...GUARD, ...LOST_LOCK, ...RECORDS, ...REASONS };
