import type { ErrorObject } from 'ajv';
import { REQUEST_FIELDS } from '../core/audio-request.js';
import { closest } from '../core/closest.js';
import type { Code } from '../core/codes.js';
import type { Diagnostic } from '../core/diagnostic.js';
import { entryOf, headOf, type Located, nodeAt, type Range, type Source } from './located.js';
import { cut, expected, formatCount, found, nearest, quoted, type Schema } from './schema-words.js';
import { slugOf } from './slug.js';

type Explained = Omit<Diagnostic, 'span'> & { readonly at: Range };

/** Words one ajv error (with `verbose`), with its place. */
export function explain(error: ErrorObject, root: Located, source: Source, guesses = true): Diagnostic {
  const { at, ...diagnostic } = explainAt(error, nodeAt(root, error.instancePath), source, guesses);
  return { ...diagnostic, span: source.spanOf(at) };
}

function wrongVersion(written: unknown): Omit<Explained, 'at'> {
  if (written === '1')
    return {
      ...fault('wrong-type', '`version` must be a number, found the text `1`'),
      hint: 'write it without quotes: version: 1',
    };
  return {
    ...fault('unsupported-version', `manifest version ${quoted(written)} is not supported`),
    hint: 'write `version: 1`, or install the release the manifest was written for',
  };
}

function explainAt(error: ErrorObject, node: Located, source: Source, guesses: boolean): Explained {
  const schema = error.parentSchema as Schema;
  const name = nameOf(error.instancePath);
  switch (error.keyword) {
    case 'additionalProperties':
      return unknownKey(String(error.params.additionalProperty), error.instancePath, schema, node, guesses);
    case 'required':
      return missing(String(error.params.missingProperty), error.instancePath, node);
    case 'type':
      return wrongType(name, schema, node, writtenAs(node, source));
    case 'const':
      return { ...wrongVersion(node.value), at: node };
    case 'pattern':
      return wrongForm(name, String(node.value), schema, node);
    case 'minLength':
      return { ...fault('empty-text', `${name} is empty`), hint: 'fill it in, or remove the line', at: node };
    case 'maxLength':
      return {
        ...fault(
          'too-long',
          `${name} has ${lengthOf(node)} characters, but at most ${formatCount(schema.maxLength)} are allowed`,
        ),
        hint: 'shorten it',
        at: node,
      };
    case 'minItems':
      return {
        ...fault('no-tracks', 'the manifest has no tracks'),
        hint: 'add one below `tracks:`, as `- id: opening`',
        at: headOf(node),
      };
    case 'maxItems':
      return {
        ...fault('too-many-tracks', 'a manifest has at most 20,000 tracks'),
        hint: 'split it into several manifests',
        at: headOf(node),
      };
    default:
      return {
        ...fault('out-of-range', `${name} must be ${expected(schema)}, found ${quoted(node.value)}`),
        hint: nearest(name, schema, node.value) ?? `give ${expected(schema)}`,
        at: node,
      };
  }
}

/** A value as written: `01`, not the `1` that YAML reads. */
function writtenAs(node: Located, source: Source): string {
  const written = source.text.slice(node.start, node.end);
  if (node.kind !== 'scalar') return '';
  return written.startsWith('*') ? String(node.value) : written;
}

function fault(code: Code, message: string): Pick<Diagnostic, 'code' | 'severity' | 'message'> {
  return { code, severity: 'error', message };
}

/** JSON Pointer of the field that an unknown one was meant to be, if that can be guessed and is not set itself. */
export function meantBy({
  keyword,
  instancePath,
  params,
  parentSchema,
  data,
}: ErrorObject): string | undefined {
  if (keyword !== 'additionalProperties') return undefined;
  const key = String(params.additionalProperty);
  const meant = closest(key, knownIn(parentSchema as Schema));
  if (meant === undefined) return belongsInDefaults(key, instancePath) ? `/defaults/${key}` : undefined;
  return Object.hasOwn(data as object, meant) ? undefined : `${instancePath}/${meant}`;
}

function knownIn(schema: Schema): readonly string[] {
  return Object.keys(schema.properties ?? {});
}

function unknownKey(
  key: string,
  pointer: string,
  schema: Schema,
  node: Located,
  guesses: boolean,
): Explained {
  const known = knownIn(schema);
  const meant = guesses ? (closest(key, known) ?? beginningWith(key, known)) : undefined;
  return {
    ...fault('unknown-key', `\`${cut(key)}\` is not a field of ${nameOf(pointer)}`),
    hint: meant
      ? `did you mean \`${meant}\`?`
      : (elsewhere(key, pointer) ?? `the fields are ${known.join(', ')}`),
    at: entryOf(node, key)?.key ?? headOf(node),
  };
}

/** `lyrics` → the words for `did you mean …?`; `undefined` if no field begins with it. */
function beginningWith(key: string, known: readonly string[]): string | undefined {
  const longer = known.filter((name) => name.startsWith(`${key}_`));
  return longer.length === 0 ? undefined : longer.join('`, `').replace(/, (?=[^,]*$)/, ' or ');
}

/** Fields that are often put in the wrong place. */
function elsewhere(key: string, pointer: string): string | undefined {
  if (pointer === '/defaults' && (key === 'id' || key === 'title'))
    return 'each track has its own: move it there';
  return belongsInDefaults(key, pointer) ? 'put it below `defaults:` to use it for all tracks' : undefined;
}

