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
