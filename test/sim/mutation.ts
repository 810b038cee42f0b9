import { ALL_MUTANTS } from './mutants.js';
import { play } from './play.js';

/** Plays each mutant until it is caught. @returns what to print, and the names of those that survived */
export async function playMutants(options: {
  readonly from: number;
  readonly seedsMax: number;
  readonly workers: number;
  readonly names: readonly string[];
  readonly reported: (line: string) => void;
}): Promise<readonly string[]> {
  const survivors: string[] = [];
  for (const { name } of ALL_MUTANTS) {
    if (options.names.length > 0 && !options.names.includes(name)) continue;
    const { failed } = await play({
      from: options.from,
      count: options.seedsMax,
      workers: options.workers,
      mutant: name,
      untilFailure: true,
    });
    const first = failed[0];
    const by = [...new Set(failed.map(({ violations }) => violations[0]?.check))].sort().join(', ');
    if (first === undefined) survivors.push(name);
    options.reported(
      first === undefined
        ? `${name}: not caught in ${options.seedsMax} seeds`
        : `${name}: caught by ${by} after ${first.seed - options.from + 1} seeds`,
    );
  }
  return survivors;
}
