import fc from 'fast-check';

/** Names that an attacker may give a file or a track, each with something that a shell would run. */
export const hostileName = fc
  .array(
    fc.oneof(
      fc.constantFrom(
        '$(x)',
        '`x`',
        "'",
        '"',
        '\n',
        '\\',
        ' ',
        ';',
        '&',
        '|',
        '!',
        '~',
        '*',
        '##[',
        ' ::',
        '\u00a0',
        '\u001b',
        '\u202e',
        '-',
        '=',
        '#',
        '$',
        '{',
        '\r',
      ),
      fc.string({ maxLength: 3, unit: 'grapheme' }),
    ),
    { maxLength: 6 },
  )
  .chain((parts) =>
    fc.constantFrom('', '-', '--', '=', '#', '~').map((start) => `${start}${parts.join('')}$(touch x)`),
  )
  .map((name) => name.replaceAll('\0', '').replaceAll('/', ''));

/** The words of a line as bash, zsh and POSIX.1-2024 split it. Throws for anything other than plain quoting. */
export function shellWords(line: string): string[] {
  const words: string[] = [];
  let rest = line;
  while (rest !== '') {
    let word = '';
    for (let first = true; rest !== '' && !rest.startsWith(' '); first = false) {
      const piece = PIECES.find(({ form }) => form.test(rest));
      if (piece === undefined || (first && /^[#~=]/.test(rest)))
        throw new Error(`a shell would act on: ${rest}`);
      const [whole, inner = ''] = piece.form.exec(rest)!;
      word += piece.read(inner);
      rest = rest.slice(whole.length);
    }
    words.push(word);
    rest = rest.replace(/^ /, '');
  }
  return words;
}

const PIECES: readonly { readonly form: RegExp; read(inner: string): string }[] = [
  { form: /^\$'((?:[^'\\]|\\\\|\\x[0-9a-f]{2})*)'/u, read: ansi },
  { form: /^'([^']*)'/, read: String },
  { form: /^\\(')/, read: String },
  { form: /^([\p{L}\p{N}_%+,./:=@#-]+)/u, read: String },
];

function ansi(inner: string): string {
  const bytes = [...inner.matchAll(/\\\\|\\x(..)|[^\\]/gu)].map(([text, hex]) =>
    hex === undefined ? Buffer.from(text === '\\\\' ? '\\' : text) : Buffer.from(hex, 'hex'),
  );
  return Buffer.concat(bytes).toString('utf8');
}
