import type { Attempt } from './attempt.js';
import { isLive } from './bought-twice.js';

/** The takes of each track that records say were bought. */
export interface Takes {
  /** A take without a record: the first, or one that lost its record since. */
  firstFree(track: string): number;
  /** Some records took the place of others. */
  replace(before: readonly Attempt[], after: readonly Attempt[]): void;
}

interface Track {
  /** How many records each take has. */
  readonly records: Map<number, number>;
  /** No take below it is free, except those that lost their records. */
  first: number;
  readonly freed: number[];
}

/** No answer takes longer the more records there are: a malicious lockfile may have any number for one track. */
export function createTakes(known: readonly Attempt[]): Takes {
  const tracks = new Map<string, Track>();
  const trackOf = (name: string): Track => {
    const track = tracks.get(name) ?? { records: new Map(), first: 1, freed: [] };
    tracks.set(name, track);
    return track;
  };
  const add = (record: Attempt) => {
    if (!isLive(record)) return;
    const { records } = trackOf(record.track);
    records.set(record.take, (records.get(record.take) ?? 0) + 1);
  };
  const remove = (record: Attempt) => {
    if (!isLive(record)) return;
    const { records, first, freed } = trackOf(record.track);
    const left = (records.get(record.take) ?? 0) - 1;
    if (left > 0) {
      records.set(record.take, left);
      return;
    }
    records.delete(record.take);
    if (record.take < first) freed.push(record.take);
  };
  for (const record of known) add(record);
  return {
    firstFree: (name) => {
      const track = trackOf(name);
      while (track.freed.length > 0) {
        const take = track.freed.at(-1) as number;
        if (!track.records.has(take)) return take;
        track.freed.pop();
      }
      while (track.records.has(track.first)) track.first += 1;
      return track.first;
    },
    replace: (before, after) => {
      for (const record of after) add(record);
      for (const record of before) remove(record);
    },
  };
}
