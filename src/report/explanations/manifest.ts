import type { Explanation, Explanations } from './explanation.js';

const MONEY = 'Nothing is bought until this is fixed. Takes already paid for are still collected.';

function about(title: string, text: string, mend: string): Explanation {
  return { title, text, money: MONEY, mend, next: 'venice-batch validate album.yaml' };
}

const YAML: Explanations = {
  'yaml-syntax': about(
    'The file is not YAML',
    'The text is not valid YAML from this position on. Most often a line is indented differently from its neighbours, a quote is not closed, or a text that begins with a special character is not quoted.',
    'Fix the marked line first: later errors are often caused by it.',
  ),
  'yaml-tag': about(
    'An unsupported YAML tag',
    'Tags such as `!secret` are specific to other programs. venice-batch supports none.',
    'Write the value itself. Text that begins with `!` must be quoted.',
  ),
  'yaml-version': about(
    'The file asks for an older YAML version',
    'The manifest is YAML 1.2. In older versions, words such as `no` and `on` have another meaning.',
    'Remove the `%YAML` line.',
  ),
  'text-cut': about(
    'A text is cut off by a comment',
    'In YAML, a # after a space begins a comment: `Summer #1 hit` is only `Summer`. This is a warning: the run continues and sends the part before the #.',
    'Quote the text. If a comment is intended, put a space after the #.',
  ),
  'merge-key': about(
    'Merge keys are not supported',
    '`<<` is not part of YAML 1.2.',
    'Put shared fields under `defaults`; each track can still override them.',
  ),
  'duplicate-key': about(
    'A field is set twice',
    'Only one of the two values can apply, and it is not clear which one.',
    'Keep one of them.',
  ),
  'endless-alias': about(
    'An alias that contains itself',
    'The alias (`*name`) is inside the value that it repeats.',
    'Write the value out.',
  ),
  'unknown-anchor': about(
    'An alias without an anchor',
    '`*name` repeats a value that was marked `&name` earlier, but no value is.',
    'Quote text that begins with `*`, or mark the value.',
  ),
  'too-deep': about(
    'Nested too deeply',
    'A manifest needs four levels of nesting; this one has far more.',
    'Write each track as a flat map of fields.',
  ),
  'several-documents': about(
    'More than one document',
    'A second YAML document begins after `---`.',
    'Put one manifest in each file, and remove the `---` line.',
  ),
};

const FIELDS: Explanations = {
  'empty-manifest': about(
    'The manifest is empty',
    'The file has no content.',
    'Create a manifest with venice-batch init.',
  ),
  'unsupported-version': about(
    'Unsupported manifest version',
    '`version` says which rules the file was written for. This release supports version 1.',
    'Write `version: 1`, or install the release that the manifest was written for.',
  ),
  'unknown-key': about(
    'Unknown field',
    'Every field is checked, so that a typo is not silently ignored.',
    'Correct the name, or remove the field. Request fields have the same names as in the API.',
  ),
  'missing-field': about(
    'A required field is missing',
    'The track cannot be made without it.',
    'Add it. `model` and `prompt` can also be set in `defaults`.',
  ),
  'wrong-type': about(
    'Wrong type of value',
    'In a manifest: a number instead of text, text instead of a number, or a list or map instead of a single value. In an answer of the service: valid JSON, but not what the request expects.',
    'In a manifest, follow the help line: text that looks like a number needs quotes, and a number must have none. For an answer, run again.',
  ),
  'bad-value': about(
    'Invalid value',
    'The field accepts only text of a certain form.',
    'Write it as shown in the help line.',
  ),
  'bad-id': about(
    'Invalid id',
    'An id names the track permanently, also in the lockfile and in file names, so it has to work on every system.',
    'Use up to 64 lowercase letters, digits, `-`, `_` and `.`; begin with a letter or digit.',
  ),
  'empty-text': about(
    'Empty text',
    'The value is empty or only whitespace.',
    'Fill it in, or remove the line.',
  ),
  'too-long': about(
    'Too long',
    'In a manifest: the text exceeds the limit. In an answer of the service: more bytes than the API ever sends, so the answer is not from the API.',
    'Shorten the text. For an answer, run again.',
  ),
  'out-of-range': about(
    'Out of range',
    'The number is outside the range of the field. A model may allow less.',
    'Use a number in the range given in the help line.',
  ),
  'no-tracks': about('No tracks', 'The list of tracks is empty.', 'Add one: `- id: opening`.'),
  'too-many-tracks': about(
    'Too many tracks',
    'A manifest can have at most 20,000 tracks.',
    'Split it into several manifests, each with its own lockfile.',
  ),
  'too-many-takes': about(
    'Too many takes',
    'All tracks of a manifest together can have at most 50,000 takes.',
    'Lower `takes`, or split it into several manifests.',
  ),
  'duplicate-id': about(
    'Duplicate id',
    'The lockfile uses the id to record which track was paid for, so two tracks cannot share one.',
    'Give each track its own id. To make one track several times, set `takes`.',
  ),
  'unprintable-character': about(
    'An unprintable character',
    'The text contains a control character or half a character. The service might fail on it after the job was paid for.',
    'Remove it; the message says which one it is.',
  ),
  'optimizer-with-lyrics': about(
    'Both lyrics and lyrics_optimizer are set',
    '`lyrics_optimizer` writes lyrics from the prompt. The API refuses it together with lyrics.',
    'Remove one of the two.',
  ),
  'instrumental-with-lyrics': about(
    'Lyrics on an instrumental track',
    '`force_instrumental` asks for no singing, but the track has lyrics or `lyrics_optimizer`. This is only a warning: the result depends on the model.',
    'Remove one of the two.',
  ),
  'lyrics-twice': about(
    'Two sources of lyrics',
    'The track sets both `lyrics_prompt` and `lyrics_file`.',
    'Keep one of the two.',
  ),
};

