import { readFileSync } from 'node:fs';
import type { AnySchema } from 'ajv';
import { parse } from 'yaml';

/**
 * The shapes of responses in the API's OpenAPI document. With `VENICE_OPENAPI` set to its path (YAML), responses are
 * checked against the document itself too.
 */
export type Shapes = (name: string) => AnySchema | undefined;

export const openApiFile = process.env.VENICE_OPENAPI;

/** `undefined` if the document has no such response. */
export function shapesOf(file: string): Shapes {
  // biome-ignore lint/suspicious/noExplicitAny: somebody else's document
  const document: any = parse(readFileSync(file, 'utf8'));
  return (name) => {
    const [method = '', path = '', status = ''] = name.split(' ');
    const answer = document.paths[path]?.[method]?.responses[status];
    return resolve(answer?.content?.['application/json']?.schema, document) as AnySchema | undefined;
  };
}

/** Inlines references, and turns OpenAPI 3.0's bounds into those of JSON Schema. */
function resolve(schema: unknown, document: Record<string, unknown>): unknown {
  if (Array.isArray(schema)) return schema.map((item) => resolve(item, document));
  if (typeof schema !== 'object' || schema === null) return schema;
  const { $ref, example, ...rest } = schema as Record<string, unknown>;
  if (typeof $ref === 'string') {
    const named = $ref.slice(2).split('/');
    return resolve(
      named.reduce((at: unknown, key) => (at as Record<string, unknown>)[key], document),
      document,
    );
  }
  for (const [bound, exclusive] of [
    ['minimum', 'exclusiveMinimum'],
    ['maximum', 'exclusiveMaximum'],
  ] as const) {
    if (rest[exclusive] !== true) continue;
    rest[exclusive] = rest[bound];
    delete rest[bound];
  }
  return Object.fromEntries(Object.entries(rest).map(([key, value]) => [key, resolve(value, document)]));
}
