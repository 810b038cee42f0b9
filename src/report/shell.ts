import { escapeForeign } from './escape.js';

/** A command line ready to paste into a POSIX shell: each argument quoted where it needs to be. */
export function commandLine(args: readonly string[]): string {
  return args.map(quoted).join(' ');
}

/** A file name ready to paste into a command line, and with its end in sight where it stands among other words. */
export function pathText(path: string): string {
  return escapeForeign(quoted(path));
}

function quoted(arg: string): string {
  if (/^[\p{L}\p{N}_%+,./:=@#-]+$/u.test(arg) && !arg.startsWith('#')) return arg;
  // Control characters pass no terminal unharmed as they are, so they are spelt out.
  // Nor does a text that the runner of GitHub Actions would obey.
  if (/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]|##\[/u.test(arg))
    return `$'${arg.replace(/[\\'\p{Cc}\p{Cf}\p{Zl}\p{Zp}]|(?<=##)\[/gu, spelt)}'`;
  return `'${arg.replaceAll("'", "'\\''")}'`;
}

function spelt(character: string): string {
  if (character === '\\' || character === "'") return `\\${character}`;
  return [...new TextEncoder().encode(character)]
    .map((byte) => `\\x${byte.toString(16).padStart(2, '0')}`)
    .join('');
}