const OUTPUT: Explanations = {
  'output-token': about(
    'Unknown placeholder',
    'A name template can use {index}, {id}, {title}, {take}, {model} and {ext}.',
    'Correct the placeholder. To write a literal brace, double it.',
  ),
  'output-brace': about(
    'Unmatched brace',
    'In a name template, braces enclose a placeholder.',
    'Close it. To write a literal brace, double it.',
  ),
  'output-ext': about(
    'The template does not end in {ext}',
    'The service chooses the format, so the extension is known only after the download.',
    'End the template in `.{ext}`.',
  ),
  'output-leaves-folder': about(
    'The file would be outside the output folder',
    'Files are stored below the folder of the manifest, or below --out-dir.',
    'Use a path below it. To store everything elsewhere, use --out-dir.',
  ),
  'output-name': about(
    'A file name that does not work on every system',
    'Some file systems refuse the name or change it.',
    'Choose another name in `output` or `title`.',
  ),
  'output-collision': about(
    'Two takes with the same file name',
    'Both would be stored under the same name (upper and lower case count as equal, as on many file systems).',
    'Put {id} or {index} into the template, or set `output` for one of them.',
  ),
};

const FAULTS: Readonly<Record<string, readonly [title: string, text: string, mend: string]>> = {
  missing: [
    'does not exist',
    'There is no file with this name.',
    'Check the path. Paths in a manifest are relative to its folder.',
  ],
  directory: ['is a folder', 'The path leads to a folder.', 'Give the path of a file in it.'],
  'not-a-file': ['is not a file', 'The path leads to a pipe or a device.', 'Save its content to a file.'],
  'not-permitted': [
    'cannot be opened: permission denied',
    'The current user is not allowed to read it.',
    'Change its permissions.',
  ],
  'too-large': [
    'is too large',
    'It is larger than any such file needs to be.',
    'Check that it is the right file, or split it.',
  ],
  'not-utf8': ['is not UTF-8', 'Some of its bytes are not valid UTF-8.', 'Save it as UTF-8.'],
  unreadable: [
    'cannot be read',
    'The disk or the system failed.',
    'Check the file and its disk; the message includes the system error code.',
  ],
};

function faults(role: 'manifest' | 'lyrics', name: string): Explanations {
  const entries = Object.entries(FAULTS).map(([fault, [title, text, mend]]) => [
    `${role}-${fault}`,
    about(`${name} ${title}`, text, mend),
  ]);
  return Object.fromEntries(entries);
}

export const MANIFEST: Explanations = {
  ...YAML,
  ...FIELDS,
  ...OUTPUT,
  ...faults('manifest', 'The manifest'),
  ...faults('lyrics', 'The lyrics file'),
  'lyrics-path': about(
    'The lyrics file is outside the manifest folder',
    '`lyrics_file` must be below the folder of the manifest, also after following links, so that a manifest from somebody else cannot send your other files to the service.',
    'Move the file below that folder, and write its path with `/`.',
  ),
};
