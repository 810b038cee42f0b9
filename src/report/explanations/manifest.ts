import type { Explanation, Explanations } from './explanation.js';

const MONEY = 'Nothing is bought while it stands. What is already paid for is collected all the same.';

function about(title: string, text: string, mend: string): Explanation {
  return { title, text, money: MONEY, mend, next: 'venice-batch validate album.yaml' };
}

const YAML: Explanations = {
  'yaml-syntax': about(
    'The file is not YAML',
    'The text cannot be read as YAML from this place on. Most often a line is indented otherwise than its neighbours, a quote is not closed, or a text that begins with a special character has no quotes.',
    'Mend the marked line first: what is told after it is often only its echo.',
  ),
  'yaml-tag': about(
    'A YAML tag that means nothing here',
    'Tags such as `!secret` ask the program for something of its own. This one knows none.',
    'Write the value itself. Text that begins with `!` needs quotes.',
  ),
  'yaml-version': about(
    'The file asks for an older YAML',
    'The manifest is YAML 1.2. In older versions words such as `no` and `on` mean something else.',
    'Remove the `%YAML` line.',
  ),
  'text-cut': about(
    'A text ends where a comment begins',
    'In YAML a # after a space begins a comment: `Summer #1 hit` is only `Summer`. This is a warning: the run goes on, and sends the part before the #.',
    'Put the text into quotes. A comment that is meant has a space after its #.',
  ),
  'merge-key': about(
    'Merge keys are not supported',
    '`<<` is not part of YAML 1.2.',
    'Put what tracks share below `defaults`; each track may still set its own.',
  ),
  'duplicate-key': about(
    'A field is set twice',
    'Only one of the two values could count, and nothing tells which is meant.',
    'Keep one of them.',
  ),
  'endless-alias': about(
    'A repetition of itself',
    'An alias (`*name`) stands inside the value that it repeats.',
    'Write the value out.',
  ),
  'unknown-anchor': about(
    'An alias of nothing',
    '`*name` repeats an earlier value that is marked `&name`, and there is none.',
    'Put text that begins with `*` into quotes, or mark the value.',
  ),
  'too-deep': about(
    'Nested too deep',
    'A manifest needs four levels; this one has more than any program should follow.',
    'A track is a flat map of fields.',
  ),
  'several-documents': about(
    'More than one document',
    'A second YAML document begins after `---`.',
    'Keep one manifest in one file, and remove the `---` line.',
  ),
};

const FIELDS: Explanations = {
  'empty-manifest': about(
    'An empty manifest',
    'The file holds nothing.',
    'Write a first one: venice-batch init.',
  ),
  'unsupported-version': about(
    'A version of the manifest that is not known',
    '`version` says which rules the file was written by. This program knows version 1.',
    'Write `version: 1`, or install the program that the manifest was written for.',
  ),
  'unknown-key': about(
    'A field that does not exist',
    'Every field is checked, so that a slip of the pen is not taken for the default.',
    "Correct its name, or remove it. Fields of the request bear the API's own names.",
  ),
  'missing-field': about(
    'A field is missing',
    'Without it there is nothing that could be made.',
    'Add it; `model` and `prompt` may also come from `defaults`.',
  ),
  'wrong-type': about(
    'A value of the wrong kind',
    'In a manifest: a number where text belongs, text where a number belongs, or a list or map in place of a value. As the answer of the service: JSON, but not what the request is answered with.',
    'In a manifest, follow the help line: text that looks like a number needs quotes, a number has none. An answer needs no mending: run again.',
  ),
  'bad-value': about(
    'A value of the wrong form',
    'The field takes only texts of a certain form.',
    'Write it as the help line shows.',
  ),
  'bad-id': about(
    'Not an id',
    'An id names the track for good, also in the lockfile and in file names, so it has to be the same on every system.',
    'Use small letters, digits, `-`, `_` and `.`, at most 64, the first a letter or digit.',
  ),
  'empty-text': about(
    'A text that says nothing',
    'The value is empty, or nothing but space.',
    'Fill it in, or remove the line.',
  ),
  'too-long': about(
    'Too long',
    "In a manifest: a text passes its bound. As the answer of the service: more bytes came than any such answer has, so it is not the API's.",
    'Shorten the text. An answer needs no mending: run again.',
  ),
  'out-of-range': about(
    'Out of range',
    'The number lies outside of what the field takes anywhere. A model may take less.',
    'Give a number in the range that the help line names.',
  ),
  'no-tracks': about('No tracks', 'The list of tracks is empty.', 'Add one: `- id: opening`.'),
  'too-many-tracks': about(
    'Too many tracks',
    'A manifest has at most 20,000 tracks.',
    'Split it into several manifests; each has a lockfile of its own.',
  ),
  'too-many-takes': about(
    'Too many takes',
    'With all their takes, the tracks of a manifest are at most 50,000.',
    'Lower `takes`, or split it into several manifests.',
  ),
  'duplicate-id': about(
    'An id is used twice',
    'The id tells the lockfile which track was paid for, so no two tracks can share one.',
    'Give each its own. For several generations of one track set `takes`.',
  ),
  'unprintable-character': about(
    'A character that cannot be printed',
    'A control character or half a character stands in a text. The service may stumble over it after it was paid.',
    'Remove it; the message names it.',
  ),
  'optimizer-with-lyrics': about(
    'Lyrics, and an order to write them',
    '`lyrics_optimizer` has the lyrics written from the prompt. The API refuses it together with lyrics.',
    'Remove one of the two.',
  ),
  'instrumental-with-lyrics': about(
    'Lyrics that nobody is to sing',
    '`force_instrumental` asks for no singing, and the track has lyrics or has them written. Only a warning: the model decides what comes of it.',
    'Remove one of the two.',
  ),
  'lyrics-twice': about(
    'Lyrics from two places',
    'The track has both `lyrics_prompt` and `lyrics_file`.',
    'Keep one of the two.',
  ),
};

