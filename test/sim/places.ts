export const HOME = '/home/album';
/** Not in the output folder: that one may be replaced by a link while a run goes on. */
export const PROJECT = '/home/project';
export const LOCKFILE = `${PROJECT}/album.lock.jsonl`;
/** Where others' links lead, and nothing of the program's. */
export const ELSEWHERE = '/elsewhere';
export const RESCUE = '/rescue/album';
export const KEYS = ['sk-sim-first-account', 'sk-sim-other-account'] as const;
