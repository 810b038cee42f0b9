import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

/**
 * One command for all: `npm run bench -- [names] [--full]`. Each is a program of its own that exits with 1 if it misses
 * a target.
 */
const benches: Readonly<Record<string, string>> = {
  virtual: 'virtual/main.ts',
  jobs: 'jobs.ts',
  together: 'together.ts',
  validate: 'validate.ts',
  page: 'page.ts',
  real: 'real/main.ts',
};

const flags = process.argv.slice(2).filter((argument) => argument.startsWith('-'));
const names = process.argv.slice(2).filter((argument) => !argument.startsWith('-'));
const unknown = names.filter((name) => !Object.hasOwn(benches, name));
if (unknown.length > 0) {
  console.error(`no such bench: ${unknown.join(', ')}; there are ${Object.keys(benches).join(', ')}`);
  process.exit(2);
}
for (const name of names.length > 0 ? names : Object.keys(benches)) {
  const program = fileURLToPath(new URL(benches[name]!, import.meta.url));
  if (!existsSync(program)) continue;
  console.log(`\n=== ${name} ===\n`);
  const { status } = spawnSync(process.execPath, ['--import', 'tsx', program, ...flags], {
    stdio: 'inherit',
  });
  if (status !== 0) process.exitCode = 1;
}
