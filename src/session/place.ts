import path from 'node:path';
import { asOperand } from '../core/shell.js';

/**
 * How a file below the output root is named to a person, so that the name can be pasted: relative to where the
 * person stands, absolute where that does not lead down to it.
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
