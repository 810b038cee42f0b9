import { createRequire } from 'node:module';
import { Ajv, type ErrorObject, type ValidateFunction } from 'ajv';
import type { Diagnostic } from '../diagnostic.js';
import type { Located, Source } from './located.js';
import { explain } from './schema-error.js';

export interface SchemaCheck {
  readonly diagnostics: readonly Diagnostic[];
  /** Tracks (from 0) that are not as the schema wants them: not to be looked at any further. */
  readonly brokenTracks: ReadonlySet<number>;
  /** Set where the rest of the manifest makes no sense with these errors. */
  readonly unusable: boolean;
}

let compiled: ValidateFunction | undefined;

/** Checks a manifest against `schemas/manifest.schema.json`. Tells all errors, each with its place and its fix. */
export function checkSchema(root: Located, source: Source): SchemaCheck {
  compiled ??= compile();
  const errors = compiled(root.value) ? [] : (compiled.errors ?? []);
  const foreignVersion = errors.find(({ instancePath }) => instancePath === '/version');
  const told = foreignVersion ? [foreignVersion] : errors;
  return {
    diagnostics: told.map((error) => explain(error, root, source)),
    brokenTracks: new Set(errors.map(trackOf).filter((track) => track !== undefined)),
    unusable: foreignVersion !== undefined || errors.some(spoilsAll),
  };
}

function compile(): ValidateFunction {
  const schema = createRequire(import.meta.url)('../../schemas/manifest.schema.json') as object;
  return new Ajv({ allErrors: true, strict: true, allowUnionTypes: true, verbose: true }).compile(schema);
}

function trackOf({ instancePath }: ErrorObject): number | undefined {
  const match = /^\/tracks\/(\d+)/.exec(instancePath);
  return match ? Number(match[1]) : undefined;
}

/** Not so: a field of the manifest itself that is unknown or wrong, or a broken track among others. */
function spoilsAll({ instancePath, keyword, params }: ErrorObject): boolean {
  if (instancePath === '') return keyword === 'type' || params.missingProperty === 'tracks';
  return instancePath === '/tracks' || instancePath.startsWith('/defaults');
}
