/** The version that is written. */
export const LOCK_VERSION = 2;
/** For a lockfile that is the copy of a shared log. Older releases do not know the log and must not buy with it. */
export const LOCK_VERSION_SHARED = 3;

export interface LockHeader {
  readonly format: 'venice-batch-lock';
  /** The version to write. A file of an older version is upgraded when read. */
  readonly version: typeof LOCK_VERSION | typeof LOCK_VERSION_SHARED;
  /** Base URL of the API that all attempts were sent to. */
  readonly endpoint: string;
  /** Random (32 hex digits), and unchanged for the lockfile's lifetime. Salts the key fingerprints. */
  readonly lineage: string;
  /**
   * After a merge of lockfiles that were created separately: all their lineages, sorted. The first is `lineage`. Key
   * signatures made under any of them are valid.
   */
  readonly was?: readonly string[];
  /** Address of the shared log that this is a copy of. Absent: the lockfile is the only record. */
  readonly log?: string;
}

/** Adds the version that the other fields require. */
export function withVersion(header: Omit<LockHeader, 'version'>): LockHeader {
  return { ...header, version: header.log === undefined ? LOCK_VERSION : LOCK_VERSION_SHARED };
}

/** Lockfiles with more lineages are not merged. */
export const LINEAGES_MAX = 64;

/** All lineages that the lockfile has attempts of. */
export function lineagesOf({ lineage, was }: Pick<LockHeader, 'lineage' | 'was'>): readonly string[] {
  return was ?? [lineage];
}

/** Whether one is an earlier or later state of the other, or of a merge with it. */
export function isRelated(a: LockHeader, b: LockHeader): boolean {
  const known = new Set(lineagesOf(a));
  return lineagesOf(b).some((lineage) => known.has(lineage));
}

/** The distinct shared logs that two headers name. Two logs cannot be joined: the user has to choose one. */
export function logsOf(a: LockHeader, b: LockHeader): readonly string[] {
  return [...new Set([a.log, b.log].filter((log) => log !== undefined))];
}

/**
 * The header of a merge of two lockfiles with one endpoint and at most one log. The order and the number of merges do
 * not matter.
 */
export function joinHeaders(a: LockHeader, b: LockHeader): LockHeader {
  const was = [...new Set([...lineagesOf(a), ...lineagesOf(b)])].sort();
  const joined = { ...joinFields(a, b), lineage: was[0] ?? a.lineage };
  return withVersion(was.length > 1 ? { ...joined, was } : joined);
}

/** Where a newer release's field differs, chooses one of the two, independent of order. */
function joinFields(a: LockHeader, b: LockHeader): LockHeader {
  const joined: Record<string, unknown> = { ...a };
  for (const [name, value] of Object.entries(b)) {
    const known = joined[name];
    if (known === undefined || JSON.stringify(value) > JSON.stringify(known)) joined[name] = value;
  }
  return joined as unknown as LockHeader;
}
