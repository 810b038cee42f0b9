import { shellWord } from '../core/shell.js';
import { escapeForeign } from './escape.js';

/** A file name ready to paste into a command line, and clearly delimited in a sentence. */
export function pathText(path: string): string {
  return escapeForeign(shellWord(path));
}
