import type { TakeEvent } from '../../core/events.js';
import type { AttemptState } from '../../lockfile/attempt.js';
import type { Explanation, Explanations } from './explanation.js';

const RUN = 'venice-batch run album.yaml';
const AGAIN = 'venice-batch run album.yaml --retry-failed';
const RESOLVE = 'venice-batch resolve album.yaml';
const STATUS = 'venice-batch status album.yaml';

type StateName = Exclude<AttemptState | TakeEvent['state'], 'in_doubt'> | 'in-doubt' | 'held';

/** What a take can be, as the screens call it. */
export const STATES: Readonly<Record<StateName, Explanation>> = {
  intent: {
    title: 'A take about to be submitted',
    text: 'It is written to the lockfile before the request is sent, so that no charge goes unrecorded.',
    money: 'Its price is reserved.',
    mend: 'Nothing to do during the run. If the run is killed, the take is in doubt.',
    next: RESOLVE,
  },
  submitting: passing('A take being submitted', 'Its price is reserved.'),
  waiting: passing('A take that will be tried again after a pause', 'Not charged so far.'),
  running: passing('A take in progress at the service', 'It is charged, or will be.'),
  downloading: passing('A take being downloaded', 'It is paid for. Downloading it costs nothing.'),
  queued: {
    title: 'A take queued at the service',
    text: 'The service accepted it and gave it a queue_id. It is polled until its audio is ready.',
    money: 'It is charged, or will be. It is never bought a second time.',
    mend: 'Nothing to do: every run collects it.',
    next: 'venice-batch collect album.yaml',
  },
  stored: {
    title: 'A take whose file is stored',
    text: 'The audio is checked and safely on this disk; the remote copy still has to be deleted.',
    money: 'It is paid for. Deleting the copy costs nothing.',
    mend: 'Nothing to do: every run deletes remote copies.',
    next: 'venice-batch collect album.yaml',
  },
  held: {
    title: 'A take that is not bought automatically',
    text: 'It failed, was lost or refused earlier, its file is missing, or another file is at its target. The plan marks it with !.',
    money: 'It is bought only if you ask for it.',
    mend: 'Follow the hint on its line: buy it again with --retry-failed or --force, put the file back, or move the other file away.',
    next: AGAIN,
  },
  done: {
    title: 'A take that is finished',
    text: 'The file is here and matches its hash in the lockfile, and no remote copy is left to delete.',
    money: 'It is paid for, and is bought again only if its request changes or with --force.',
    mend: 'Nothing to do.',
    next: STATUS,
  },
  rejected: {
    title: 'A take that was refused',
    text: 'The service refused it before charging, the request was never sent, or somebody resolved it as not charged.',
    money: 'Not charged; its price is released.',
    mend: 'Correct the track as the message says. Takes refused because the service was busy are offered again automatically.',
    next: RUN,
  },
  failed: {
    title: 'A take whose generation failed',
    text: 'The service accepted the job but could not make the audio.',
    money:
      '`refunded`: the service or a person said so. `refunded (as documented)`: the service documents that the charge of a job that fails this way comes back. Both release its price. `charged`: neither applies, for example because the job was submitted on an earlier UTC day, so that its charge in DIEM stays; `resolve ATTEMPT --refunded` releases its price if it was refunded anyway.',
    mend: 'Buy it again with --retry-failed, after approval. If it fails again, change the prompt or the model.',
    next: AGAIN,
  },
  lost: {
    title: 'A take that was given up',
    text: 'The audio cannot be retrieved: it is gone from the service, or somebody resolved the take without it.',
    money: 'It counts as spent, unless it was resolved as refunded.',
    mend: 'Buy it again with --retry-failed, after approval.',
    next: AGAIN,
  },
  unverified: {
    title: 'A take whose audio failed the check',
    text: 'Two downloads gave no complete audio file. The bytes are kept next to the target as `.unverified`.',
    money: 'It is paid for. Downloading it again costs nothing.',
    mend: 'Run again to download it once more. If the kept file sounds right, accept it as it is with `venice-batch accept album.yaml TAKE`. If it never arrives complete, `venice-batch resolve album.yaml ATTEMPT --charged` gives it up; the attempt is in the name of the `.unverified` file.',
    next: RUN,
  },
  'in-doubt': {
    title: 'A take that may have been charged',
    text: 'It was submitted, but no clear answer came back: it is not known whether the service accepted it.',
    money: 'Its price stays reserved, and it is not sent again on a guess.',
    mend: 'Check the billing history, and record what happened with `resolve`.',
    next: RESOLVE,
  },
  missing: {
    title: 'A take whose file is missing',
    text: 'It was stored, but is no longer where it was.',
    money: 'It is paid for, and is not bought again automatically.',
    mend: 'Put the file back, or buy it again with --retry-failed, after approval.',
    next: AGAIN,
  },
};

/** What stands for many codes that others make: the system's, the network's, the service's. */
export const FAMILIES = {
  connection: {
    title: 'The connection failed',
    text: 'Codes such as ECONNRESET, ETIMEDOUT or UND_ERR_SOCKET come from the network: the connection was cut, timed out, or could not be made or trusted.',
    money:
      'After a submit was sent: it may have been charged, so it is in doubt, its price stays reserved and it is not sent again. Before that, or for any other request: nothing was spent.',
    mend: 'If a take is in doubt, settle it with `resolve`, which shows what the billing history says. Otherwise check the network and run again.',
    next: RESOLVE,
  },
  'http-other': {
    title: 'A status that the API does not document',
    text: 'Something between you and the API answered, or the API failed.',
    money:
      'After a submit: it may have been charged, so it is in doubt, its price stays reserved and it is not sent again. After any other request: nothing was spent.',
    mend: 'If a take is in doubt, settle it with `resolve`, which shows what the billing history says. Otherwise run again.',
    next: RESOLVE,
  },
  other: {
    title: 'The service gave a reason without a code',
    text: 'The lockfile does not store text from the service, so only this is left.',
    money: 'As the state of the take says: see `explain failed`, `explain rejected` or `explain in-doubt`.',
    mend: 'Run again to see what the service says now.',
    next: STATUS,
  },
} as const satisfies Explanations;

/** Documented words of the service, each with the code under which it is told. */
export const SERVICE_WORDS: Readonly<Record<string, string>> = {
  INSUFFICIENT_BALANCE: 'http-402',
  API_KEY_USD_SPEND_LIMIT_EXCEEDED: 'http-402',
  API_KEY_DIEM_SPEND_LIMIT_EXCEEDED: 'http-402',
  PAYMENT_REQUIRED: 'http-402',
  MODEL_NOT_FOUND: 'http-404',
  MODEL_OVERLOADED: 'http-429',
  MODEL_AT_CAPACITY: 'http-503',
};

/** A state that no run leaves a take in. */
function passing(title: string, money: string): Explanation {
  return {
    title,
    text: 'The state is temporary within a run, and appears in events only.',
    money,
    mend: 'Nothing to do.',
    next: STATUS,
  };
}
