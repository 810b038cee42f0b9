import type { Diagnostic } from '../core/diagnostic.js';
import { shellWord } from '../core/shell.js';
import type { NextCommand } from '../lockfile/lock-error.js';
import type { Take } from '../manifest/take.js';
import type { PlanRow } from './plan.js';
import { listed } from './text.js';

/** The other lockfile that names a file, and the manifest that it belongs to by name, if there is one. Absolute. */
export interface FileOwner {
  readonly lockfile: string;
  readonly manifest?: string;
}

interface Wording {
  /** How messages name a file, given its path relative to the output root. */
  placeOf(file: string): string;
  readonly command?: NextCommand | undefined;
}

interface Occupied {
  readonly take: Take;
  readonly path: string;
}

/** Untracked files at the paths of takes: one error for each lockfile that they belong to. */
export function occupiedErrors(
  rows: readonly PlanRow[],
  owners: ReadonlyMap<string, FileOwner> = new Map(),
  { placeOf, command = (...words) => words.join(' ') }: Wording,
): readonly Diagnostic[] {
  const groups = new Map<string | undefined, [Occupied, ...Occupied[]]>();
  for (const { take, decision } of rows) {
    if (decision.kind !== 'occupied') continue;
    const [of, one] = [owners.get(decision.path)?.lockfile, { take, path: decision.path }];
    const known = groups.get(of);
    if (known === undefined) groups.set(of, [one]);
    else known.push(one);
  }
  return [...groups.values()].map((group): Diagnostic => {
    const [first] = group;
    const owner = owners.get(first.path);
    const names = listed(
      group.map(({ path }) => shellWord(placeOf(path))),
      NAMED_MAX,
    );
    const [exist, are] = group.length === 1 ? ['exists', 'is'] : ['exist', 'are'];
    return {
      code: 'output-occupied',
      severity: 'error',
      message:
        owner === undefined
          ? `${names} ${exist}, but ${are} not in the lockfile`
          : `${names} ${exist}, and ${are} in another lockfile, ${shellWord(owner.lockfile)}`,
      hint: hintFor(owner, group.length === 1 ? 'the file' : 'the files', command),
      ...(group.length === 1 ? { span: first.take.span } : {}),
    };
  });
}

const NAMED_MAX = 5;

function hintFor(owner: FileOwner | undefined, files: string, command: NextCommand): string {
  if (owner === undefined)
    return `restore the lockfile that ${files === 'the file' ? 'it belongs' : 'they belong'} to, or move ${files} away to buy again`;
  if (owner.manifest !== undefined)
    return `${shellWord(owner.manifest)} uses the same names: choose others for this manifest, with \`output:\``;
  return `to go on with that lockfile: ${command('plan', '--lockfile', owner.lockfile)}; to make other files, choose other names with \`output:\``;
}
