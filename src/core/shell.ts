/** A command line ready to paste into a POSIX shell: each argument quoted where it needs to be. */
export function commandLine(args: readonly string[]): string {
  return args.map(shellWord).join(' ');
}

/**
 * One argument, as a shell reads it back. Nothing in it is ever expanded or run, also not by a shell without `$'…'`, which
 * takes that form for other text. Of one line, and free of what `escapeForeign` would change: it can be printed as it is.
 */
export function shellWord(arg: string): string {
  if (/^[\p{L}\p{N}_%+,./:@-][\p{L}\p{N}_%+,./:=@#-]*$/u.test(arg) && !SPELT.test(arg)) return arg;
  if (SPELT.test(arg)) return `$'${arg.replace(SPELT_OR_QUOTE, spelt)}'`;
  return `'${arg.replaceAll("'", "'\\''")}'`;
}

/** A path for a place where a command takes flags too. `-` alone is standard input. */
export function asOperand(path: string): string {
  return path.startsWith('-') && path !== '-' ? `./${path}` : path;
}

/**
 * Control characters pass no terminal unharmed as they are, spaces that only look like one cannot be told from it, and
 * some texts would be obeyed by the runner of GitHub Actions.
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
