import type { Explanation, Explanations } from './explanations/explanation.js';
import { FAMILIES, SERVICE_WORDS, STATES } from './explanations/words.js';
import { EXPLANATIONS } from './explanations.js';

/** All that `explain` tells of, in the order in which it lists them. */
export const TOLD: Explanations = { ...EXPLANATIONS, ...STATES, ...FAMILIES };

/** What the system says of a disk, not of a connection. */
const DISK =
  /^E(?:ACCES|DQUOT|EXIST|FBIG|FTYPE|IO|ISDIR|LOOP|MFILE|NAMETOOLONG|NFILE|NOENT|NOSPC|NOTDIR|NOTEMPTY|PERM|ROFS|STALE|XDEV)$/;
const NETWORK =
  /^(?:E(?:CONN|HOST|NET|ADDR|AI_)[A-Z]+|E(?:TIMEDOUT|NOTFOUND|PIPE|PROTO|CANCELED)|(?:UND_)?ERR_[A-Z0-9_]+|CERT_[A-Z_]+|[A-Z_]+_SELF_SIGNED_CERT|SELF_SIGNED_CERT_[A-Z_]+|UNABLE_TO_[A-Z_]+)$/;
const WORD_LENGTH_MAX = 100;

const BY_FOLDED = new Map(Object.keys(TOLD).map((code) => [folded(code), code]));

/**
 * The explanation of a code as it is printed, in any case and with `_`, `-` or spaces, of a state or of a bare status;
 * what others coin goes by its family.
 */
export function findExplanation(word: string): { code: string; explanation: Explanation } | undefined {
  if (word.length > WORD_LENGTH_MAX) return undefined;
  const lower = word.toLowerCase();
  const known =
    [word, lower].find((code) => Object.hasOwn(TOLD, code)) ??
    BY_FOLDED.get(folded(word)) ??
    BY_FOLDED.get(`http-${word}`);
  if (known !== undefined) return { code: known, explanation: TOLD[known]! };
  const upper = word.trim().toUpperCase().replaceAll(/[-\s]/g, '_');
  const family = familyOf(upper);
  return family === undefined
    ? undefined
    : { code: upper.replace(/^HTTP_/, 'http-'), explanation: TOLD[family]! };
}

function familyOf(upper: string): string | undefined {
  if (Object.hasOwn(SERVICE_WORDS, upper)) return SERVICE_WORDS[upper];
  if (/^(?:HTTP_)?[1-9]\d\d$/.test(upper)) return 'http-other';
  if (DISK.test(upper)) return 'storage';
  return NETWORK.test(upper) ? 'connection' : undefined;
}

function folded(word: string): string {
  return word
    .trim()
    .toLowerCase()
    .replaceAll(/[_\s]+/g, '-');
}
