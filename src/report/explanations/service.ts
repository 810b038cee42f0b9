import type { Explanation, Explanations } from './explanation.js';

const RUN = 'venice-batch run album.yaml';
const RESOLVE = 'venice-batch resolve album.yaml';
const AGAIN = 'Nothing to do: run again later.';
/** What a lost or useless answer means depends on the request that it answers. */
const LOST_ANSWER =
  'After a submit: it may have been charged, so it is in doubt, its price stays reserved and it is not sent again. After any other request: nothing was spent.';
const SETTLE =
  'If a take is in doubt, settle it with `resolve`, which shows what the billing history says. Otherwise run again.';
const PAID = 'It is paid for, and not bought again.';

const FAILED_MONEY =
  'refunded if the answer or the documentation of the service says so; a job submitted on an earlier UTC day counts as charged.';
const REFUSED_OR_FAILED = `Refused at the submit: not charged. For a failed job: ${FAILED_MONEY}`;

function lostAnswer(title: string, text: string): Explanation {
  return { title, text, money: LOST_ANSWER, mend: SETTLE, next: RESOLVE };
}

const ANSWERS: Explanations = {
  html: lostAnswer(
    'A web page instead of an answer',
    'A proxy, a login page or an error page answered instead of the API.',
  ),
  'not-json': lostAnswer(
    'The answer is not JSON',
    'Something between you and the API answered, or the API failed.',
  ),
  redirect: lostAnswer(
    'The answer is a redirect',
    'The API does not redirect. Redirects are not followed, because the key and the request would be sent to another address. Check VENICE_BASE_URL.',
  ),
  encoding: lostAnswer(
    'The answer is compressed',
    'Something between you and the API compressed the answer in a way that was not asked for.',
  ),
  body: lostAnswer('The answer was cut off', 'The connection ended in the middle of the answer.'),
  unknown: lostAnswer('The connection failed', 'The system gave no reason.'),
  UND_ERR_ABORTED: lostAnswer(
    'The answer was abandoned',
    'The program stopped reading: the answer was too long or not what was asked for, or the run was ended.',
  ),
  DEADLINE: lostAnswer(
    'No answer in time',
    'The service or the network took longer than such a request ever needs.',
  ),
  PROXY: lostAnswer(
    'No tunnel through the proxy',
    'The proxy set in HTTPS_PROXY closed the connection. Nothing was sent.',
  ),
  PROXY_REFUSED: lostAnswer(
    'The proxy refused the tunnel',
    'The proxy set in HTTPS_PROXY did not answer with status 200; 407 means that it requires a user name and a password. Nothing was sent.',
  ),
  PROXY_TIMEOUT: lostAnswer(
    'The proxy did not open the tunnel in time',
    'The proxy set in HTTPS_PROXY accepted the connection but did not answer in time. Nothing was sent.',
  ),
  INFORMATIONAL: lostAnswer('Only interim answers', 'The server kept sending interim answers (1xx).'),
  RESEND: lostAnswer(
    'Not sent a second time',
    'The connection closed while the request was on its way, and the request would have been sent again. No request is sent twice automatically.',
  ),
  NOT_ALLOWED: {
    title: 'Address not allowed',
    text: 'The service gave an address for the audio that is not https, or that needs a proxy that cannot be used.',
    money: PAID,
    mend: 'Run again later: the audio stays at the service.',
    next: RUN,
  },
  not_sent: {
    title: 'Not sent',
    text: 'No connection could be made, so nothing left this machine.',
    money: 'Not charged.',
    mend: 'Check the network, HTTPS_PROXY and VENICE_BASE_URL, and run again.',
    next: RUN,
  },
  service: {
    title: 'The service is not usable right now',
    text: 'Models, prices or other data that a plan needs could not be fetched, after several tries.',
    money: 'Nothing was bought. Takes already paid for are still collected.',
    mend: 'Run again later. For 401 or 403 check the key, and VENICE_BASE_URL if it is set.',
    next: RUN,
  },
};

