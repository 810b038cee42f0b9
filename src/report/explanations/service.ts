import type { Explanation, Explanations } from './explanation.js';

const RUN = 'venice-batch run album.yaml';
const RESOLVE = 'venice-batch resolve album.yaml';
const AGAIN = 'Nothing needs to be done: run again later.';
/** What a lost or useless answer means depends on the request that it answers. */
const LOST_ANSWER =
  'As the answer to a submit: it may have been charged, so it is in doubt, its price stays reserved and it is not sent again. As any other answer: nothing was spent by it.';
const SETTLE =
  'A take in doubt waits for your word: `resolve` shows what the billing history says. All else: run again.';
const PAID = 'It is paid for, and not bought again.';

const FAILED_MONEY =
  'refunded, as the answer or the documentation of the service says; a job that was submitted on an earlier UTC day counts as charged.';
const REFUSED_OR_FAILED = `Refused at the submit: not charged. Of a failed job: ${FAILED_MONEY}`;

function lostAnswer(title: string, text: string): Explanation {
  return { title, text, money: LOST_ANSWER, mend: SETTLE, next: RESOLVE };
}

const ANSWERS: Explanations = {
  html: lostAnswer(
    'A web page instead of an answer',
    'A proxy, a login page or a page of errors answered, not the API.',
  ),
  'not-json': lostAnswer(
    'An answer that is not JSON',
    'Something between here and the API answered, or the API broke.',
  ),
  redirect: lostAnswer(
    'A redirect',
    'The API does not redirect; a redirect is not followed, since the key and the request would go with it. Check VENICE_BASE_URL.',
  ),
  encoding: lostAnswer(
    'A compressed answer',
    'Something between here and the API compressed it, though it was not asked to.',
  ),
  body: lostAnswer('The answer broke off', 'The connection ended in the middle of it.'),
  unknown: lostAnswer('The connection failed', 'The system told no reason.'),
  UND_ERR_ABORTED: lostAnswer(
    'The answer was given up',
    'This side stopped reading: it was too long, not what was asked for, or the run was ended.',
  ),
  DEADLINE: lostAnswer(
    'No answer in time',
    'The service or the network took longer than any such request needs.',
  ),
  PROXY: lostAnswer(
    'No tunnel through the proxy',
    'The proxy of HTTPS_PROXY closed the connection. Nothing was sent.',
  ),
  PROXY_REFUSED: lostAnswer(
    'The proxy refuses the tunnel',
    'The proxy of HTTPS_PROXY answered with another status than 200: 407 means that it wants a user and a password. Nothing was sent.',
  ),
  PROXY_TIMEOUT: lostAnswer(
    'The proxy opens no tunnel',
    'The proxy of HTTPS_PROXY took the connection and said nothing in time. Nothing was sent.',
  ),
  INFORMATIONAL: lostAnswer(
    'No answer but interim ones',
    'The server sent interim answers (1xx) without end.',
  ),
  RESEND: lostAnswer(
    'Not sent a second time',
    'The connection closed while the request was on its way, and would have sent it once more. No request is ever sent twice by itself.',
  ),
  NOT_ALLOWED: {
    title: 'An address that is not asked',
    text: 'The service named a place for the audio that is not https, or that lies behind a proxy that cannot be used.',
    money: PAID,
    mend: 'Run again later: the audio stays at the service.',
    next: RUN,
  },
  not_sent: {
    title: 'Not sent',
    text: 'No connection came about, so that certainly nothing left this machine.',
    money: 'Not charged.',
    mend: 'Check the network, HTTPS_PROXY and VENICE_BASE_URL, and run again.',
    next: RUN,
  },
  service: {
    title: 'The service does not answer as needed',
    text: 'Models, prices or other facts that a plan rests on could not be had, after several tries.',
    money: 'Nothing was bought. What is already paid for is collected all the same.',
    mend: 'Run again later; with 401 or 403 check the key, and VENICE_BASE_URL where it is set.',
    next: RUN,
  },
};

