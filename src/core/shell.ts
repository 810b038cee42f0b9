/** A command line ready to paste into a POSIX shell, with each argument quoted if necessary. */
export function commandLine(args: readonly string[]): string {
  return args.map(shellWord).join(' ');
}

/**
 * Quotes one argument. Nothing in it is ever expanded or run, not even by a shell without `$'…'`, which reads that as
 * different text. The result is one line and contains nothing that `escapeForeign` would change, so it can be printed
 * as it is.
 */
export function shellWord(arg: string): string {
  if (/^[\p{L}\p{N}_%+,./:@-][\p{L}\p{N}_%+,./:=@#-]*$/u.test(arg) && !SPELT.test(arg)) return arg;
  if (SPELT.test(arg)) return `$'${arg.replace(SPELT_OR_QUOTE, spelt)}'`;
  return `'${arg.replaceAll("'", "'\\''")}'`;
}

/** A path for a place where a command also accepts flags. `-` alone is standard input. */
export function asOperand(path: string): string {
  return path.startsWith('-') && path !== '-' ? `./${path}` : path;
}

/**
 * Control characters do not survive a terminal, spaces that look like a normal one cannot be told apart, and GitHub
 * Actions would interpret some texts as commands.
 */
const HIDDEN = String.raw`[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Cs}]|(?! )\p{Zs}|(?<=##)\[|(?<=^|\s):(?=:)`;
const SPELT = new RegExp(HIDDEN, 'u');
const SPELT_OR_QUOTE = new RegExp(String.raw`[\\']|${HIDDEN}`, 'gu');

function spelt(character: string): string {
  if (character === '\\') return '\\\\';
  return [...new TextEncoder().encode(character)]
    .map((byte) => `\\x${byte.toString(16).padStart(2, '0')}`)
    .join('');
}
