import type { Explanation, Explanations } from './explanation.js';

const SAFE = 'Nothing is bought until it is mended: without it nobody knows what is already paid for.';
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
    'It is there, and the system does not give it. What cannot be read is never taken for empty.',
    'Make it readable, or restore it from a backup.',
    STATUS,
  ),
  'lockfile-unwritable': unusable(
    'The lockfile cannot be written',
    'The disk is full or read-only, or the file belongs to another user. An intent that is not on disk is not submitted.',
    'Make room, or make the file and its folder writable.',
    RUN,
  ),
  'lockfile-not-a-lockfile': unusable(
    'Not a lockfile',
    'The first line is not the header of a lockfile: the file is damaged, or something else.',
    'Restore it from version control or a backup, or name another with --lockfile.',
    STATUS,
  ),
  'lockfile-newer-version': unusable(
    'The lockfile comes from a newer release',
    'It may hold what this release would lose.',
    'Update venice-batch to the release that wrote it.',
    'venice-batch --version',
  ),
  'lockfile-conflict-markers': unusable(
    'A merge left its marks in the lockfile',
    'Both sides are in the file, and both may hold paid jobs.',
    'Repair it: every queue_id of either side is kept.',
  ),
  'lockfile-second-header': unusable(
    'Two lockfiles in one',
    'A second header stands in the file. Of the same lineage it is a merge, which can be repaired; of another one they are two different lockfiles.',
    'Repair it, or separate the two into files of their own.',
  ),
  'lockfile-duplicate-key': unusable(
    'A field twice in one line',
    'A line of the lockfile was edited or damaged.',
    'Repair it.',
  ),
  'lockfile-bad-line': unusable(
    'A damaged line in the lockfile',
    'A line is not a record. It may be the only word of a paid job, so it is not skipped.',
    'Restore the file from version control or a backup, or repair it: what the line still tells is kept.',
  ),
  'lockfile-checksum': unusable(
    'A line of the lockfile was damaged or edited',
    'Each line carries a checksum, and that of this line does not match. A flipped bit can change what is paid for.',
    'Restore the file from version control or a backup. Where there is none, repair it: what can still be read is kept as it reads, and is named.',
  ),
  'lockfile-incomplete': unusable(
    'Lines of the lockfile are missing',
    'The lockfile ends with a mark that counts its lines, and begins with one while it is new. The mark is gone or does not fit: a sync program or a partial copy cut the file, or lines were edited or resolved by hand in a merge.',
    'Restore the file from version control or a backup. To go on with what is left, repair it: the tracks of missing lines are new again then, so look for them in the billing history before you buy.',
  ),
  'lockfile-too-many-jobs': unusable(
    'Too many jobs under one attempt id',
    'A merge of branches can bring several jobs for one attempt, but not so many. The lines come from elsewhere.',
    'Restore the file from version control or a backup, or repair it: what is too much is set aside in a file.',
  ),
  'lockfile-other-endpoint': unusable(
    'The lockfile belongs to another endpoint',
    'A queue_id means nothing anywhere but at the endpoint that gave it.',
    'Use that endpoint (--base-url), or another lockfile (--lockfile).',
    'venice-batch config album.yaml',
  ),
  'lockfile-replaced': unusable(
    'The lockfile was replaced during the run',
    'Another lockfile took its place (a checkout, a restore). The run stopped buying; what it recorded is kept in a journal in the folder .venice-batch.',
    'Move that one away, and run again: the lockfile is made anew from the journal.',
    RUN,
  ),
  'lockfile-changed': {
    title: 'The lockfile was replaced by that of another run',
    text: 'During the run somebody put another version of the lockfile in its place (a pull, a checkout) that has attempts this run did not know. Both are kept in one file. The plan was made without those attempts, so that a take could be bought twice.',
    money: 'Nothing more was submitted after it was noticed. Everything paid for is recorded and collected.',
    mend: 'Look at the new plan and run again.',
    next: 'venice-batch plan album.yaml',
  },
  'lockfile-beside-link': {
    title: 'A lockfile beside a link to the manifest',
    text: 'A manifest that is reached through a symbolic link uses the lockfile of the real manifest. Here the link has a lockfile beside it as well, from an earlier version or a copy, and each may know of paid jobs that the other does not.',
    money: 'Nothing was bought.',
    mend: 'Name the lockfile that counts with --lockfile (and its output folder with --out-dir), or move the other one away when everything in it is done.',
    next: STATUS,
  },
  'bought-elsewhere': {
    title: 'Bought already, under another lockfile',
    text: 'Another lockfile beside the manifest, the lockfile or the output says that the same takes (track, take and request) were bought. One manifest under two lockfiles buys everything twice.',
    money: 'Nothing was bought.',
    mend: 'Use that lockfile: give its --lockfile to every command of this manifest. To buy the takes once more on purpose, name them with --force.',
    next: STATUS,
  },
  'lockfile-shared': {
    title: 'Two manifests would share a lockfile',
    text: 'The lockfile is named for the manifest without its extension, so that album.yaml and album.yml would both use album.lock.jsonl: each would take the tracks and the spending of the other for its own.',
    money: 'Nothing was bought.',
    mend: 'Rename one of them (its lockfile with it), or name a lockfile of its own with --lockfile.',
    next: STATUS,
  },
  'lockfile-too-large': unusable(
    'The lockfile is full',
    'It would pass 256 MiB.',
    'Start a new manifest for new tracks.',
    STATUS,
  ),
};

