export const HOME = '/home/album';
/** Not in the output folder, which may be replaced by a link during a run. */
export const PROJECT = '/home/project';
export const LOCKFILE = `${PROJECT}/album.lock.jsonl`;
/** The target of links from outside; not the program's. */
export const ELSEWHERE = '/elsewhere';
export const RESCUE = '/rescue/album';
export const KEYS = ['sk-sim-first-account', 'sk-sim-other-account'] as const;
