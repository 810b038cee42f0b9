import type { Explanations } from './explanation.js';

const UNTOUCHED = 'This does not affect what was bought; a release only reads the files.';
const AGAIN = 'venice-batch release album.yaml --to release';

/** Codes of `release`, and of what the manifest says about it. */
export const RELEASE: Explanations = {
  'cover-path': {
    title: 'The cover is outside the folder of the manifest',
    text: 'The path of `cover` is relative to the folder of the manifest, uses / and stays below that folder, so that the release can be made again on any machine.',
    money: UNTOUCHED,
    mend: 'Copy the picture next to the manifest and name it there.',
    next: 'venice-batch validate album.yaml',
  },
  'cover-unusable': {
    title: 'The cover cannot be used',
    text: 'The file of `cover` is missing, larger than 16 MiB, or neither a JPEG nor a PNG picture.',
    money: UNTOUCHED,
    mend: 'Name a JPEG or PNG picture below the folder of the manifest.',
    next: AGAIN,
  },
  unpicked: {
    title: 'A track has several takes, and none is picked',
    text: 'A release has one take of every track. Of several takes, somebody has to pick one.',
    money: UNTOUCHED,
    mend: 'Pick a take, or add --first to release the first take of such tracks.',
    next: 'venice-batch status album.yaml',
  },
  'pick-unknown': {
    title: 'The picked take is unknown',
    text: 'The picks file names a take by the SHA-256 of its file, and the lockfile knows no file of that track with this hash.',
    money: UNTOUCHED,
    mend: 'Pick another take, or use the lockfile that the picks were made with.',
    next: 'venice-batch status album.yaml',
  },
  'not-made': {
    title: 'A track has no finished take',
    text: 'The release needs a file of every track, and this one was not bought yet, is in flight, or has failed.',
    money: UNTOUCHED,
    mend: 'Run the manifest, or set `release_skip: true` for the track to leave it out.',
    next: 'venice-batch run album.yaml',
  },
  'original-missing': {
    title: 'The file of a take is missing',
    text: 'The lockfile knows the file, but it is not there. A release is made of the very files that were bought.',
    money: UNTOUCHED,
    mend: 'Put the file back, or buy it again with run --retry-failed.',
    next: 'venice-batch verify album.yaml',
  },
  'original-changed': {
    title: 'The file of a take was changed',
    text: 'The file is not the one that was stored: its SHA-256 differs from the one in the lockfile. A release is made of the very files that were bought.',
    money: UNTOUCHED,
    mend: 'Put the original back, or buy it again with run --force.',
    next: 'venice-batch verify album.yaml',
  },
  'release-folder': {
    title: 'The release folder holds something else',
    text: 'A release replaces nothing but an earlier release whose files are all as they were made. The folder (or the ZIP file) holds another file, or one that was changed since.',
    money: UNTOUCHED,
    mend: 'Move the file away, or release to another folder.',
    next: AGAIN,
  },
  'zip-too-large': {
    title: 'The release is too large for a ZIP file',
    text: 'A ZIP file without extensions holds 4 GiB and 65,534 files, and the release has more.',
    money: UNTOUCHED,
    mend: 'Leave --zip out, or set `format: flac` in `release`.',
    next: AGAIN,
  },
};