const JOBS: Explanations = {
  'generation-failed': {
    title: 'The generation failed',
    text: 'The job failed at the service, which gave no code of its own.',
    money:
      'As the message says: refunded where the answer says so, or where the service documents it for such a failure; else it counts as charged. If the charge came back all the same, `resolve ATTEMPT --refunded` frees its price.',
    mend: 'Buy it again with --retry-failed, after approval; if it fails again, change the prompt or the model.',
    next: 'venice-batch run album.yaml --retry-failed',
  },
  not_found: {
    title: 'The audio is gone from the service',
    text: 'The service answered three times, over more than half a minute, that it does not know the job (404, or 400 for its id): it expired or was deleted elsewhere.',
    money: 'It was charged; its price counts as spent.',
    mend: 'Buy it again with --retry-failed, after approval. Where it may have been a fault of the service, `resolve ATTEMPT --queue-id ID` with its own id asks once more, at no cost. Audio is kept for a limited time: collect soon.',
    next: 'venice-batch run album.yaml --retry-failed',
  },
  'other-key': {
    title: 'Submitted under another key',
    text: 'A job is found only under the account that submitted it. Under another key its absence means nothing.',
    money: PAID,
    mend: 'Run with the key that submitted it. Two keys of one account see the same jobs.',
    next: 'venice-batch collect album.yaml',
  },
  'other-model': {
    title: 'Another model than was asked for',
    text: 'The service took the submit, and named another model than the request did: an alias, or a successor. All later requests for the job name that one.',
    money:
      'The price that was approved is reserved; what the service charges for the other model, it does not say.',
    mend: 'Nothing needs to be done. To be asked for it by name, put that model into the manifest; the price is quoted anew then.',
    next: 'venice-batch models',
  },
  'file-gone': {
    title: 'A file went missing before its remote copy was deleted',
    text: 'Right before the remote copy is deleted, the local file is read once more. It was removed, or does not match its hash: something else works in the output folder.',
    money: 'It is paid for. Fetching it again costs nothing.',
    mend: 'Nothing needs to be done. Keep other programs out of the output folder while a run goes on.',
    next: 'venice-batch collect album.yaml',
  },
  'still-running': {
    title: 'Still running after hours',
    text: 'This run has watched the job for six hours, and the service says that it still runs.',
    money: PAID,
    mend: 'Run again later: it is collected then.',
    next: 'venice-batch collect album.yaml',
  },
  retrying: {
    title: 'The service is in trouble, and is asked again',
    text: 'It cannot be reached, or answers in a way that leads nowhere. Pauses grow up to a minute; told at most every half minute.',
    money: PAID,
    mend: 'Nothing is to be done, unless the network or a proxy on this side is the cause.',
    next: RUN,
  },
  'no-answer': {
    title: 'No answer for minutes',
    text: 'No request was answered any more, whatever was asked for: the network or the service is down.',
    money: PAID,
    mend: 'See whether the network is up and the address is right, and run again once they are.',
    next: RUN,
  },
  'given-up': {
    title: 'Left for the next run',
    text: 'A job could not be asked for, fetched or cleaned up, time after time.',
    money: PAID,
    mend: AGAIN,
    next: RUN,
  },
  stopping: {
    title: 'Stopping',
    text: 'The run was asked to end. Answers under way, if any, are awaited and recorded, as each may be the only word of a charge. A second signal ends at once.',
    money: 'Nothing more is submitted. What is in flight is paid for and stays at the service.',
    mend: 'Run again: it goes on where it stopped.',
    next: RUN,
  },
  'price-stale': {
    title: 'The price became too old before the submit',
    text: 'The process was stopped, or the machine slept, after the price was asked for. It is asked for again before anything is sent.',
    money: 'Not charged.',
    mend: 'Nothing needs to be done.',
    next: RUN,
  },
  stopped: {
    title: 'Stopped before it was done',
    text: 'The run ended before the request was sent, or in the middle of a download.',
    money:
      'A request that was not sent is not charged. A download that was cut short is made again at no cost.',
    mend: 'Run again: it goes on where it stopped.',
    next: RUN,
  },
};

const MEDIA: Explanations = {
  content_length: {
    title: 'The download is shorter or longer than announced',
    text: 'Not all of the audio came, so it is fetched again.',
    money: PAID,
    mend: AGAIN,
    next: RUN,
  },
  transfer: {
    title: 'The download broke off',
    text: 'The connection ended in the middle of the audio, so it is fetched again.',
    money: PAID,
    mend: AGAIN,
    next: RUN,
  },
  'url-result': {
    title: 'The audio lies elsewhere, and could not be had',
    text: 'The service keeps it on another host, which did not give it.',
    money: PAID,
    mend: AGAIN,
    next: RUN,
  },
  empty: unverified('An empty file', 'The service sent no bytes as the audio, twice.'),
  not_audio: unverified(
    'Not a known kind of audio',
    'The bytes, twice, are no file of a kind that can be checked: MP3, WAV, FLAC, M4A, AAC, Ogg, Opus, WebM or AIFF.',
  ),
  incomplete: unverified(
    'Not a whole audio file',
    'The bytes begin like an audio file and are, twice, shorter than it says, damaged, or followed by what does not belong to it.',
  ),
  too_long: unverified('More bytes than any track', 'The download passed every bound, twice.'),
  'media-type': {
    title: 'Another format than announced',
    text: 'The bytes are audio of another format than the service said. The file is named after its bytes.',
    money: PAID,
    mend: 'Nothing needs to be done.',
    next: 'venice-batch status album.yaml',
  },
  length: {
    title: 'Clearly shorter or longer than asked for',
    text: 'The audio is whole, but not of the length that was asked for. Models take some liberty.',
    money: 'It is paid for by the length that was asked for.',
    mend: 'Listen to it; --force makes it again, for its price.',
    next: 'venice-batch status album.yaml',
  },
};

