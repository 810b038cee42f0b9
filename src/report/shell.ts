import { shellWord } from '../core/shell.js';
import { escapeForeign } from './escape.js';

/** A file name ready to paste into a command line, and with its end in sight where it stands among other words. */
export function pathText(path: string): string {
  return escapeForeign(shellWord(path));
}
