import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';

const BENCH = new URL('../bench/real/', import.meta.url);
const SRC = new URL('../../src/', import.meta.url);

describe('the bench of the built program', () => {
  it('loads only modules that exist', () => {
    const loaded = readdirSync(BENCH).flatMap((file) =>
      file.endsWith('.js')
        ? [...readFileSync(new URL(file, BENCH), 'utf8').matchAll(/'([a-z-]+\/[a-z-]+)\.js'/g)].map(
            ([, name]) => `${name}.ts`,
          )
        : [],
    );
    expect(loaded).toContain('app/run-batch.ts');
    expect(loaded.filter((name) => !existsSync(new URL(name, SRC)))).toEqual([]);
  });
});
