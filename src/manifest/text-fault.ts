import type { Diagnostic } from '../core/diagnostic.js';
import { unreachable } from '../core/errors.js';
import type { TextFault } from './text-file.js';

/**
 * A file that could not be read, in words. The code is `<role>-<fault>`: `lyrics-missing`.
 *
 * @param meant the file that the user probably meant; see `fileMeant`
 */
export function describeTextFault(
  role: 'manifest' | 'lyrics',
  path: string,
  file: { readonly fault: TextFault; readonly code: string },
  meant?: string,
): Pick<Diagnostic, 'code' | 'severity' | 'message' | 'hint'> {
  const { message, hint } = words(role, path, file);
  return {
    code: `${role}-${file.fault}`,
    severity: 'error',
    message,
    hint: meant === undefined ? hint : `did you mean \`${meant}\`?`,
  };
}

function words(
  role: 'manifest' | 'lyrics',
  path: string,
  { fault, code }: { readonly fault: TextFault; readonly code: string },
): { message: string; hint: string } {
  switch (fault) {
    case 'missing':
      return {
        message: `there is no file \`${path}\``,
        hint:
          role === 'manifest'
            ? `check the path, or create a manifest: venice-batch init${isPlain(path) ? ` ${path}` : ''}`
            : "check the path: it starts at the manifest's folder",
      };
    case 'directory':
      return { message: `\`${path}\` is a folder`, hint: 'name a file in it' };
    case 'not-a-file':
      return { message: `\`${path}\` is not a regular file`, hint: 'save its content to a file' };
    case 'not-permitted':
      return {
        message: `\`${path}\` cannot be read: permission denied`,
        hint: 'make it readable: chmod u+r',
      };
    case 'too-large': {
      const most = role === 'manifest' ? '16 MiB' : '1 MiB';
      return {
        message: `\`${path}\` is larger than ${most}`,
        hint: role === 'manifest' ? 'split it into several manifests' : 'is it the right file?',
      };
    }
    case 'not-utf8':
      return { message: `\`${path}\` is not UTF-8 text`, hint: 'save it with the encoding UTF-8' };
    case 'unreadable':
      return { message: `\`${path}\` cannot be read (${code})`, hint: 'check the file and its disk' };
    default:
      return unreachable(fault);
  }
}

/** Whether it needs no quotes in a shell. */
function isPlain(path: string): boolean {
  return /^[A-Za-z0-9_./][A-Za-z0-9_./-]*$/.test(path);
}
