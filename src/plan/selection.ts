import { closest } from '../core/closest.js';
import type { Diagnostic } from '../core/diagnostic.js';
import type { Take } from '../manifest/take.js';
import { takeId } from './history.js';
import { listed, quoted } from './text.js';

/**
 * The user's selection. Each pattern is a track id (all its takes), a take key (`opening#2`), or
 * either with `*` (any characters) and `?` (one).
 */
export interface Selection {
  /** Buy nothing else. Absent: everything. Empty: nothing. */
  readonly only?: readonly string[] | undefined;
  readonly except?: readonly string[] | undefined;
  /** Tracks that are also excluded, because they have a pick (`--only-unpicked`). */
  readonly picked?: ReadonlySet<string> | undefined;
  /** Buy again what failed, is lost, was refused, or whose file is missing. */
  readonly retryFailed: boolean;
  /** Buy again although done. */
  readonly force: readonly string[];
  /** Of a saved plan: `except` then also has what was picked, so it may cancel out other flags. */
  readonly saved?: true;
}

/** Flags that request what is not bought by default. */
export function retryFlags({
  retryFailed,
  force,
}: Pick<Selection, 'retryFailed' | 'force'>): readonly string[] {
  return [...(retryFailed ? ['--retry-failed'] : []), ...force.flatMap((pattern) => ['--force', pattern])];
}

/** The word that selects only this take: the bare id of a track selects all its takes. */
export function takeWord(take: Take): string {
  return take.takes === 1 ? take.track : takeId(take);
}

export interface ReadSelection {
  /** Whether it may be bought. */
  selected(take: Take): boolean;
  forced(take: Take): boolean;
  /** Errors for patterns that match nothing, or of which other flags leave nothing. */
  readonly diagnostics: readonly Diagnostic[];
}

/** Whether the flags are to blame: until they are corrected, every command fails the same way. */
export function isOfSelection({ code }: Diagnostic): boolean {
  return code === 'unknown-track' || code === 'nothing-selected';
}

/** Restricts only buying: what is in flight is collected whatever the selection. */
export function readSelection(selection: Selection, takes: readonly Take[]): ReadSelection {
  const only = matched(selection.only ?? [], takes);
  const except = matched(selection.except ?? [], takes);
  const force = matched(selection.force, takes);
  const unknown = unknownTracks({ '--only': only, '--except': except, '--force': force }, takes);
  return {
    selected: (take) =>
      selection.picked?.has(take.track) !== true &&
      (selection.only === undefined || only.keys.has(take.key)) &&
      !except.keys.has(take.key),
    forced: (take) => force.keys.has(take.key),
    diagnostics:
      unknown.length > 0 || selection.saved === true ? unknown : cancelledOut(selection, takes, only, except),
  };
}

/** Flags of which nothing is left are a mistake, like a pattern that matches nothing. Picks are not: they change. */
function cancelledOut(
  selection: Selection,
  takes: readonly Take[],
  only: Matched,
  except: Matched,
): readonly Diagnostic[] {
  const restricted = selection.only !== undefined;
  if (!restricted && except.keys.size === 0) return [];
  const isLeft = (key: string) => (!restricted || only.keys.has(key)) && !except.keys.has(key);
  const asked = [
    ...(only.keys.size > 0 ? [{ flag: '--only', keys: only.keys, patterns: selection.only ?? [] }] : []),
    ...selection.force.map((pattern) => ({
      flag: '--force',
      keys: matched([pattern], takes).keys,
      patterns: [pattern],
    })),
  ];
  return asked
    .filter(({ keys }) => ![...keys].some(isLeft))
    .map(({ flag, keys, patterns }) => {
      const isOutside = restricted && ![...keys].some((key) => only.keys.has(key));
      return nothingLeft(`${flag} ${listed(patterns.map(quoted), NAMED_MAX)}`, isOutside);
    });
}

