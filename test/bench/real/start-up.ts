import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { median, printTable, type Target } from './verdict.js';

const ROUNDS = 25;
const cli = fileURLToPath(new URL('../../../dist/cli.js', import.meta.url));
const COMMANDS = {
  'node -e 0': ['-e', '0'],
  '--version': [cli, '--version'],
  '--help': [cli, '--help'],
} as const;

/** How long the program takes to start, compared to an empty node: the median of alternating runs. */
export function startUp(): readonly Target[] {
  const names = Object.keys(COMMANDS) as (keyof typeof COMMANDS)[];
  const times = new Map(names.map((name) => [name, [] as number[]]));
  for (let round = 0; round < ROUNDS; round += 1)
    for (const name of names) times.get(name)!.push(timeMs(COMMANDS[name]));
  const typical = (name: keyof typeof COMMANDS) => median(times.get(name)!);
  const over = (name: keyof typeof COMMANDS) => typical(name) / typical('node -e 0');
  console.log(`Start-up, median of ${ROUNDS}`);
  printTable(
    ['', 'wall', 'more than an empty node'],
    names.map((name) => [name, `${typical(name).toFixed(0)} ms`, over(name).toFixed(2)]),
  );
  return [{ what: '--version, more than an empty node', found: over('--version'), atMost: 2 }];
}

function timeMs(args: readonly string[]): number {
  const began = performance.now();
  const { status } = spawnSync(process.execPath, args);
  if (status !== 0) throw new Error(`node ${args.join(' ')} ended with ${status}`);
  return performance.now() - began;
}
