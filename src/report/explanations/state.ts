import type { Explanations } from './explanation.js';

const STOPPED =
  'Nothing is bought while this lasts. What is already paid for is still collected, and recorded in the local lockfile.';
const RUN = 'venice-batch run album.yaml';
const STATUS = 'venice-batch status album.yaml';

/** The shared log and its stores. */
export const STATE: Explanations = {
  'state-address': {
    title: 'The address of the shared log is not usable',
    text: 'It is s3://bucket/prefix, git:remote or file:///folder, and never holds credentials: it is written into the lockfile.',
    money: STOPPED,
    mend: 'Correct it in --state, VENICE_BATCH_STATE or the manifest. The README has an example of each kind.',
    next: RUN,
  },
  'state-credentials': {
    title: 'There are no credentials for the shared log',
    text: 'S3 needs AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, and AWS_SESSION_TOKEN for temporary credentials. Profiles and instance roles are not read.',
    money: STOPPED,
    mend: 'Set these variables. For a profile, export them with: aws configure export-credentials --format env.',
    next: RUN,
  },
  'state-denied': {
    title: 'Access to the shared log is denied',
    text: 'The store of the shared log does not accept the credentials, or they may not read and write there.',
    money: STOPPED,
    mend: 'Allow these credentials to list, read and write below the address, or set others (AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or the credentials of git).',
    next: RUN,
  },
  'state-expired': {
    title: 'The credentials for the shared log have expired',
    text: 'Temporary credentials (AWS_SESSION_TOKEN) are valid for a limited time, often one hour.',
    money: STOPPED,
    mend: 'Get new ones, for example with a longer duration, and run again.',
    next: RUN,
  },
  'state-missing': {
    title: 'The store of the shared log does not exist',
    text: 'There is no such bucket, repository or folder. It is never created automatically: a typing mistake would start a second log, and buy everything again.',
    money: STOPPED,
    mend: 'Create the bucket, repository or folder, or correct the address.',
    next: RUN,
  },
  'state-unreachable': {
    title: 'The store of the shared log cannot be reached',
    text: 'It gave no useful answer for a minute. A purchase that cannot be claimed there could be made twice.',
    money: STOPPED,
    mend: 'Check the network and the address, and run again.',
    next: RUN,
  },
  'state-unsupported': {
    title: 'The store cannot hold the shared log',
    text: 'It does not support what the log needs: writing an object only if there is none under its name.',
    money: STOPPED,
    mend: 'Use a store that supports conditional writes. The README lists those that were tested.',
    next: RUN,
  },
  'state-unsafe': {
    title: 'The store would let two machines buy the same take',
    text: 'Before the first purchase the store is tested: of several writers of one key exactly one must win. This store let several win, or did not keep what the winner wrote.',
    money: STOPPED,
    mend: 'Use a store that supports conditional writes. The README lists those that were tested.',
    next: RUN,
  },
  'state-altered': {
    title: 'The shared log was changed or lacks an entry',
    text: 'Entries are written once and never changed or deleted. One is missing, damaged or replaced: by hand, by a rule that expires old objects, or by a restore from an older backup. It may have been the record of a paid job.',
    money: STOPPED,
    mend: 'Restore the missing object (many stores keep old versions), and switch off rules that expire or delete objects there.',
    next: STATUS,
  },
  'state-newer-version': {
    title: 'The shared log comes from a newer release',
    text: 'It may contain data that this release would not understand.',
    money: STOPPED,
    mend: 'Update venice-batch to the release that wrote it.',
    next: 'venice-batch --version',
  },
  'state-other-endpoint': {
    title: 'The shared log belongs to another API endpoint',
    text: 'A log is bound to one endpoint, so that jobs of the sandbox or of another service are never mixed with paid ones.',
    money: STOPPED,
    mend: 'Use another address for this shared log, or the --base-url that the log belongs to.',
    next: STATUS,
  },
  'state-other-lineage': {
    title: 'The shared log belongs to another lockfile',
    text: 'The lockfile here and the log at that address have different origins, so each may have bought the same takes.',
    money: STOPPED,
    mend: 'Correct the address of the shared log, or join the two lockfiles first.',
    next: STATUS,
  },
};
