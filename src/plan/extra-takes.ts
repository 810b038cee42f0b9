import type { Code } from '../core/codes.js';
import type { Diagnostic } from '../core/diagnostic.js';
import { TAKES_MAX } from '../core/take-key.js';
import type { Attempt } from '../lockfile/attempt.js';
import type { LoadedManifest, Manifest, Take } from '../manifest/take.js';
import type { SavedPlan } from './saved-plan.js';
import { readSelection, type Selection } from './selection.js';

/*
 * `run --more N` makes takes beyond the manifest's `takes`. The number counts from `takes`, so that the same command
 * buys nothing twice, however often it runs and wherever it was interrupted. What was bought stays a take of its track
 * for all later commands, until the request of the track changes.
 */

/** The manifest including the takes that were bought beyond `takes`. */
export function withBoughtTakes(manifest: Manifest, attempts: Iterable<Attempt>): Manifest {
  const bought = new Map<string, Attempt[]>();
  for (const attempt of attempts) {
    if (attempt.extra !== true || isDropped(attempt)) continue;
    const ofTrack = bought.get(attempt.track);
    if (ofTrack === undefined) bought.set(attempt.track, [attempt]);
    else ofTrack.push(attempt);
  }
  if (bought.size === 0) return manifest;
  return extended(manifest, (first) =>
    (bought.get(first.track) ?? [])
      .filter(({ digest }) => digest === first.digest || digest === first.formerDigest)
      .map(({ take }) => take),
  ).manifest;
}

/** Whether the take is made again only with `--more`: it failed, and the user did not ask for it again. */
function isDropped({ state, reason }: Attempt): boolean {
  return UNSUCCESSFUL.has(state) && !ASKED_FOR_AGAIN.has(reason?.code ?? '');
}

/** `resolve --requeue` and `resolve --not-charged`: the next run buys it. */
const ASKED_FOR_AGAIN: ReadonlySet<string> = new Set(['requeued', 'resolved_not_charged'] satisfies Code[]);
const UNSUCCESSFUL: ReadonlySet<Attempt['state']> = new Set(['failed', 'lost', 'rejected']);

/** What `--more`, or a plan saved with it, asks for. */
export interface MoreTakes {
  readonly more?: number | undefined;
  readonly selection: Selection;
  readonly savedPlan?: Pick<SavedPlan, 'purchases'> | undefined;
}

/** The manifest as a run sees it: including the takes that were bought beyond `takes`, and those requested now. */
export function withExtraTakes(
  loaded: LoadedManifest,
  attempts: readonly Attempt[],
  { more, selection, savedPlan }: MoreTakes,
): LoadedManifest {
  if (loaded.manifest === undefined) return loaded;
  const manifest = withBoughtTakes(loaded.manifest, attempts);
  const planned = savedPlan?.purchases ?? [];
  if (more === undefined && planned.length === 0) return { ...loaded, manifest };
  const { selected } = readSelection({ ...selection, force: [] }, manifest.takes);
  const chosen = new Set(manifest.takes.filter(selected).map(({ track }) => track));
  const asked = (first: Take, declared: number): readonly number[] => [
    ...planned.filter(({ track }) => track === first.track).map(({ take }) => take),
    ...(chosen.has(first.track) ? numbersAfter(declared, more ?? 0) : []),
  ];
  const { manifest: whole, diagnostics } = extended(manifest, asked);
  const problems = [...diagnostics, ...tooMany(whole)];
  if (problems.length > 0) {
    const { manifest: _, ...rest } = loaded;
    return { ...rest, diagnostics: [...loaded.diagnostics, ...problems] };
  }
  const isIdle = more !== undefined && chosen.size > 0 && whole.takes.length === manifest.takes.length;
  const idle = isIdle ? [noneLeft(more, manifest)] : [];
  return { ...loaded, manifest: whole, diagnostics: [...loaded.diagnostics, ...idle] };
}

/** Adds takes to each track, after its existing ones. */
function extended(
  manifest: Manifest,
  numbersOf: (first: Take, declared: number) => readonly number[],
): { readonly manifest: Manifest; readonly diagnostics: readonly Diagnostic[] } {
  const diagnostics: Diagnostic[] = [];
  const takes = [...byTrack(manifest.takes).values()].flatMap((known) => {
    const declared = known.filter(({ extra }) => extra !== true).length;
    const present = new Set(known.map(({ take }) => take));
    const numbers = new Set(numbersOf(known[0]!, declared).filter((take) => !present.has(take)));
    const added = [...numbers].flatMap((take) => {
      const made = manifest.extraTake?.(known[0]!.track, take) ?? [];
      if ('key' in made) return [made];
      diagnostics.push(...made);
      return [];
    });
    if (added.length === 0) return known;
    const all = [...known, ...added].sort((a, b) => a.take - b.take);
    return all.map((take) => ({ ...take, takes: all.length }));
  });
  return { manifest: { ...manifest, takes }, diagnostics };
}

function byTrack(takes: readonly Take[]): ReadonlyMap<string, readonly Take[]> {
  const tracks = new Map<string, Take[]>();
  for (const take of takes) {
    const known = tracks.get(take.track);
    if (known === undefined) tracks.set(take.track, [take]);
    else known.push(take);
  }
  return tracks;
}

function numbersAfter(declared: number, count: number): readonly number[] {
  return Array.from({ length: count }, (_, at) => declared + 1 + at);
}

function tooMany({ takes }: Manifest): readonly Diagnostic[] {
  if (takes.length <= TAKES_MAX) return [];
  const message = `with --more there would be ${takes.length} takes, and a manifest can have at most 50,000`;
  return [{ code: 'too-many-takes', severity: 'error', message, hint: 'choose tracks with --only' }];
}

function noneLeft(more: number, { takes }: Manifest): Diagnostic {
  const extras = [...byTrack(takes).values()].map((all) => all.filter(({ extra }) => extra === true).length);
  return {
    code: 'no-more-takes',
    severity: 'warning',
    message: `--more ${more} counts from \`takes\` in the manifest, and these takes were bought before`,
    hint: `for further takes, give a higher number, such as --more ${Math.max(...extras) + more}`,
  };
}
