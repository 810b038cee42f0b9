import { fileURLToPath } from 'node:url';
import { startVitest } from 'vitest/node';

/*
 * `npm run fuzz`: a minute for each reader, or `npm run fuzz -- SECONDS`. fast-check derives the inputs from a corpus.
 * They are not guided by coverage: that would take `@jazzer.js/core`, whose native addon exists for some platforms only
 * and brings a C++ build system as a dependency.
 */
const seconds = Number(process.argv[2] ?? process.env.FUZZ_SECONDS ?? 60);
if (!(seconds > 0)) throw new Error(`not a number of seconds above 0: ${process.argv[2]}`);
process.env.FUZZ_SECONDS = String(seconds);
const vitest = await startVitest('test', ['test/fuzz'], {
  run: true,
  config: fileURLToPath(new URL('../vitest.config.ts', import.meta.url)),
});
await vitest.close();
