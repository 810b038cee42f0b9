import type { Rng } from '../random.js';
import type { Timeline } from '../timeline.js';
import type { Incarnation } from '../world.js';

/**
 * - `strict`: of several writers of a key one wins. The only kind that may be used for buying
 * - `careless`: ignores the condition, so that the last writer wins
 * - `racing`: checks first and writes a moment later, so that concurrent writers all win
 */
export type BucketKind = 'strict' | 'careless' | 'racing';

/** Objects shared by all machines: a service of its own, which outlives them. */
export interface Bucket {
  readonly kind: BucketKind;
  readonly objects: ReadonlyMap<string, Uint8Array>;
  /** Takes effect now, except in a racing bucket. `answered` gets the HTTP status. */
  put(key: string, bytes: Uint8Array, by: Incarnation, answered: (status: 200 | 412) => void): void;
  list(prefix: string): readonly string[];
  /** Deletes an object from outside, or restores it. */
  remove(key: string): void;
  restore(key: string, bytes: Uint8Array): void;
}

export interface BucketOptions {
  readonly kind: BucketKind;
  readonly timeline: Timeline;
  readonly rng: Rng;
  /** Each object as it is written. */
  readonly onPut: (put: BucketPut) => void;
}

export interface BucketPut {
  readonly key: string;
  readonly bytes: Uint8Array;
  readonly by: Incarnation;
  /** Whether an object already has this key. */
  readonly replaces: boolean;
}

const RACE_MS = { low: 300, high: 600 };

export function createBucket({ kind, timeline, rng, onPut }: BucketOptions): Bucket {
  const objects = new Map<string, Uint8Array>();
  const write = (key: string, bytes: Uint8Array, by: Incarnation) => {
    const replaces = objects.has(key);
    objects.set(key, bytes);
    onPut({ key, bytes, by, replaces });
  };
  return {
    kind,
    objects,
    put: (key, bytes, by, answered) => {
      if (objects.has(key) && kind !== 'careless') answered(412);
      else if (kind === 'racing')
        timeline.after(rng.between(RACE_MS.low, RACE_MS.high), () => {
          write(key, bytes, by);
          answered(200);
        });
      else {
        write(key, bytes, by);
        answered(200);
      }
    },
    list: (prefix) => [...objects.keys()].filter((key) => key.startsWith(prefix)).sort(),
    remove: (key) => objects.delete(key),
    restore: (key, bytes) => objects.set(key, bytes),
  };
}