function belongsInDefaults(key: string, pointer: string): boolean {
  return pointer === '' && (REQUEST_FIELDS as readonly string[]).includes(key);
}

function missing(key: string, pointer: string, node: Located): Explained {
  const fixes: Readonly<Record<string, string>> = {
    version: 'begin the file with `version: 1`',
    tracks: 'list what to make below `tracks:`',
    id: 'give it a permanent id, such as `id: opening`',
  };
  const hint = fixes[key];
  return {
    ...fault('missing-field', `${nameOf(pointer)} has no \`${key}\``),
    ...(hint === undefined ? {} : { hint }),
    at: headOf(node),
  };
}

function wrongType(name: string, schema: Schema, node: Located, written: string): Explained {
  const hint =
    idInQuotes(name, node.value, written) ??
    typeHint(schema, node.value, written) ??
    likeThis(name, schema, node.value);
  const isText = typeof node.value === 'string' || node.kind !== 'scalar' || node.value === null;
  return {
    ...fault(
      'wrong-type',
      `${name} must be ${expected(schema)}, found ${isText ? found(node.value) : cut(written)}`,
    ),
    ...(hint === undefined ? {} : { hint }),
    at: node.kind === 'scalar' ? node : headOf(node),
  };
}

/** `0x1F` in quotes would still be no id. */
function idInQuotes(name: string, value: unknown, written: string): string | undefined {
  if (name !== '`id`' || value === null || typeof value === 'object') return undefined;
  const slug = slugOf(written);
  if (slug === '' || slug === written) return undefined;
  return `an id has lowercase letters, digits, - _ and ., and this one needs quotes: ${JSON.stringify(slug)}`;
}

function typeHint(schema: Schema, value: unknown, written: string): string | undefined {
  if (value === null) return 'fill it in, or remove the line';
  if (schema.type === 'array' && typeof value === 'object') return itemHint(value);
  if (schema.type === 'string' && typeof value !== 'object')
    return `put it into quotes: ${JSON.stringify(written)}`;
  if (schema.type === 'string' && !isSingle(value)) return 'text that begins with { or [ needs quotes';
  if (typeof value !== 'string') return undefined;
  if (schema.type === 'boolean' && /^(yes|on|y)$/i.test(value)) return 'write true';
  if (schema.type === 'boolean' && /^(no|off|n)$/i.test(value)) return 'write false';
  if (/^\$?\d+(\.\d+)?\$?$/.test(value.trim()))
    return `write ${value.replace(/[$\s]/g, '')}, without quotes or signs`;
  if (schema.type === 'boolean' && /^(true|false)$/i.test(value))
    return `write ${value.toLowerCase()}, without quotes`;
  const meant = schema.type === 'boolean' ? closest(value, ['true', 'false']) : undefined;
  return meant === undefined ? undefined : `did you mean \`${meant}\`?`;
}

function isSingle(value: unknown): boolean {
  return Array.isArray(value) && value.length === 1 && typeof value[0] === 'string';
}

/** Fields where a list is expected: the dash before the first one is missing. */
function itemHint(value: object): string | undefined {
  const [[name, first] = []] = Object.entries(value);
  return name === undefined || typeof first === 'object'
    ? undefined
    : `begin each entry with a dash: \`- ${name}: ${cut(String(first))}\``;
}

function likeThis(name: string, schema: Schema, value: unknown): string | undefined {
  if (name === 'the manifest' && Array.isArray(value)) return 'put the list below `tracks:`';
  if (schema.type === 'string' && isSingle(value))
    return `write it as ${name.slice(0, -1)}: ${cut(String(value))}\``;
  if (name.startsWith('track ') && typeof value === 'string') return `write it as \`- id: ${cut(value)}\``;
  if (schema.type === 'boolean') return 'write true or false';
  const [type] = [schema.type].flat();
  const isNumber = type === 'integer' || type === 'number';
  return nearest(name, schema, value) ?? (isNumber ? `give ${expected(schema)}` : undefined);
}

const FORMS: Readonly<Record<string, string>> = {
  '`language_code`': 'give an ISO 639-1 code, such as en',
  '`date`': 'write it as YYYY, YYYY-MM or YYYY-MM-DD',
};

function wrongForm(name: string, value: string, schema: Schema, node: Located): Explained {
  if (name !== '`id`')
    return {
      ...fault('bad-value', `${name} cannot be ${quoted(value)}`),
      hint: nearest(name, schema, value) ?? FORMS[name] ?? `give ${expected(schema)}`,
      at: node,
    };
  const slug = slugOf(value);
  return {
    ...fault('bad-id', `${quoted(value)} cannot be an \`id\``),
    hint: `use at most 64 lowercase letters, digits, - _ and .${slug ? `, as in \`${slug}\`` : ''}`,
    at: node,
  };
}

/** `/tracks/3/prompt` → `` `prompt` ``. */
function nameOf(pointer: string): string {
  if (pointer === '') return 'the manifest';
  const last = pointer.slice(pointer.lastIndexOf('/') + 1);
  return /^\d+$/.test(last) ? `track ${Number(last) + 1}` : `\`${last}\``;
}

function lengthOf(node: Located): string {
  return formatCount([...String(node.value)].length);
}
