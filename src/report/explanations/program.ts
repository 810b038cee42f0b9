import type { Explanations } from './explanation.js';

const NOTHING = 'Nothing was bought.';
const UNTOUCHED = 'This does not affect what was bought.';
const RUN = 'venice-batch run album.yaml';
const HELP = 'venice-batch --help';
const CONFIG = 'venice-batch config album.yaml';

const SETTINGS: Explanations = {
  'output-file': {
    title: 'The output file would overwrite another file',
    text: 'The file given to --junit, --suggestions, --out or GITHUB_STEP_SUMMARY is the manifest, the lockfile or another file of the run, an existing file with other content, or a symbolic link, a pipe or a device.',
    money: NOTHING,
    mend: 'Name a new file, or a file that an earlier run wrote for the same flag.',
    next: HELP,
  },
  'folder-not-synced': {
    title: 'The disk cannot sync folders',
    text: 'A file is safe from a power cut once its content and its name are synced. The file system of the output folder (some network and FUSE mounts, all of Windows) syncs only the content, so the name of the last stored file could be lost.',
    money: UNTOUCHED,
    mend: 'Nothing to do. With --keep the remote copies stay, so that a file can be downloaded again.',
    next: 'venice-batch verify album.yaml',
  },
  usage: {
    title: 'Invalid command line',
    text: 'A flag has an invalid value, or two flags contradict each other. Flags, the environment and the file given to --env-file are read before anything else happens.',
    money: NOTHING,
    mend: 'Correct it as the help line says.',
    next: HELP,
  },
  'base-url': {
    title: 'The endpoint is not a valid address',
    text: 'An endpoint must be an https address. http is allowed only for this machine, because the key would be sent unencrypted.',
    money: NOTHING,
    mend: 'Correct --base-url or VENICE_BASE_URL.',
    next: CONFIG,
  },
  'base-url-invalid': {
    title: 'The endpoint is not a valid address',
    text: 'The same as `base-url`, but found later, when the connection was made.',
    money: NOTHING,
    mend: 'Correct --base-url or VENICE_BASE_URL.',
    next: CONFIG,
  },
  'proxy-invalid': {
    title: 'The proxy is not a valid address',
    text: 'HTTPS_PROXY is set, but is not an http or https address.',
    money: NOTHING,
    mend: 'Set it to a valid address, or unset it.',
    next: CONFIG,
  },
  'unknown-code': {
    title: 'Unknown code',
    text: 'The codes of venice-batch are lowercase words; codes in capitals come from the service or the system.',
    money: UNTOUCHED,
    mend: 'Choose one from the list.',
    next: 'venice-batch explain',
  },
  'sandbox-port': {
    title: 'The sandbox cannot listen on the port',
    text: 'Another program uses the port, or the system does not allow using it.',
    money: 'The sandbox costs nothing.',
    mend: 'Choose another port.',
    next: 'venice-batch sandbox --port 0',
  },
};

const DISK: Explanations = {
  storage: {
    title: 'The disk cannot be written',
    text: 'A file or folder cannot be written: the disk is full or read-only, permissions are missing, or a symbolic link is in the way (links below the output folder are not followed; the output folder itself may be a link). Buying stops, because audio that cannot be stored should not be bought.',
    money: 'Jobs submitted earlier are paid for, and stay at the service until they are stored here.',
    mend: 'Free some space or fix the folder, and run again: it collects at no cost.',
    next: RUN,
  },
  output: {
    title: 'The output cannot be written',
    text: 'The disk behind standard output is full or failed. The run itself ended normally.',
    money: 'See the lockfile: `status` shows it.',
    mend: 'Free some space, and check the status.',
    next: 'venice-batch status album.yaml',
  },
  exists: {
    title: 'The file already exists',
    text: '`init` never overwrites a file.',
    money: UNTOUCHED,
    mend: 'Name another file.',
    next: 'venice-batch init other.yaml',
  },
  error: {
    title: 'The disk failed',
    text: 'The system gave no reason.',
    money: 'What is paid for is recorded, and stays at the service until it is stored here.',
    mend: 'Check the disk, and run again.',
    next: RUN,
  },
  'file-in-the-way': {
    title: 'Another file is at the target',
    text: 'The file appeared while the track was made, and is not in the lockfile. It is left alone, and the audio is stored under another name.',
    money: 'The audio is paid for, and stored.',
    mend: 'Move the other file away. The next run moves the audio to its target, at no cost.',
    next: RUN,
  },
  'move-blocked': {
    title: 'A stored file cannot be moved yet',
    text: 'The name template, a title or the order changed, so stored files are moved to their new names, at no cost. Another file is at the new name of this one.',
    money: 'Moving costs nothing, and nothing is bought again.',
    mend: 'Move away the file named in the message.',
    next: RUN,
  },
  'files-moved': {
    title: 'Stored files were moved',
    text: 'The template or the order in the manifest changed: files bought earlier were moved to their new names.',
    money: 'Nothing is bought again.',
    mend: 'Nothing to do.',
    next: 'venice-batch status album.yaml',
  },
  'not-moved': {
    title: 'A stored file was not moved',
    text: 'The system did not allow moving it to its new name. It stays where it is, and the lockfile still points to it.',
    money: 'Nothing is bought again.',
    mend: 'Check the folder; the next run tries again.',
    next: RUN,
  },
  unexpected: {
    title: 'A bug in venice-batch',
    text: 'Something unexpected happened.',
    money:
      'Nothing recorded is lost: every submit and every queue_id is written to the lockfile before the run relies on it.',
    mend: 'Check the status, run again, and report the stack trace.',
    next: 'venice-batch status album.yaml',
  },
};

export const PROGRAM: Explanations = { ...SETTINGS, ...DISK };
