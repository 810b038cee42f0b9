import { numberIn, secondsIn } from './number-in.js';

/** The parts of a JSON Schema that explanations use. */
export interface Schema {
  readonly enum?: readonly unknown[];
  readonly type?: string | readonly string[];
  readonly properties?: Readonly<Record<string, unknown>>;
  readonly minimum?: number;
  readonly maximum?: number;
  readonly exclusiveMinimum?: number;
  readonly maxLength?: number;
}

/** The allowed value closest to the number that was written, if any. */
export function nearest(name: string, schema: Schema, value: unknown): string | undefined {
  const [type] = [schema.type].flat();
  if (type !== 'integer' && type !== 'number') return undefined;
  const given = typeof value === 'number' ? String(value) : typeof value === 'string' ? value : '';
  const { minimum = 0, maximum = Number.MAX_SAFE_INTEGER, exclusiveMinimum } = schema;
  const meant = name === '`duration_seconds`' ? secondsIn(given) : numberIn(given);
  const read = Number(meant ?? Number.NaN);
  // Decibels below full scale are often written without their sign.
  const number = maximum <= 0 && read > 0 ? -read : read;
  if (Number.isNaN(number)) return undefined;
  const bounded = Math.min(maximum, Math.max(minimum, type === 'integer' ? Math.round(number) : number));
  if (exclusiveMinimum !== undefined && bounded <= exclusiveMinimum) return undefined;
  return `write it as ${name.slice(0, -1)}: ${bounded}\``;
}

/** What the schema expects, worded to follow "must be" or "give". */
export function expected({ type, minimum, maximum, exclusiveMinimum, enum: choices }: Schema): string {
  if (choices !== undefined) return `one of ${choices.join(', ')}`;
  const [first, second] = [type].flat();
  const from = minimum !== undefined ? ` from ${minimum}` : '';
  const above = exclusiveMinimum !== undefined ? ` above ${exclusiveMinimum}, at most` : ' to';
  const range = maximum === undefined ? from : `${from}${above} ${formatCount(maximum)}`;
  switch (first) {
    case 'integer':
      return `a whole number${second ? ' of seconds' : ''}${range}`;
    case 'number':
      return `a number${range}`;
    case 'boolean':
      return 'true or false';
    case 'array':
      return 'a list (each entry begins with `- `)';
    case 'object':
      return 'a group of `name: value` lines';
    default:
      return 'text';
  }
}

export function found(value: unknown): string {
  if (value === null) return 'nothing';
  if (Array.isArray(value)) return 'a list';
  switch (typeof value) {
    case 'string':
      return `the text ${quoted(value)}`;
    case 'object':
      return 'a group of `name: value` lines';
    default:
      return String(value);
  }
}

export function quoted(value: unknown): string {
  return typeof value === 'string' ? `\`${cut(value)}\`` : String(value);
}

export function cut(text: string): string {
  return text.length > 60 ? `${text.slice(0, 59)}…` : text;
}

export function formatCount(count: number | undefined): string {
  return (count ?? 0).toLocaleString('en-US');
}
