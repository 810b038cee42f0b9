import type { Explanation, Explanations } from './explanation.js';

const MONEY =
  'Nothing in the batch is bought until this is fixed. Takes already paid for are still collected.';
const MONEY_OF_WARNING =
  'This does not stop the purchase. If the service refuses the request, nothing is charged.';

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
    'Unknown model',
    'The service does not list this model. Models come and go.',
    'Use the name suggested in the help line, or choose one from the list.',
  ),
  'model-offline': error(
    'The model is offline',
    'The service lists the model but does not currently serve it.',
    'Run again later, or use another model.',
  ),
  'voice-changer': error(
    'The model is a voice changer',
    'It changes the voice in a recording. The service lists it with the other models, but refuses it when audio is made from a prompt.',
    'Use another model; for speech, a text-to-speech model.',
  ),
  'model-refused': error(
    'The key may not use the model',
    'The service refuses this model for this key: the key does not allow it, or it is limited to other accounts. In this run nothing more is submitted to it or collected from it; other models continue.',
    'Allow the model for the key or use another key, then run again.',
  ),
  'model-deprecated': warning(
    'The model will be retired',
    'The service has announced the date on which the model is retired. Jobs bought before that are still made.',
    'Switch to another model soon; the help line names the successor if there is one.',
  ),
  ...perField(
    (word) => `${word}-unsupported`,
    (field) =>
      error(
        `The model does not support ${field.replaceAll('`', '')}`,
        `The model does not support ${field}, and the API refuses requests that include it.`,
        'Remove it from the track (or from `defaults`), or use a model that supports it.',
      ),
  ),
  ...perField(
    (word) => `undeclared-${word}`,
    (field) =>
      warning(
        `The model may not support ${field.replaceAll('`', '')}`,
        `The model list does not say whether ${field} is supported. It is sent as given.`,
        'Keep it, or remove it to be safe.',
      ),
  ),
  'lyrics-required': error(
    'The model needs lyrics',
    'This model cannot be used without lyrics.',
    'Add `lyrics_prompt` or `lyrics_file`.',
  ),
  'lyrics-too-long': error(
    'The lyrics are too long for the model',
    'They exceed the limit, whichever way characters are counted.',
    'Shorten them, or use a model with a higher limit.',
  ),
  'lyrics-length-unclear': warning(
    'The lyrics may be too long',
    'The API does not say how it counts characters, and by one way of counting they exceed the limit.',
    'To be safe, remove as many characters as the help line says.',
  ),
  'prompt-too-short': error(
    'The prompt is too short',
    'The model requires a longer prompt.',
    'Describe the sound in more detail.',
  ),
  'prompt-too-long': error(
    'The prompt is too long for the model',
    'It exceeds the limit, whichever way characters are counted.',
    'Shorten it, or use a model with a higher limit.',
  ),
  'prompt-length-unclear': warning(
    'The prompt may be too short or too long',
    'The API does not say how it counts characters, and by one way of counting the prompt is outside the limits.',
    'To be safe, change as many characters as the help line says.',
  ),
  'duration-not-offered': error(
    'The model does not offer this duration',
    'It makes audio of certain durations only.',
    'Use one of the durations in the help line.',
  ),
  'duration-out-of-range': error(
    'The duration is out of range for the model',
    'The model has a minimum and a maximum duration.',
    'Use a duration in that range, or another model.',
  ),
  'speed-out-of-range': error(
    'The speed is out of range for the model',
    'The model has a minimum and a maximum speed.',
    'Use a speed in that range.',
  ),
  'unknown-voice': error(
    'Unknown voice',
    "It is not in the model's list of voices.",
    'Use the voice suggested in the help line, or another one from the list.',
  ),
  'voice-not-listed': warning(
    'Possibly misspelled voice',
    'The model accepts custom voice ids, so this one is sent as given. A listed voice has a very similar name.',
    'Correct the name if you meant the listed voice.',
  ),
  'unchecked-format': warning(
    'The audio format cannot be checked',
    'The model makes files in a format in which venice-batch cannot find the end, so it cannot check whether a file is complete.',
    'Listen to each file kept as `.unverified`, and accept it with `venice-batch accept album.yaml TAKE`; or choose another model.',
  ),
  'undeclared-custom-voice': warning(
    'The voice is not listed',
    'The model list does not say whether custom voice ids are supported. It is sent as given.',
    'Keep it, or use a listed voice to be safe.',
  ),
};
