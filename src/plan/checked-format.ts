import type { Rule } from './rule.js';
import { listed } from './text.js';

/** Formats, as models name them (`supported_formats`), whose files are verified to the last byte. */
const CHECKED = new Set('mp3 mp2 mpeg wav wave flac m4a mp4 aac ogg oga opus webm aiff aif'.split(' '));

/** Whether files of this format can be verified. A bit rate or the like in its name (`mp3_44100_128`) is ignored. */
function isCheckedFormat(format: string): boolean {
  const [name = ''] = format
    .trim()
    .toLowerCase()
    .split(/[^a-z0-9]/, 1);
  return CHECKED.has(name);
}

/** Reported before anything is paid: such a file is kept, but counts as made only when the user accepts it. */
export const formatChecked: Rule = ({ model }) => {
  const formats = model.supported_formats ?? [];
  const unchecked = formats.filter((format) => !isCheckedFormat(format));
  if (unchecked.length === 0) return undefined;
  const makes = unchecked.length === formats.length ? 'makes' : 'may make';
  return {
    code: 'unchecked-format',
    severity: 'warning',
    message: `${model.id} ${makes} ${listed(unchecked, 8)} files, which cannot be checked for completeness`,
    hint: 'each such file is kept as `.unverified` until you listen to it and accept it',
    at: 'model',
  };
};
