import type { TakeEvent } from '../../events.js';
import type { AttemptState } from '../../lock/attempt.js';
import type { Explanation, Explanations } from './explanation.js';

const RUN = 'venice-batch run album.yaml';
const AGAIN = 'venice-batch run album.yaml --retry-failed';
const RESOLVE = 'venice-batch resolve album.yaml';
const STATUS = 'venice-batch status album.yaml';

type StateName = Exclude<AttemptState | TakeEvent['state'], 'in_doubt'> | 'in-doubt' | 'held';

/** What a take can be, as the screens call it. */
export const STATES: Readonly<Record<StateName, Explanation>> = {
  intent: {
    title: 'A take that is about to be submitted',
    text: 'It is in the lockfile before the request leaves, so that no charge is ever unknown here.',
    money: 'Its price is reserved.',
    mend: 'Nothing needs to be done while the run goes on; after one that was killed it is in doubt.',
    next: RESOLVE,
  },
  submitting: passing('A take that is being submitted', 'Its price is reserved.'),
  waiting: passing('A take that is tried again after a pause', 'Not charged so far.'),
  running: passing('A take that the service works on', 'It is charged, or will be.'),
  downloading: passing('A take that is being fetched', 'It is paid for. Fetching it costs nothing.'),
  queued: {
    title: 'A take that the service makes',
    text: 'The service took it and gave it a queue_id. It is asked for until its audio is there.',
    money: 'It is charged, or will be. It is never bought a second time.',
    mend: 'Nothing needs to be done: any run collects it.',
    next: 'venice-batch collect album.yaml',
  },
  stored: {
    title: 'A take whose file is here',
    text: 'The audio is checked and safe on this disk; its copy at the service is still to be deleted.',
    money: 'It is paid for. Deleting the copy costs nothing.',
    mend: 'Nothing needs to be done: any run deletes it.',
    next: 'venice-batch collect album.yaml',
  },
  held: {
    title: 'A take that is not bought by itself',
    text: 'It failed, was lost or refused before, its file is missing, or a file stands where it would go. The plan marks it with !.',
    money: 'Nothing is bought for it unless you ask for it.',
    mend: 'Do what its line says: buy it again with --retry-failed or --force, put the file back, or move the other file away.',
    next: AGAIN,
  },
  done: {
    title: 'A take that is finished',
    text: 'The file is here, as its hash in the lockfile says, and nothing is owed to the service.',
    money: 'It is paid for, and not bought again unless its request changes or --force says so.',
    mend: 'Nothing needs to be done.',
    next: STATUS,
  },
  rejected: {
    title: 'A take that was refused',
    text: 'The service said no before any charge, the request never left, or a person said that it was not charged.',
    money: 'Not charged; its price is free again.',
    mend: 'Correct the track as its message says; what only met a busy service is offered again by itself.',
    next: RUN,
  },
  failed: {
    title: 'A take whose generation failed',
    text: 'The service took the job and could not make the audio.',
    money:
      '`refunded`: the service or a person said so. `refunded (as documented)`: the service documents that the charge of a job that fails this way comes back. Both free its price. `charged`: neither applies, as for a job that was submitted on an earlier UTC day, whose charge in DIEM stays; `resolve ATTEMPT --refunded` frees its price if it came back all the same.',
    mend: 'Buy it again with --retry-failed, after approval; if it fails again, change the prompt or the model.',
    next: AGAIN,
  },
  lost: {
    title: 'A take that was given up',
    text: 'The audio cannot be had: it is gone from the service, or a person said what became of the money.',
    money: 'It counts as spent, unless it was told to be refunded.',
    mend: 'Buy it again with --retry-failed, after approval.',
    next: AGAIN,
  },
  unverified: {
    title: 'A take whose bytes did not pass the check',
    text: 'They came twice and are no whole audio file. They are kept beside the target as `.unverified`.',
    money: 'It is paid for. Fetching it again costs nothing.',
    mend: 'Run again: it is fetched once more. If the kept file sounds right, `venice-batch accept album.yaml TAKE` takes it as it is. Where it never comes whole, `venice-batch resolve album.yaml ATTEMPT --charged` gives it up; the attempt is in the name of the `.unverified` file.',
    next: RUN,
  },
  'in-doubt': {
    title: 'A take that may have been charged',
    text: 'It was submitted, and no answer that counts came back: nobody here knows whether the service took it.',
    money: 'Its price stays reserved, and it is not sent again on a guess.',
    mend: 'Look at what the billing history says, and say what became of it.',
    next: RESOLVE,
  },
  missing: {
    title: 'A take whose file is gone',
    text: 'It was stored, and is not at its place any more.',
    money: 'It is paid for, and not bought again by itself.',
    mend: 'Put the file back, or buy it again with --retry-failed, after approval.',
    next: AGAIN,
  },
};

/** What stands for many codes that others make: the system's, the network's, the service's. */
export const FAMILIES = {
  connection: {
    title: 'The connection failed',
    text: 'Codes such as ECONNRESET, ETIMEDOUT or UND_ERR_SOCKET are the network speaking: the connection was cut, timed out, or could not be made or trusted.',
    money:
      'After a submit had left: it may have been charged, so it is in doubt, its price stays reserved and it is not sent again. Before, or for any other request: nothing was spent by it.',
    mend: 'A take in doubt waits for your word: `resolve` shows what the billing history says. All else: check the network and run again.',
    next: RESOLVE,
  },
  'http-other': {
    title: 'A status that the API does not document',
    text: 'Something between here and the API answered, or the API broke.',
    money:
      'As the answer to a submit: it may have been charged, so it is in doubt, its price stays reserved and it is not sent again. As any other answer: nothing was spent by it.',
    mend: 'A take in doubt waits for your word: `resolve` shows what the billing history says. All else: run again.',
    next: RESOLVE,
  },
  other: {
    title: 'A word of the service that is no code',
    text: 'The lockfile holds no text of the service, so that only this is left of it.',
    money: 'As the state of the take says: `explain failed`, `explain rejected` or `explain in-doubt`.',
    mend: 'Run it again to see what the service says now.',
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
    text: 'It is so for a while within a run, and told as an event only.',
    money,
    mend: 'Nothing needs to be done.',
    next: STATUS,
  };
}
