import type { Explanations } from './explanation.js';

const FREE = 'Picks cost nothing, and nothing is bought or lost through them.';

/** Codes about picks. */
export const CHOOSING: Explanations = {
  'picks-syntax': {
    title: 'The picks file is not YAML',
    text: 'The file `album.picks.yaml` beside the manifest is not valid YAML from this position on, most often after an edit by hand or a merge conflict.',
    money: FREE,
    mend: 'Fix the marked line. After a merge conflict, keep one entry for each track.',
    next: 'venice-batch status album.yaml',
  },
  'picks-invalid': {
    title: 'The picks file has a wrong entry',
    text: 'Below `picks:`, each track has the SHA-256 of the chosen file and, if wanted, a note. Something else is at the marked place.',
    money: FREE,
    mend: 'Fix the marked place, or remove the entry and pick again.',
    next: 'venice-batch status album.yaml',
  },
  'picks-unreadable': {
    title: 'The picks file cannot be read',
    text: 'The file `album.picks.yaml` beside the manifest exists, but cannot be read as text.',
    money: FREE,
    mend: 'Make it a readable UTF-8 file, or move it away to start without picks.',
    next: 'venice-batch status album.yaml',
  },
  'unknown-take': {
    title: 'The track has no such take',
    text: 'A take is named by its number, by its name as `status` shows it (`opening#2`), or by at least four digits of the SHA-256 of its file, for one that a newer request replaced.',
    money: FREE,
    mend: 'Use one of the takes that the message lists.',
    next: 'venice-batch status album.yaml',
  },
  'take-without-file': {
    title: 'The take has no file to pick',
    text: 'A pick is bound to the SHA-256 of a file, and this take has none: it is in flight, failed, or was never made.',
    money: FREE,
    mend: 'Collect it if it is in flight; otherwise pick another take.',
    next: 'venice-batch collect album.yaml',
  },
};