const JOBS: Explanations = {
  'generation-failed': {
    title: 'The generation failed',
    text: 'The job failed at the service, which gave no error code.',
    money:
      'As the message says: refunded if the answer says so, or if the service documents it for such a failure; otherwise it counts as charged. If the charge was refunded anyway, `resolve ATTEMPT --refunded` releases its price.',
    mend: 'Buy it again with --retry-failed, after approval. If it fails again, change the prompt or the model.',
    next: 'venice-batch run album.yaml --retry-failed',
  },
  not_found: {
    title: 'The audio is gone from the service',
    text: 'The service answered three times, over more than half a minute, that it does not know the job (404, or 400 for its id): it expired or was deleted elsewhere.',
    money: 'It was charged; its price counts as spent.',
    mend: 'Buy it again with --retry-failed, after approval. If the service may have been at fault, `resolve ATTEMPT --queue-id ID` with the same id asks once more, at no cost. The service keeps audio for a limited time, so collect soon.',
    next: 'venice-batch run album.yaml --retry-failed',
  },
  'other-key': {
    title: 'Submitted under another key',
    text: 'A job can be found only with a key of the account that submitted it. If another key does not find it, that proves nothing.',
    money: PAID,
    mend: 'Run with the key that submitted it. Two keys of one account see the same jobs.',
    next: 'venice-batch collect album.yaml',
  },
  'other-model': {
    title: 'The service used another model',
    text: 'The service accepted the submit but named another model than the request did: an alias or a successor. All later requests for the job use that name.',
    money: 'The approved price is reserved. The service does not say what it charges for the other model.',
    mend: 'Nothing to do. To request that model by name, put it into the manifest; its price is then quoted.',
    next: 'venice-batch models',
  },
  'file-gone': {
    title: 'A file went missing before its remote copy was deleted',
    text: 'Right before the remote copy is deleted, the local file is read once more. It was removed or does not match its hash: another program changes the output folder.',
    money: 'It is paid for. Downloading it again costs nothing.',
    mend: 'Nothing to do. Keep other programs out of the output folder during a run.',
    next: 'venice-batch collect album.yaml',
  },
  'still-running': {
    title: 'Still running after hours',
    text: 'This run has polled the job for six hours, and the service says that it is still running.',
    money: PAID,
    mend: 'Run again later to collect it.',
    next: 'venice-batch collect album.yaml',
  },
  retrying: {
    title: 'The service is failing; trying again',
    text: 'It cannot be reached, or its answers are not usable. Pauses between tries grow to a minute. This notice appears at most every half minute.',
    money: PAID,
    mend: 'Nothing to do, unless the cause is your network or proxy.',
    next: RUN,
  },
  'no-answer': {
    title: 'No answer for minutes',
    text: 'No request was answered any more: the network or the service is down.',
    money: PAID,
    mend: 'Check that the network is up and the address is right, then run again.',
    next: RUN,
  },
  'given-up': {
    title: 'Left for the next run',
    text: 'Polling, downloading or cleaning up a job failed several times in a row.',
    money: PAID,
    mend: AGAIN,
    next: RUN,
  },
  stopping: {
    title: 'Stopping',
    text: 'The run was asked to stop. It waits for answers on the way and records them, because each could be the only record of a charge. A second signal stops at once.',
    money: 'Nothing more is submitted. What is in flight is paid for and stays at the service.',
    mend: 'Run again to continue where it stopped.',
    next: RUN,
  },
  'price-stale': {
    title: 'The price became too old before the submit',
    text: 'The process was stopped, or the machine slept, after the price was quoted. The price is quoted again before anything is sent.',
    money: 'Not charged.',
    mend: 'Nothing to do.',
    next: RUN,
  },
  stopped: {
    title: 'Stopped before it was done',
    text: 'The run ended before the request was sent, or during a download.',
    money: 'A request that was not sent is not charged. An interrupted download is repeated at no cost.',
    mend: 'Run again to continue where it stopped.',
    next: RUN,
  },
};

const MEDIA: Explanations = {
  content_length: {
    title: 'The download is shorter or longer than announced',
    text: 'Not all of the audio arrived, so it is downloaded again.',
    money: PAID,
    mend: AGAIN,
    next: RUN,
  },
  transfer: {
    title: 'The download was cut off',
    text: 'The connection ended in the middle of the audio, so it is downloaded again.',
    money: PAID,
    mend: AGAIN,
    next: RUN,
  },
  'url-result': {
    title: 'The audio could not be downloaded from its host',
    text: 'The service keeps the audio on another host, which did not deliver it.',
    money: PAID,
    mend: AGAIN,
    next: RUN,
  },
  empty: unverified('The audio is empty', 'The service sent no bytes as the audio, twice.'),
  not_audio: unverified(
    'Not a known audio format',
    'Twice, the bytes were not in a format that can be checked: MP3, WAV, FLAC, M4A, AAC, Ogg, Opus, WebM or AIFF.',
  ),
  incomplete: unverified(
    'The audio file is not complete',
    'The bytes begin like an audio file. Twice, they were shorter than the file says, damaged, or followed by other data.',
  ),
  too_long: unverified('More bytes than any track', 'The download exceeded the size limit, twice.'),
  'media-type': {
    title: 'Another format than announced',
    text: 'The service announced one audio format and sent another. The file extension follows the actual format.',
    money: PAID,
    mend: 'Nothing to do.',
    next: 'venice-batch status album.yaml',
  },
  length: {
    title: 'Clearly shorter or longer than requested',
    text: 'The audio is complete, but its duration is not the one requested. Models vary somewhat.',
    money: 'The requested duration is what you paid for.',
    mend: 'Listen to it. --force makes it again, at its price.',
    next: 'venice-batch status album.yaml',
  },
};

