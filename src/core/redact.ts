const REDACTED = '[redacted]';
const SECRET_LENGTH_MIN = 4;
/** From this length on a secret is also removed in other upper and lower case. A shorter one may be a word. */
const ANY_CASE_LENGTH_MIN = 16;

/**
 * Removes secrets from text that leaves the program: as they are, escaped as in JSON or in a URL, and in base64, even
 * inside a longer base64 text. Also what begins like a long secret, and whatever looks like a key of the service.
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
  patterns.push(...secrets.flatMap(beginningOf), VENICE_KEY);
  return (text) => patterns.reduce((clean, pattern) => clean.replaceAll(pattern, REDACTED), text);
}

const VENICE_KEY = /VENICE_(?:INFERENCE|ADMIN)_KEY_\w+/g;
/** What many secrets begin with, so that it is not secret. */
const PUBLIC_BEGINNING = /^(?:VENICE_(?:INFERENCE|ADMIN)_KEY_|0x)?/;
/** So many characters of a long secret are removed even without the rest: a text may have been cut within it. */
const BEGINNING_LENGTH = 12;
/** `000000000000` occurs in many texts. */
const BEGINNING_DISTINCT_MIN = 5;

/** The beginning of a long secret, and as many of its other characters as follow. */
function beginningOf(secret: string): RegExp[] {
  const start = PUBLIC_BEGINNING.exec(secret)?.[0].length ?? 0;
  const first = secret.slice(start, start + BEGINNING_LENGTH);
  const rest = [...new Set(secret.slice(start))].map(literalOf).join('');
  const isTelling = new Set(first).size >= BEGINNING_DISTINCT_MIN;
  if (secret.length - start < ANY_CASE_LENGTH_MIN || !isTelling) return [];
  return [new RegExp(`(?:${literalOf(secret.slice(0, start))})?${literalOf(first)}[${rest}]*`, 'gi')];
}

function literalOf(text: string): string {
  return text.replace(/[.*+?^${}()|[\]\\/-]/g, '\\$&');
}

function patternOf(form: string): RegExp {
  return new RegExp(literalOf(form), form.length >= ANY_CASE_LENGTH_MIN ? 'gi' : 'g');
}

/**
 * Removes secrets from every text in a value. Do this before texts are cut, wrapped or escaped, and become
 * unrecognisable.
 */
export function redactIn<T>(value: T, redact: (text: string) => string): T {
  return redactUnknown(value, redact) as T;
}

/**
 * Returns the same value if there is no secret in it. Keeps its own stack: a response may be nested so deep that a
 * recursive function would fail, and its job would be lost.
 */
function redactUnknown(value: unknown, redact: (text: string) => string): unknown {
  const found: object[] = isContainer(value) ? [value] : [];
  // The list grows while it is read, so what is inside a value always comes after it.
  for (const outer of found) for (const inner of partsOf(outer)) if (isContainer(inner)) found.push(inner);
  const cleaned = new Map<object, unknown>();
  const cleanOf = (one: unknown): unknown => {
    if (typeof one === 'string') return redact(one);
    return isContainer(one) ? cleaned.get(one) : one;
  };
  for (const one of found.reverse()) if (!cleaned.has(one)) cleaned.set(one, cleanContainer(one, cleanOf));
  return cleanOf(value);
}

function isContainer(value: unknown): value is object {
  return typeof value === 'object' && value !== null;
}

/** Names and values, in order. */
function partsOf(container: object): readonly unknown[] {
  if (Array.isArray(container)) return container;
  return (container instanceof Map ? [...container] : Object.entries(container)).flat();
}

function cleanContainer(container: object, cleanOf: (one: unknown) => unknown): object {
  const parts = partsOf(container);
  const clean = parts.map(cleanOf);
  if (clean.every((one, at) => one === parts[at])) return container;
  if (Array.isArray(container)) return clean;
  const entries = Array.from(
    { length: clean.length / 2 },
    (_, at) => [clean[2 * at], clean[2 * at + 1]] as const,
  );
  return container instanceof Map ? new Map(entries) : Object.fromEntries(entries as [string, unknown][]);
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
