const REDACTED = '[redacted]';
const SECRET_LENGTH_MIN = 4;
/** From this length on a secret is also removed in other upper and lower case. A shorter one may be a word. */
const ANY_CASE_LENGTH_MIN = 16;

/**
 * Removes secrets from text that leaves the program: as they are, escaped as in JSON or in a URL, and in base64, even
 * inside a longer base64 text.
 *
 * @param secrets values that are too short (a space) or a short lower-case word (`sandbox`) are ignored: they are not
 *   secret, and occur in many texts
 */
export function createRedactor(secrets: readonly string[]): (text: string) => string {
  const forms = secrets
    .filter((secret) => secret.trim().length >= SECRET_LENGTH_MIN && !/^[a-z]{0,7}$/.test(secret))
    .flatMap(formsOf)
    .sort((a, b) => b.length - a.length);
  const patterns = [...new Set(forms)].map(patternOf);
  return (text) => patterns.reduce((clean, pattern) => clean.replaceAll(pattern, REDACTED), text);
}

function patternOf(form: string): RegExp {
  const literal = form.replace(/[.*+?^${}()|[\]\\/-]/g, '\\$&');
  return new RegExp(literal, form.length >= ANY_CASE_LENGTH_MIN ? 'gi' : 'g');
}

/**
 * Removes secrets from every text in a value. Do this before texts are cut, wrapped or escaped, and become
 * unrecognisable.
 */
export function redactIn<T>(value: T, redact: (text: string) => string): T {
  return redactUnknown(value, redact) as T;
}

/** Returns the same value if there is no secret in it. */
function redactUnknown(value: unknown, redact: (text: string) => string): unknown {
  if (typeof value === 'string') return redact(value);
  if (typeof value !== 'object' || value === null) return value;
  if (value instanceof Map) {
    const entries = [...value].flat();
    const clean = entries.map((one) => redactUnknown(one, redact));
    if (clean.every((one, at) => one === entries[at])) return value;
    return new Map(Array.from({ length: value.size }, (_, at) => [clean[2 * at], clean[2 * at + 1]]));
  }
  if (Array.isArray(value)) {
    const clean = value.map((one) => redactUnknown(one, redact));
    return clean.every((one, at) => one === value[at]) ? value : clean;
  }
  const entries = Object.entries(value);
  const clean = entries.map(([name, one]) => [redact(name), redactUnknown(one, redact)] as const);
  const same = clean.every(([name, one], at) => name === entries[at]![0] && one === entries[at]![1]);
  return same ? value : Object.fromEntries(clean);
}

function formsOf(secret: string): string[] {
  const inUrl = encodeURIComponent(secret);
  const inBase64 = [0, 1, 2].map((before) => base64Core(secret, before)).filter((core) => core.length >= 8);
  return [
    secret,
    JSON.stringify(secret).slice(1, -1),
    inUrl,
    inUrl.replace(/%[0-9A-F]{2}/g, (hex) => hex.toLowerCase()),
    ...inBase64,
    ...inBase64.map((core) => core.replaceAll('+', '-').replaceAll('/', '_')),
  ];
}

/** The base64 characters that depend only on the secret if `before` bytes (modulo 3) precede it. */
function base64Core(secret: string, before: number): string {
  const bytes = Buffer.concat([Buffer.alloc(before), Buffer.from(secret)]);
  return bytes.toString('base64').slice(Math.ceil((before * 8) / 6), Math.floor((bytes.length * 8) / 6));
}
