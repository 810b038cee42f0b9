import { readFile } from 'node:fs/promises';
import { expect, it } from 'vitest';
import { generateTypes, TYPES } from '../tools/generate-types.js';

it('the types of the manifest match its schema (`npm run types` generates them)', async () => {
  expect(await readFile(TYPES, 'utf8')).toBe(await generateTypes());
});
