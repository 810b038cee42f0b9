/**
 * Reads JSON of unknown shape. All functions are total: a value of another type is `undefined`, nothing throws, and
 * inherited properties (`toString`, `__proto__`) are ignored.
 */

export function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

export function field(value: unknown, name: string): unknown {
  return isRecord(value) && Object.hasOwn(value, name) ? value[name] : undefined;
}

export function items(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : [];
}

/** A text of 1 to `lengthMax` UTF-16 units. */
export function text(value: unknown, lengthMax: number): string | undefined {
  return typeof value === 'string' && value !== '' && value.length <= lengthMax ? value : undefined;
}

export function bool(value: unknown): boolean | undefined {
  return typeof value === 'boolean' ? value : undefined;
}

/** Whether a name or a text in it, however deep, matches. Keeps its own stack, because the depth is not limited. */
export function mentions(value: unknown, pattern: RegExp): boolean {
  const open = [value];
  while (open.length > 0) {
    const next = open.pop();
    if (typeof next === 'string' && pattern.test(next)) return true;
    if (Array.isArray(next)) for (const entry of next) open.push(entry);
    else if (isRecord(next)) for (const [name, entry] of Object.entries(next)) open.push(name, entry);
  }
  return false;
}

/** A finite number within both bounds, which are inclusive. */
export function finite(value: unknown, min: number, max: number): number | undefined {
  return typeof value === 'number' && value >= min && value <= max ? value : undefined;
}

/** A number, also if it is given as text: `"-0.25"`. Other values are returned as they are. */
export function asNumber(value: unknown): unknown {
  return typeof value === 'string' && /^-?\d{1,10}(\.\d{1,18})?$/.test(value) ? Number(value) : value;
}

/** Parses every entry with `read`. `undefined` if it is not a list or any entry is invalid. */
export function listOf<T>(value: unknown, read: (entry: unknown) => T | undefined): readonly T[] | undefined {
  if (!Array.isArray(value)) return undefined;
  const list: T[] = [];
  for (const entry of value) {
    const passed = read(entry);
    if (passed === undefined) return undefined;
    list.push(passed);
  }
  return list;
}

type Present<T> = { [K in keyof T]?: Exclude<T[K], undefined> };

/** Drops keys whose value is `undefined`, as `exactOptionalPropertyTypes` requires. */
export function present<T extends object>(value: T): Present<T> {
  return Object.fromEntries(Object.entries(value).filter(([, entry]) => entry !== undefined)) as Present<T>;
}

/**
 * An id that is safe to send back, store and print: 1 to 200 printable ASCII characters, no space, no slash. An id that
 * contained a secret is not valid.
 */
export function identifier(value: unknown): string | undefined {
  if (typeof value !== 'string' || value.includes('[redacted]')) return undefined;
  return /^[!-.0-~]{1,200}$/.test(value) ? value : undefined;
}

const NAMES_MAX = 12;
const WORD_LENGTH_MAX = 40;

/**
 * Describes a value of unknown shape for debugging: its status, if any, and the names of its fields. Plain ASCII, of
 * limited length.
 */
export function outline(value: unknown): string {
  if (Array.isArray(value)) return `a list of ${value.length}`;
  if (!isRecord(value)) return value === null ? 'null' : `a ${typeof value}`;
  const names = Object.keys(value);
  if (names.length === 0) return 'no fields';
  const status = field(value, 'status');
  const more = names.length > NAMES_MAX ? ` and ${names.length - NAMES_MAX} more` : '';
  const fields = `fields ${names.slice(0, NAMES_MAX).map(word).join(', ')}${more}`;
  return typeof status === 'string' ? `status ${word(status)}, ${fields}` : fields;
}

function word(foreign: string): string {
  if (/^[\w.-]{1,40}$/.test(foreign)) return foreign;
  const cut = foreign.length > WORD_LENGTH_MAX ? `${foreign.slice(0, WORD_LENGTH_MAX)}...` : foreign;
  return JSON.stringify(cut).replace(
    /[^ -~]/g,
    (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );
}