const OUTPUT: Explanations = {
  'output-token': about(
    'An unknown name in braces',
    'A name template knows {index}, {id}, {title}, {take}, {model} and {ext}.',
    'Correct the name; double the brace to write one.',
  ),
  'output-brace': about(
    'A lone brace',
    'In a name template braces surround a name.',
    'Close it, or double it to write a brace.',
  ),
  'output-ext': about(
    'The template does not end in {ext}',
    'The service chooses the format, so that the extension is known only when the audio is there.',
    'End the template in `.{ext}`.',
  ),
  'output-leaves-folder': about(
    'A place outside of the output folder',
    'Files stay below the folder of the manifest, or of --out-dir.',
    'Name a place below it. To put everything elsewhere use --out-dir.',
  ),
  'output-name': about(
    'A file name that not every system takes',
    'The name has characters, or is a name, that some file system refuses or reads as something else.',
    'Choose another in `output` or `title`.',
  ),
  'output-collision': about(
    'Two takes with one file name',
    'Both would be stored under the same name (letter case is ignored, as many file systems do).',
    'Put {id} or {index} into the template, or give one of them an `output` of its own.',
  ),
};

const FAULTS: Readonly<Record<string, readonly [title: string, text: string, mend: string]>> = {
  missing: [
    'is not there',
    'No file has this name.',
    'Check the path. Paths in a manifest start at its folder.',
  ],
  directory: ['is a folder', 'The path names a folder.', 'Name a file in it.'],
  'not-a-file': ['is not a file', 'The path names a pipe or a device.', 'Copy what it gives into a file.'],
  'not-permitted': [
    'may not be read',
    'The system does not let this user read it.',
    'Change its permissions.',
  ],
  'too-large': [
    'is too large',
    'It is larger than any such file needs to be.',
    'Check that it is the right one, or split it.',
  ],
  'not-utf8': ['is not UTF-8', 'Some of its bytes are no text in UTF-8.', 'Save it with the encoding UTF-8.'],
  unreadable: [
    'cannot be read',
    'The disk or the system failed.',
    "Check the file and its disk; the message has the system's code.",
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
  ...faults('lyrics', 'The file of the lyrics'),
  'lyrics-path': about(
    'A lyrics file outside of the folder',
    'A `lyrics_file` is a path below the folder of the manifest, also after links are followed: a manifest from elsewhere cannot send other files of yours to the service.',
    'Put the file below the folder, and name it with `/`.',
  ),
};