const GUARD: Explanations = {
  locked: {
    title: 'Another run holds the lock',
    text: 'One run at a time may use a lockfile, as two could buy the same track.',
    money: 'Nothing was bought by this run.',
    mend: 'Wait for the other run, or end it. If it is gone for sure (another host, a lost container), free its lock.',
    next: 'venice-batch unlock album.yaml',
  },
  'guard-taken-over': {
    title: 'The lock of a dead run was taken over',
    text: 'An earlier run ended without freeing its lock: it was killed, or the machine went down.',
    money: 'What it bought is in the lockfile. What it was submitting at that moment is in doubt.',
    mend: 'Nothing needs to be done.',
    next: STATUS,
  },
  'guard-left': {
    title: 'The lock could not be removed',
    text: 'The file of the lock stays behind. The next run sees that its process is gone, and takes it over.',
    money: 'It says nothing about the money.',
    mend: 'Check the permissions of the folder.',
    next: RUN,
  },
};

const LOST_LOCK: Explanations = {
  'lock-taken': {
    title: 'Another run took the lock',
    text: 'Somebody freed the lock by force, or deleted it, and another run took it while this one was going on. Before each submit a run checks that the lock is still its own.',
    money: 'This run submits nothing more. Everything it submitted is recorded.',
    mend: 'Wait for the other run, then run again.',
    next: RUN,
  },
  'lock-deleted': {
    title: 'The lock was deleted during the run',
    text: 'Somebody removed the file of the lock in the folder .venice-batch. Where the system offers a lock of its own, the file is put back; here it offers none, so another run could have started meanwhile.',
    money: 'This run submits nothing more. Everything it submitted is recorded.',
    mend: 'Leave the folder .venice-batch alone while a run is going on, and run again.',
    next: RUN,
  },
  'lock-unreadable': {
    title: 'The lock could not be checked',
    text: 'Before each submit a run checks that the lock is still its own. The disk did not let it.',
    money: 'This run submits nothing more. Everything it submitted is recorded.',
    mend: 'Check the disk and the permissions of the folder, and run again.',
    next: RUN,
  },
  'lock-unreliable': {
    title: 'This file system cannot lock',
    text: 'It has no hard links and does not refuse to create a file that exists, so nothing keeps two runs apart. The operating system offers no lock of its own either.',
    money: 'Nothing was bought: two runs at once would buy everything twice.',
    mend: 'Put the lockfile on another disk.',
    next: RUN,
  },
};