function unverified(title: string, text: string): Explanation {
  return {
    title,
    text: `${text} The bytes are kept beside the target as \`.unverified\`, and the audio stays at the service.`,
    money: PAID,
    mend: 'Run again: it is fetched once more, at no cost. If the kept file sounds right, `venice-batch accept album.yaml TAKE` takes it as it is.',
    next: RUN,
  };
}

/** Refusals to which the service gave no code of its own, by their status. */
const REFUSALS: Explanations = {
  'http-400': {
    ...refusal(
      'The request is wrong, or the job failed',
      'As the answer to a submit: the service does not take these parameters. Of a job that was queued: its provider refused it.',
      'Correct the track; the message says what is wrong.',
    ),
    money: REFUSED_OR_FAILED,
  },
  'http-401': refusal(
    'The key is refused',
    'The key is wrong, or the account has no right to this model.',
    'Set VENICE_API_KEY to a valid key.',
  ),
  'http-402': refusal(
    'Not enough balance',
    'The balance is used up, or the key has reached its spend limit.',
    'Top up the account or raise the limit.',
  ),
  'http-403': refusal(
    'No access',
    'The key may not use this model, or the account may not use the API.',
    'Allow the model for the key or enable API access for the account, or use another key.',
  ),
  'http-404': refusal(
    'No such model',
    'The service does not offer the model any more.',
    'Choose another: venice-batch models.',
  ),
  'http-409': refusal(
    'Refused as a conflict',
    'The service does not take this request now.',
    'Run again later.',
  ),
  'http-410': refusal(
    'The model is retired',
    'The service no longer offers the model.',
    'Choose another: venice-batch models.',
  ),
  'http-451': refusal(
    'Refused for legal reasons',
    'The service does not make this where you are.',
    'Change the prompt or the model.',
  ),
  'http-413': refusal(
    'The request is too large',
    'Prompt and lyrics together are more than the service takes.',
    'Shorten them.',
  ),
  'http-415': refusal(
    'The request is not understood',
    'Something between here and the API changed the request.',
    'Check the proxy.',
  ),
  'http-422': {
    ...refusal(
      'Refused by the content policy',
      'The prompt or the lyrics are against the rules of the service or of the maker of the model. It may suggest another prompt.',
      'Change the prompt; --suggestions writes what was suggested as a patch of the manifest.',
    ),
    money: REFUSED_OR_FAILED,
  },
  'http-429': refusal(
    'Too many requests',
    'The rate limit is reached, or the model is overloaded. It was tried again after a pause, several times.',
    'Run again later.',
  ),
  'http-503': {
    ...refusal(
      'The model has no room, or the job failed',
      'As the answer to a submit: the model is at capacity, for which it was tried again for some minutes, or offline, for which it was tried for one. Of a job that was queued: the service answered this again and again past the expected time, and means that it failed.',
      'Run again later.',
    ),
    money: REFUSED_OR_FAILED,
  },
  'http-500': {
    ...lostAnswer(
      'The service failed, or the job did',
      'Something broke at the service, before or after the charge. Of a job that was queued: the service answered this again and again past the expected time, and means that it failed.',
    ),
    money: `${LOST_ANSWER} Of a failed job: ${FAILED_MONEY}`,
  },
  'http-502': lostAnswer('The service was not reached', 'A gateway answered in its place.'),
  'http-504': lostAnswer('The service did not answer in time', 'A gateway answered in its place.'),
};

function refusal(title: string, text: string, mend: string): Explanation {
  return { title, text, money: 'Not charged.', mend, next: RUN };
}

export const SERVICE: Explanations = { ...ANSWERS, ...REFUSALS, ...JOBS, ...MEDIA };