function unverified(title: string, text: string): Explanation {
  return {
    title,
    text: `${text} The bytes are kept next to the target as \`.unverified\`, and the audio stays at the service.`,
    money: PAID,
    mend: 'Run again to download it once more, at no cost. If the kept file sounds right, accept it as it is with `venice-batch accept album.yaml TAKE`.',
    next: RUN,
  };
}

/** Refusals to which the service gave no code of its own, by their status. */
const REFUSALS: Explanations = {
  'http-400': {
    ...refusal(
      'The request is invalid, or the job failed',
      'After a submit: the service does not accept these parameters. For a queued job: the provider refused it.',
      'Correct the track; the message says what is wrong.',
    ),
    money: REFUSED_OR_FAILED,
  },
  'http-401': refusal(
    'The service rejected the key',
    'The key is wrong, or the account may not use this model.',
    'Set VENICE_API_KEY to a valid key.',
  ),
  'http-402': refusal(
    'Not enough balance',
    'The balance is used up, or the key has reached its spend limit.',
    'Top up the account or raise the limit.',
  ),
  'http-403': refusal(
    'Access denied',
    'The key may not use this model, or the account may not use the API.',
    'Allow the model for the key or enable API access for the account, or use another key.',
  ),
  'http-404': refusal(
    'Unknown model',
    'The service no longer offers the model.',
    'Choose another one: venice-batch models.',
  ),
  'http-409': refusal(
    'Refused because of a conflict',
    'The service does not accept this request right now.',
    'Run again later.',
  ),
  'http-410': refusal(
    'The model is retired',
    'The service no longer offers the model.',
    'Choose another one: venice-batch models.',
  ),
  'http-451': refusal(
    'Refused for legal reasons',
    'The service does not make this in your region.',
    'Change the prompt or the model.',
  ),
  'http-413': refusal(
    'The request is too large',
    'The prompt and the lyrics together exceed what the service accepts.',
    'Shorten them.',
  ),
  'http-415': refusal(
    'The service cannot read the request',
    'Something between you and the API changed the request.',
    'Check the proxy.',
  ),
  'http-422': {
    ...refusal(
      'Refused by the content policy',
      "The prompt or the lyrics violate the rules of the service or of the model's maker. The service may suggest another prompt.",
      'Change the prompt. --suggestions writes the suggested prompts as a patch for the manifest.',
    ),
    money: REFUSED_OR_FAILED,
  },
  'http-429': refusal(
    'Too many requests',
    'The rate limit was reached, or the model is overloaded. The request was tried again several times, with pauses.',
    'Run again later.',
  ),
  'http-503': {
    ...refusal(
      'The model is at capacity, or the job failed',
      'After a submit: the model is at capacity (tried again for some minutes) or offline (tried again for one). For a queued job: the service kept answering this past the expected time, which means that the job failed.',
      'Run again later.',
    ),
    money: REFUSED_OR_FAILED,
  },
  'http-500': {
    ...lostAnswer(
      'The service or the job failed',
      'Something broke at the service, before or after the charge. For a queued job: the service kept answering this past the expected time, which means that the job failed.',
    ),
    money: `${LOST_ANSWER} For a failed job: ${FAILED_MONEY}`,
  },
  'http-502': lostAnswer('The service could not be reached', 'A gateway answered in its place.'),
  'http-504': lostAnswer('The service did not answer in time', 'A gateway answered in its place.'),
};

function refusal(title: string, text: string, mend: string): Explanation {
  return { title, text, money: 'Not charged.', mend, next: RUN };
}

export const SERVICE: Explanations = { ...ANSWERS, ...REFUSALS, ...JOBS, ...MEDIA };