const RECORDS: Explanations = {
  'lockfile-untidy': {
    title: 'The lockfile could not be put in order',
    text: 'All records are in it and durable. At the end of a run it is rewritten, one line an attempt; the disk refused that.',
    money: 'Nothing is lost.',
    mend: 'Make room or mend the folder. The next run puts it in order.',
    next: STATUS,
  },
  'paid-twice': {
    title: 'A merge brought two paid jobs for one take',
    text: 'Two branches bought the same take. Both are in the lockfile.',
    money: 'Both are paid for. Both are collected.',
    mend: 'Keep the file you like. Let one place alone buy, and share its lockfile.',
    next: STATUS,
  },
  'remote-copy-left': {
    title: 'A remote copy was left to the service',
    text: 'Each line of the lockfile carries a mark that only the API key which made it can write, over the job and the hash of its file. The mark of this line is of another key or of an earlier release, or the line comes from somebody else. Its job may belong to another album, so its remote copy is not deleted.',
    money: 'Nothing is charged for it.',
    mend: 'Nothing needs to be done: the service deletes the copy by itself. Where you do not know the line, look at who changed the lockfile.',
    next: STATUS,
  },
  'rescue-ignored': {
    title: 'A file that looks like a rescue file is ignored',
    text: 'When the disk of the lockfile is full, a record goes into a rescue file in a folder of your own, signed with a key that only you have. This file lies elsewhere, or is not signed with that key: anybody may have written it.',
    money: 'Nothing in it is believed. What is in the lockfile stands.',
    mend: 'Remove it. If it is yours, from another machine or an older release, look up its queue_id and adopt the job with `resolve --queue-id`.',
    next: 'venice-batch resolve album.yaml',
  },
  'rescue-adopted': {
    title: 'Records were brought back',
    text: 'An earlier run could not write the lockfile and put its last records into a file elsewhere. They are in the lockfile again.',
    money: 'They tell of paid jobs, which are collected now.',
    mend: 'Nothing needs to be done.',
    next: STATUS,
  },
  'record-rescued': {
    title: 'A record lies in a rescue file',
    text: 'The lockfile could not be written when the service answered, so the record was put into another folder.',
    money: 'The job is paid for, and its record is safe.',
    mend: 'Free the disk and run again: the rescue file is found by itself.',
    next: RUN,
  },
  'record-lost': {
    title: 'A record could be written nowhere',
    text: 'Neither the lockfile nor any other folder took the record of an answer. The message is the only place that has it.',
    money: 'The job is paid for, and can be collected only under the queue_id of the message.',
    mend: 'Write the queue_id down, free the disk, and tell the lockfile with `resolve --queue-id`.',
    next: RESOLVE,
  },
  'unknown-attempt': {
    title: 'No such attempt, or several',
    text: 'An attempt is named by its id, or by its first digits where only one begins so.',
    money: 'Nothing was changed.',
    mend: 'Give the whole id, as the list shows it.',
    next: RESOLVE,
  },
  'not-unverified': {
    title: 'Nothing of that take can be accepted',
    text: 'Only audio that came and did not pass the check is accepted by a person. A take is named as on the screen: `opening`, `opening#2`.',
    money: 'Nothing was changed.',
    mend: 'Name one of the takes that the message lists.',
    next: STATUS,
  },
  'nothing-to-accept': {
    title: 'The kept bytes are not there',
    text: 'Only the very bytes that came from the service can be accepted. They are gone, were changed, or never came whole.',
    money: 'It is paid for. Fetching it again costs nothing.',
    mend: 'Fetch it again, then accept it before anything else touches the kept file.',
    next: 'venice-batch collect album.yaml',
  },
  'not-in-doubt': {
    title: 'The attempt is not in doubt',
    text: 'What became of it is known, and is not to be overruled.',
    money: 'Nothing was changed.',
    mend: 'A lost or failed one can still be told to be refunded; one in flight whose audio can never be had, to be charged, refunded or queued anew.',
    next: STATUS,
  },
  'queue-id-unknown': {
    title: 'The service does not know this queue_id',
    text: 'Before an id is adopted the service is asked for it once, under the key in use.',
    money: 'Nothing was changed.',
    mend: 'Copy the id again, use the key that submitted the job, or say what else became of the attempt.',
    next: RESOLVE,
  },
  'queue-id-taken': {
    title: 'Two attempts, one queue_id',
    text: 'The id is that of another attempt in the lockfile, and no two jobs have one.',
    money: 'Told by the service to a submit: unknown. Told by you to resolve: nothing was changed.',
    mend: 'Look again which job is missing, in the billing history and in the list of what is in doubt.',
    next: RESOLVE,
  },
  'queue-id-seen': {
    title: 'A queue_id in an answer that counts for nothing',
    text: 'The answer to the submit was none of those that the API documents, and held a queue_id all the same. It may be that of the job, and is taken for nothing by itself.',
    money: 'Unknown: the attempt is in doubt, and its price stays reserved.',
    mend: 'Look the id up in the dashboard. If it is that of the job, tell it to resolve, which asks the service once before it adopts the job.',
    next: RESOLVE,
  },
};

/** Why an attempt is in its state, as the lockfile has it. */
const REASONS: Explanations = {
  run_ended: {
    title: 'The run ended before the answer',
    text: 'The intent is in the lockfile, and what the service answered is not: the run was killed in between.',
    money: 'It may have been charged, so its price stays reserved and it is not sent again.',
    mend: 'Look it up in the billing history; `resolve` shows what is known and settles it.',
    next: RESOLVE,
  },
  resolved_charged: {
    title: 'Said to be charged, without audio',
    text: 'A person resolved a doubtful attempt: it was charged, and its audio cannot be had.',
    money: 'Its price counts as spent.',
    mend: 'Buy it again with --retry-failed if it is still wanted.',
    next: 'venice-batch run album.yaml --retry-failed',
  },
  resolved_not_charged: {
    title: 'Said not to be charged',
    text: 'A person resolved a doubtful attempt: it was not charged.',
    money: 'Its price is free again.',
    mend: 'Nothing needs to be done: the next run may buy it.',
    next: RUN,
  },
  resolved_refunded: {
    title: 'Said to be refunded',
    text: 'A person told that the money came back.',
    money: 'Its price is free again.',
    mend: 'Buy it again with --retry-failed if it is still wanted.',
    next: 'venice-batch run album.yaml --retry-failed',
  },
  requeued: {
    title: 'To be bought again though in doubt',
    text: 'A person allowed a new attempt while what became of the first stays unknown.',
    money: 'The price of the first stays reserved; the new one is bought with approval.',
    mend: 'Nothing needs to be done: the next run offers it.',
    next: RUN,
  },
  custody_broken: {
    title: 'The stored file was removed or changed before the clean-up',
    text: 'Before the remote copy is deleted, the local file is read once more. It was gone or did not match its hash, and the service still has the audio, so it is fetched again.',
    money: 'It is paid for. Fetching it again costs nothing.',
    mend: 'Nothing needs to be done; look after the disk.',
    next: RUN,
  },
};

export const LOCKFILE: Explanations = { ...FILE, ...GUARD, ...LOST_LOCK, ...RECORDS, ...REASONS };
