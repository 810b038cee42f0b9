/** Characters that are invisible or not allowed in file names on some system. */
export const UNSAFE_IN_NAME = /[\\/:*?"<>|\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Cs}]/u;

const UNSAFE = new RegExp(UNSAFE_IN_NAME, 'gu');
/** Windows treats these as devices, whatever follows the first dot. */
const DEVICE = /^(con|prn|aux|nul|com[0-9¹²³]|lpt[0-9¹²³]|conin\$|conout\$)(?= *(\.|$))/i;
/** UTF-8 bytes of a title in a name, which leaves room for the rest of a 255-byte name. */
const TITLE_BYTES_MAX = 120;

/** Free text (a title, a model) as part of a file name; `fallback` if nothing usable is left. */
export function fileSafe(text: string, fallback: string): string {
  const safe = text.normalize('NFC').replace(UNSAFE, '-').replace(/\s+/gu, ' ');
  const trimmed = trimDots(cutToBytes(trimDots(safe), TITLE_BYTES_MAX));
  return /[^-_ .]/.test(trimmed) ? trimmed : fallback;
}

/** A path segment that is valid on every system. Empty if it was only dots and spaces. */
export function safeSegment(segment: string): string {
  return segment.replace(/[. ]+$/, '').replace(DEVICE, '$1_');
}

/** Equal for names that some file system treats as the same: letter case and Unicode composition are ignored. */
export function foldName(name: string): string {
  return name.normalize('NFC').toUpperCase().toLowerCase().normalize('NFC');
}

/** How many names to try if files that changed since they were stored occupy the others. */
const OWN_NAMES_MAX = 20;

/**
 * Names for a file that cannot have, or no longer has, the name of its take: `<stem>.<digest8>`, then with the first
 * digits of its attempt, then numbered. Use the first free one. All without an extension.
 *
 * @param digest of its request
 * @param attempt the attempt's id
 */
export function supersededStems(
  stem: string,
  { digest, attempt }: { readonly digest: string; readonly attempt: string },
): readonly [string, ...string[]] {
  const aside = `${stem}.${digest.replace(/^v\d+:/, '').slice(0, 8)}`;
  const own = `${aside}-${attempt.slice(0, 8)}`;
  return [aside, own, ...Array.from({ length: OWN_NAMES_MAX - 1 }, (_, at) => `${own}-${at + 2}`)];
}

export function bytesOf(text: string): number {
  return Buffer.byteLength(text, 'utf8');
}

function trimDots(text: string): string {
  return text.replace(/^[. ]+|[. ]+$/g, '');
}

function cutToBytes(text: string, bytesMax: number): string {
  if (bytesOf(text) <= bytesMax) return text;
  let bytes = 0;
  let end = 0;
  for (const character of text) {
    bytes += bytesOf(character);
    if (bytes > bytesMax) break;
    end += character.length;
  }
  return text.slice(0, end);
}
