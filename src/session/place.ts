import path from 'node:path';
import { asOperand } from '../core/shell.js';

/**
 * The name of a file below the output root for display, ready to paste: relative to the working directory if the file
 * is below it, otherwise absolute.
 *
 * @param outputRoot absolute
 * @param cwd absolute
 */
export function placesIn(outputRoot: string, cwd: string): (file: string) => string {
  return (file) => {
    const full = path.resolve(outputRoot, file);
    const relative = path.relative(cwd, full);
    const below = relative !== '' && relative.split(path.sep)[0] !== '..' && !path.isAbsolute(relative);
    return below ? asOperand(relative) : full;
  };
}