/** @param isOutside whether it is `--only` that leaves everything out */
function nothingLeft(asked: string, isOutside: boolean): Diagnostic {
  const by = isOutside ? '--only' : '--except';
  return {
    code: 'nothing-selected',
    severity: 'error',
    message: `${by} leaves out everything that ${asked} selects`,
    hint: isOutside ? `remove ${asked}, or add the same to --only` : `remove ${asked}, or change --except`,
  };
}

/** Those of a saved plan are untrusted: only so many are compared with every name. */
const UNKNOWN_MAX = 20;

function unknownTracks(
  byFlag: Readonly<Record<string, Matched>>,
  takes: readonly Take[],
): readonly Diagnostic[] {
  const unknown = Object.entries(byFlag).flatMap(([flag, { unmatched }]) =>
    unmatched.map((pattern) => ({ flag, pattern })),
  );
  if (unknown.length === 0) return [];
  const names = new Set(takes.flatMap(namesOf));
  return unknown.slice(0, UNKNOWN_MAX).map(({ flag, pattern }) => unknownTrack(flag, pattern, takes, names));
}

interface Matched {
  readonly keys: ReadonlySet<string>;
  readonly unmatched: readonly string[];
}

function matched(patterns: readonly string[], takes: readonly Take[]): Matched {
  const named = byName(takes);
  const keys = new Set<string>();
  const unmatched: string[] = [];
  for (const pattern of new Set(patterns)) {
    const names = /[*?]/.test(pattern)
      ? [...named.keys()].filter((name) => matchesGlob(name, pattern))
      : [pattern];
    const hits = names.flatMap((name) => named.get(name) ?? []);
    if (hits.length === 0) unmatched.push(pattern);
    for (const key of hits) keys.add(key);
  }
  return { keys, unmatched };
}

function byName(takes: readonly Take[]): ReadonlyMap<string, readonly string[]> {
  const named = new Map<string, string[]>();
  for (const take of takes) {
    for (const name of namesOf(take)) {
      const keys = named.get(name);
      if (keys === undefined) named.set(name, [take.key]);
      else keys.push(take.key);
    }
  }
  return named;
}

/** `opening`, `opening#1`: the first of several takes has both names, and the bare id means all. */
function namesOf(take: Take): readonly string[] {
  return [take.track, takeId(take), take.key];
}

function unknownTrack(
  flag: string,
  pattern: string,
  takes: readonly Take[],
  names: ReadonlySet<string>,
): Diagnostic {
  const meant = closest(pattern, names);
  return {
    code: 'unknown-track',
    severity: 'error',
    message: `${flag} ${quoted(pattern)} matches no track`,
    hint: meant === undefined ? `the tracks are ${someOf(takes)}` : `did you mean ${quoted(meant)}?`,
  };
}

const NAMED_MAX = 10;

function someOf(takes: readonly Take[]): string {
  const tracks = [...new Set(takes.map(({ track }) => track))];
  const rest = tracks.length > NAMED_MAX ? `, and ${tracks.length - NAMED_MAX} more` : '';
  return `${tracks.slice(0, NAMED_MAX).join(', ')}${rest}`;
}

/**
 * Whether the whole text matches: `*` matches any number of characters, `?` exactly one, others themselves. Time is at
 * most proportional to the product of both lengths.
 */
export function matchesGlob(text: string, pattern: string): boolean {
  let at = 0;
  let next = 0;
  // Where to resume after a mismatch: after the last star, which then matches one character more.
  let star = -1;
  let starAt = 0;
  while (at < text.length) {
    if (pattern[next] === '*') {
      star = next++;
      starAt = at;
    } else if (pattern[next] === '?' || pattern[next] === text[at]) {
      next++;
      at++;
    } else if (star >= 0) {
      next = star + 1;
      at = ++starAt;
    } else {
      return false;
    }
  }
  while (pattern[next] === '*') next++;
  return next === pattern.length;
}
