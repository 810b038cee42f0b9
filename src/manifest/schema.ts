import { createRequire } from 'node:module';
import { Ajv, type ErrorObject, type ValidateFunction } from 'ajv';
import type { Diagnostic } from '../core/diagnostic.js';
import { type Located, nodeAt, type Source } from './located.js';
import { explain, meantBy } from './schema-error.js';

export interface SchemaCheck {
  readonly diagnostics: readonly Diagnostic[];
  /**
   * JSON Pointers of everything that does not match the schema: fields (also missing ones, and those that a misspelled
   * one was meant to be) and whole maps. No other rules apply to them, because their values are unknown.
   */
  readonly unfit: ReadonlySet<string>;
}

/** Number of errors with a guess of what was meant. A file with more is not a manifest. */
const GUESSES_MAX = 1_000;

let compiled: ValidateFunction | undefined;

/** Checks a manifest against `schemas/manifest.schema.json`. Returns all errors, each with its place and a fix. */
export function checkSchema(root: Located, source: Source): SchemaCheck {
  const given = errorsIn(root, source);
  const names = new Map(given.flatMap(meantName));
  const named = renamed(root, names);
  const isRenamed = ({ instancePath, params }: ErrorObject) =>
    instancePath === '' && names.has(String(params.additionalProperty));
  const errors = named === root ? given : [...given.filter(isRenamed), ...errorsIn(named, source)];
  const meant = new Set(
    errors
      .slice(0, GUESSES_MAX)
      .map(meantBy)
      .filter((pointer) => pointer !== undefined),
  );
  return {
    diagnostics: errors
      .filter((error) => !isEcho(error, named, meant))
      .map((error, at) => explain(error, isRenamed(error) ? root : named, source, at < GUESSES_MAX)),
    unfit: new Set([...meant, ...errors.map(pointerOf).filter((pointer) => pointer !== undefined)]),
  };
}

function errorsIn(root: Located, source: Source): readonly ErrorObject[] {
  compiled ??= compile();
  const found = compiled(root.value) ? [] : (compiled.errors ?? []);
  return found.filter((error) => !takesBack(error, root, source));
}

/** The name of a misspelled top-level field, and the one that was meant. */
function meantName(error: ErrorObject): [name: string, meant: string][] {
  const [, meant, ...deeper] = (error.instancePath === '' ? meantBy(error) : undefined)?.split('/') ?? [];
  return meant === undefined || deeper.length > 0 ? [] : [[String(error.params.additionalProperty), meant]];
}

/** The manifest with the names that were meant, so that what is in such a field is checked, too. */
function renamed(root: Located, names: ReadonlyMap<string, string>): Located {
  if (root.kind !== 'map' || names.size === 0) return root;
  const entries = new Map([...root.entries].map(([name, entry]) => [names.get(name) ?? name, entry]));
  const value = Object.fromEntries([...entries].map(([name, { node }]) => [name, node.value]));
  return { ...root, entries, value };
}

function compile(): ValidateFunction {
  const schema = withoutNull(createRequire(import.meta.url)('../../schemas/manifest.schema.json'));
  return new Ajv({ allErrors: true, strict: true, allowUnionTypes: true, verbose: true }).compile(schema);
}

/**
 * The schema without its `null`s, which are for editors. The text shows whether a `null` was written or a value
 * forgotten, and one error for a wrong value is clearer than one for each alternative.
 */
export function withoutNull(schema: object): object {
  return JSON.parse(JSON.stringify(schema), (_key, value) =>
    value?.anyOf?.[1]?.type === 'null' ? value.anyOf[0] : value,
  ) as object;
}

/** The value with the problem, or the missing field. */
function pointerOf({ instancePath, keyword, params }: ErrorObject): string | undefined {
  if (keyword === 'additionalProperties') return undefined;
  return keyword === 'required' ? `${instancePath}/${params.missingProperty}` : instancePath;
}

/**
 * An explicit `null` in a track unsets the field, as if `defaults` did not have it. An empty value was probably
 * forgotten.
 */
function takesBack({ keyword, instancePath }: ErrorObject, root: Located, source: Source): boolean {
  if (keyword !== 'type' || !/^\/tracks\/\d+\/(?!id$)[^/]+$/.test(instancePath)) return false;
  const { start, end, value } = nodeAt(root, instancePath);
  return value === null && /^(null|~)$/i.test(source.text.slice(start, end));
}

/** Whether it only follows from a problem already reported: a misspelled field, or one that YAML could not parse. */
function isEcho(error: ErrorObject, root: Located, meant: ReadonlySet<string>): boolean {
  if (error.keyword === 'additionalProperties') return false;
  if (error.keyword === 'required' && meant.has(pointerOf(error) ?? '')) return true;
  const node = nodeAt(root, error.instancePath);
  return node.kind !== 'list' && node.faulty === true;
}
