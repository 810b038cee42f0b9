import type { Explanation, Explanations } from './explanation.js';

const MONEY =
  'Nothing of the batch is bought while it stands. What is already paid for is collected all the same.';
const MONEY_OF_WARNING =
  'Nothing keeps it from being bought. A request that the service then refuses is not charged.';

function error(title: string, text: string, mend: string): Explanation {
  return { title, text, money: MONEY, mend, next: 'venice-batch models' };
}

function warning(title: string, text: string, mend: string): Explanation {
  return { title, text, money: MONEY_OF_WARNING, mend, next: 'venice-batch plan album.yaml' };
}

/** Fields that a model takes or not, by the word in the code. */
const FIELDS = {
  lyrics: 'lyrics',
  'lyrics-optimizer': '`lyrics_optimizer`',
  instrumental: '`force_instrumental`',
  loop: '`loop`',
  language: '`language_code`',
  voice: '`voice`',
  speed: '`speed`',
  duration: '`duration_seconds`',
};

function perField(code: (word: string) => string, tell: (field: string) => Explanation): Explanations {
  return Object.fromEntries(Object.entries(FIELDS).map(([word, field]) => [code(word), tell(field)]));
}

export const MODELS: Explanations = {
  'unknown-model': error(
    'No such model',
    'The live list of the service does not have it. Models come and go.',
    'Take the name that the help line suggests, or choose from the list.',
  ),
  'model-offline': error(
    'The model is offline',
    'The service lists it, and does not serve it now.',
    'Run again later, or use another model.',
  ),
  'voice-changer': error(
    'The model changes voices',
    'It takes a recording and changes its voice. The service lists it beside the others, and refuses it wherever audio is made from a prompt.',
    'Use another model: for speech one of the text-to-speech models.',
  ),
  'model-refused': error(
    'The key may not use the model',
    'The service refuses this model to this key: it is not allowed for the key, or only for other accounts. Nothing more is submitted to it or collected from it in this run; other models go on.',
    'Allow the model for the key, or use another key, and run again.',
  ),
  'model-deprecated': warning(
    'The model is leaving',
    'The service has announced a day after which the model is gone. What is bought before is made.',
    'Choose another soon; the help line names its successor where there is one.',
  ),
  ...perField(
    (word) => `${word}-unsupported`,
    (field) =>
      error(
        `The model takes no ${field.replaceAll('`', '')}`,
        `The model does not take ${field}, and the API refuses a request that has it.`,
        'Remove it from the track (or from `defaults`), or use a model that takes it.',
      ),
  ),
  ...perField(
    (word) => `undeclared-${word}`,
    (field) =>
      warning(
        `The model does not say whether it takes ${field.replaceAll('`', '')}`,
        `The service's list says neither yes nor no about ${field}. It is sent as it is.`,
        'Leave it, or remove it to be sure.',
      ),
  ),
  'lyrics-required': error(
    'The model needs lyrics',
    'It makes nothing without them.',
    'Add `lyrics_prompt` or `lyrics_file`.',
  ),
  'lyrics-too-long': error(
    'The lyrics are too long for the model',
    'They pass its limit however the characters are counted.',
    'Shorten them, or use a model with a higher limit.',
  ),
  'lyrics-length-unclear': warning(
    'The lyrics may be too long',
    'The API does not say how it counts characters, and one way of counting passes the limit.',
    'Remove as many as the help line says to be sure.',
  ),
  'prompt-too-short': error(
    'The prompt is too short',
    'The model asks for a longer one.',
    'Say more about the sound that is wanted.',
  ),
  'prompt-too-long': error(
    'The prompt is too long for the model',
    'It passes its limit however the characters are counted.',
    'Shorten it, or use a model with a higher limit.',
  ),
  'prompt-length-unclear': warning(
    'The prompt may be too short or too long',
    'The API does not say how it counts characters, and one way of counting breaks the limit.',
    'Change as many as the help line says to be sure.',
  ),
  'duration-not-offered': error(
    'A length that the model does not make',
    'It makes certain lengths only.',
    'Take one of those that the help line names.',
  ),
  'duration-out-of-range': error(
    'Too short or too long for the model',
    'It makes lengths within a range.',
    'Take a length in it, or another model.',
  ),
  'speed-out-of-range': error(
    'Too slow or too fast for the model',
    'It takes a range of speeds.',
    'Take one in it.',
  ),
  'unknown-voice': error(
    'No such voice',
    'The model lists its voices, and this is none of them.',
    'Take the one that the help line suggests, or another of the list.',
  ),
  'voice-not-listed': warning(
    'A voice that looks like a slip of the pen',
    'The model takes ids of voices of your own, so this one is sent as it is. A listed voice has nearly the same name.',
    'Correct the name if the listed voice is meant.',
  ),
  'unchecked-format': warning(
    'A format that cannot be checked',
    'The model makes files of a kind whose end this program cannot find: whether such a file is whole, only a listener can tell.',
    'Listen to each file that is kept as `.unverified`, and take it with `venice-batch accept album.yaml TAKE`; or choose another model.',
  ),
  'undeclared-custom-voice': warning(
    'A voice that is not listed',
    'The model does not say whether it takes ids of voices of your own. It is sent as it is.',
    'Leave it, or take a listed voice to be sure.',
  ),
};
