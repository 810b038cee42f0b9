/** The version that is written. */
export const LOCK_VERSION = 2;
/**
 * A lockfile that copies a shared log: older releases, which do not know the log, must not buy with
 * it.
 */
export const LOCK_VERSION_SHARED = 3;

export interface LockHeader {
  readonly format: 'venice-batch-lock';
  /** As it is written: an older one is brought up to it when it is read. */
  readonly version: typeof LOCK_VERSION | typeof LOCK_VERSION_SHARED;
  /** Base URL of the API that all attempts went to. */
  readonly endpoint: string;
  /** Random, for the lockfile's whole life: 32 hex digits. Salts the key fingerprints. */
  readonly lineage: string;
  /**
   * Of a merge of lockfiles that began separately: the lineages of all of them, sorted. The first is `lineage`. Marks of a
   * key that were made under any of them hold.
   */
  readonly was?: readonly string[];
  /** Address of the shared log that this is a copy of. Absent: the records are here alone. */
  readonly log?: string;
}

/** With the version that belongs to what the header says. */
export function withVersion(header: Omit<LockHeader, 'version'>): LockHeader {
  return { ...header, version: header.log === undefined ? LOCK_VERSION : LOCK_VERSION_SHARED };
}

/** A merge of more lockfiles is refused. */
export const LINEAGES_MAX = 64;

/** Every lineage whose attempts the lockfile has. */
export function lineagesOf({ lineage, was }: Pick<LockHeader, 'lineage' | 'was'>): readonly string[] {
  return was ?? [lineage];
}

/**
 * True if the two belong together: one is an earlier or later state of the other, or of a merge
 * with it.
 */
export function isRelated(a: LockHeader, b: LockHeader): boolean {
  const known = new Set(lineagesOf(a));
  return lineagesOf(b).some((lineage) => known.has(lineage));
}

/** The shared logs that two headers name, each once. Two of them cannot be joined: only a person knows which one goes on. */
export function logsOf(a: LockHeader, b: LockHeader): readonly string[] {
  return [...new Set([a.log, b.log].filter((log) => log !== undefined))];
}

/** The header of a merge of two lockfiles of one endpoint and no more than one log: the same in any order, however often. */
export function joinHeaders(a: LockHeader, b: LockHeader): LockHeader {
  const was = [...new Set([...lineagesOf(a), ...lineagesOf(b)])].sort();
  const joined = { ...joinFields(a, b), lineage: was[0] ?? a.lineage };
  return withVersion(was.length > 1 ? { ...joined, was } : joined);
}

/** A field of a newer release that differs is one of the two, and the same one in either order. */
function joinFields(a: LockHeader, b: LockHeader): LockHeader {
  const joined: Record<string, unknown> = { ...a };
  for (const [name, value] of Object.entries(b)) {
    const known = joined[name];
    if (known === undefined || JSON.stringify(value) > JSON.stringify(known)) joined[name] = value;
  }
  return joined as unknown as LockHeader;
}
