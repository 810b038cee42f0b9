import { readFileSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { ALL_MUTANTS as MUTANTS } from '../sim/mutants.js';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));

describe('the mutants', () => {
  const patches = MUTANTS.flatMap(({ name, patches = [] }) => patches.map((patch) => ({ name, ...patch })));

  it.each(patches)('replace text that occurs once: $name in $file', ({ file, find, replace }) => {
    const text = readFileSync(path.join(ROOT, file), 'utf8');
    expect(text.split(find), find).toHaveLength(2);
    expect(replace).not.toBe(find);
  });

  it('have unique names', () => {
    const names = MUTANTS.map(({ name }) => name);
    expect(names).toEqual([...new Set(names)]);
  });
});
