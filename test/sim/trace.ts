import { runBatch } from '../../src/app/run-batch.js';
import { FAMILIES } from './families.js';
import { CHECKS } from './judge.js';
import { mutantNamed } from './mutants.js';
import type { Family } from './world.js';

/** Plays one seed in this thread. @returns whether it held */
export async function traceSeed(
  family: Family,
  seed: number,
  trace: boolean,
  mutant: string | undefined,
): Promise<boolean> {
  const tampering = mutantNamed(mutant)?.tampering;
  const result = await FAMILIES[family](seed, {
    runBatch,
    ...(tampering === undefined ? {} : { tampering }),
    ...(trace ? { trace: (line) => console.log(line) } : {}),
  });
  for (const { check, message } of result.violations)
    console.log(`${check}) ${CHECKS[check]}\n   ${message}`);
  const { runs, crashes, charges } = result;
  console.log(
    `seed ${seed}: ${runs} runs, ${crashes} crashes, ${charges} charges, ${result.violations.length} violations`,
  );
  return result.violations.length === 0;
}
