import type { Explanations } from './explanation.js';

const NOTHING = 'Nothing was bought.';
const UNTOUCHED = 'It says nothing about the money.';
const RUN = 'venice-batch run album.yaml';
const HELP = 'venice-batch --help';
const CONFIG = 'venice-batch config album.yaml';

const SETTINGS: Explanations = {
  'output-file': {
    title: 'A file to be written would overwrite another one',
    text: 'A flag names a file to be written (--junit, --suggestions, --out) that is the manifest, the lockfile or another file of the run, or one that exists and holds something else.',
    money: NOTHING,
    mend: 'Name a new file, or one that an earlier run wrote for the same flag.',
    next: HELP,
  },
  'folder-not-synced': {
    title: 'The disk cannot sync folders',
    text: 'A file is safe from a power cut once its content and its name are synced. The file system of the output folder (some network and FUSE mounts, all of Windows) syncs content alone, so the name of a file stored last may be lost.',
    money: UNTOUCHED,
    mend: 'Nothing needs to be done. With --keep the remote copies stay, so that a file could be fetched again.',
    next: 'venice-batch verify album.yaml',
  },
  usage: {
    title: 'The command line cannot be understood',
    text: 'A flag has a value that it does not take, or two flags contradict each other. Flags, environment and the file of --env-file are read before anything is done.',
    money: NOTHING,
    mend: 'Correct it as the help line says.',
    next: HELP,
  },
  'base-url': {
    title: 'The endpoint is not an address',
    text: 'An endpoint is an https address; http is taken on this machine only, as the key would travel in the open.',
    money: NOTHING,
    mend: 'Correct --base-url or VENICE_BASE_URL.',
    next: CONFIG,
  },
  'base-url-invalid': {
    title: 'The endpoint is not an address',
    text: 'The same as `base-url`, found on the way to the network.',
    money: NOTHING,
    mend: 'Correct --base-url or VENICE_BASE_URL.',
    next: CONFIG,
  },
  'proxy-invalid': {
    title: 'The proxy is not an address',
    text: 'HTTPS_PROXY names the way to the network, and its text is not an http or https address.',
    money: NOTHING,
    mend: 'Set it to an address, or unset it.',
    next: CONFIG,
  },
  'unknown-code': {
    title: 'No such code',
    text: 'The codes of this program are small words; those in capitals are the words of the service or of the system.',
    money: UNTOUCHED,
    mend: 'Take one of the list.',
    next: 'venice-batch explain',
  },
  'sandbox-port': {
    title: 'The sandbox cannot listen',
    text: 'Another program uses the port, or the system does not let it be used.',
    money: 'The sandbox costs nothing.',
    mend: 'Choose another port.',
    next: 'venice-batch sandbox --port 0',
  },
};

const DISK: Explanations = {
  storage: {
    title: 'The disk refuses',
    text: 'A file or folder cannot be written: the disk is full or read-only, permissions are missing, or a symbolic link is in the way (below the output folder links are not followed; the output folder itself may be one). Buying ends, since what cannot be stored should not be bought.',
    money: 'What was submitted before is paid for, and stays at the service until it is stored here.',
    mend: 'Make room or mend the folder, and run again: it collects, and costs nothing.',
    next: RUN,
  },
  output: {
    title: 'What is printed cannot be written',
    text: 'The disk behind standard output is full or failed. The run itself ended as it would have.',
    money: 'As the lockfile says.',
    mend: 'Make room, and look again.',
    next: 'venice-batch status album.yaml',
  },
  exists: {
    title: 'The file exists already',
    text: '`init` overwrites nothing.',
    money: UNTOUCHED,
    mend: 'Name another file.',
    next: 'venice-batch init other.yaml',
  },
  error: {
    title: 'The disk failed',
    text: 'The system told no reason.',
    money: 'What is paid for stays recorded, and at the service until it is stored here.',
    mend: 'Look after the disk, and run again.',
    next: RUN,
  },
  'file-in-the-way': {
    title: 'A file stands where one was to be stored',
    text: 'It appeared while the track was made, and the lockfile does not know it. It is left alone, and the audio is stored under another name.',
    money: 'The audio is paid for, and stored.',
    mend: 'Move the other file away; the next run moves the audio to its place, for free.',
    next: RUN,
  },
  'move-blocked': {
    title: 'A stored file cannot be moved yet',
    text: 'The name template, a title or the order changed, so stored files move along, for free. Something else stands in the place of this one.',
    money: 'Moving costs nothing, and nothing is bought again for it.',
    mend: 'Move away what the message names.',
    next: RUN,
  },
  'files-moved': {
    title: 'Stored files were moved',
    text: 'The template or the order in the manifest changed: files that were bought before now stand where it wants them.',
    money: 'Nothing is bought again for it.',
    mend: 'Nothing is to be done.',
    next: 'venice-batch status album.yaml',
  },
  'not-moved': {
    title: 'A stored file was not moved',
    text: 'The system did not let it be moved to its new name. It stays where it is, and the lockfile knows it there.',
    money: 'Nothing is bought again for it.',
    mend: 'Check the folder; the next run tries again.',
    next: RUN,
  },
  unexpected: {
    title: 'A bug in venice-batch',
    text: 'Something happened that nobody thought of.',
    money:
      'What was recorded is not lost: every intent and every queue_id is in the lockfile before anything rests on it.',
    mend: 'Look at what is recorded, run again, and report the stack.',
    next: 'venice-batch status album.yaml',
  },
};

export const PROGRAM: Explanations = { ...SETTINGS, ...DISK };
