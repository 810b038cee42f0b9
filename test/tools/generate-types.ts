import { readFile, writeFile } from 'node:fs/promises';
import { pathToFileURL } from 'node:url';
import { compile, type JSONSchema } from 'json-schema-to-typescript';
import { withoutNull } from '../../src/manifest/schema.js';

const SCHEMA = new URL('../../schemas/manifest.schema.json', import.meta.url);

/** The generated file. */
export const TYPES = new URL('../../src/manifest/manifest.types.ts', import.meta.url);

/** The types of `schemas/manifest.schema.json` as TypeScript source. */
export async function generateTypes(): Promise<string> {
  const schema = withoutNull(JSON.parse(await readFile(SCHEMA, 'utf8'))) as JSONSchema;
  return compile(schema, 'ManifestFile', {
    additionalProperties: false,
    bannerComment:
      '// Made from schemas/manifest.schema.json by `npm run types`. Change the schema, not this file.',
    ignoreMinAndMaxItems: true,
    style: { singleQuote: true, printWidth: 110, trailingComma: 'all' },
  });
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) {
  await writeFile(TYPES, await generateTypes());
}
