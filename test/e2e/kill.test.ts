import { mkdirSync } from 'node:fs';
import path from 'node:path';
import pLimit from 'p-limit';
import { beforeAll, describe, expect, it } from 'vitest';
import { type Life, live, openPlace, type Place } from '../kill/life.js';
import { loseMachine } from '../kill/lost-machine.js';
import { hasStrace, type Way } from '../kill/way.js';
import { type PlaceKind, startPlace } from '../shared-log/places.js';
import { afterTests, folder } from './program.js';

/** Lives at the same time. Each has its own service, as charges are counted per service. */
const WORKERS = 4;

const BY_CALL: readonly (readonly Way[])[] = [
  // Before the first intent, and between an intent and its submit.
  [call('link', 2), call('fdatasync', 3)],
  [call('fdatasync', 4), call('rename', 1)],
  [call('connect', 6), call('fsync', 2)],
  // Between a stored file and its record, at the clean-up, and at the final rewrite of the lockfile.
  [call('link', 4), call('unlink', 3)],
  [call('fdatasync', 16), call('writev', 3)],
];

const BY_EVENT: readonly (readonly Way[])[] = [
  [event(9, 0), event(12, 0)],
  [event(11, 3), event(14, 1)],
  [event(13, 0), event(16, 5)],
  [event(16, 2), event(18, 0)],
];

function call(name: string, nth: number): Way {
  return { kind: 'call', name, nth };
}

function event(nth: number, delayMs: number): Way {
  return { kind: 'event', nth, delayMs };
}

describe('a run that is killed, and whose next run is killed too', () => {
  const places: Place[] = [];
  beforeAll(async () => {
    const root = folder();
    for (let worker = 0; worker < WORKERS; worker += 1) {
      const home = path.join(root, `lane-${worker}`);
      mkdirSync(home);
      const place = await openPlace(home);
      afterTests(place.service.stop);
      places.push(place);
    }
  });

  const limit = pLimit(WORKERS);
  const liveAll = (all: readonly (readonly Way[])[], tag: string): Promise<Life[]> =>
    Promise.all(
      all.map((ways, index) =>
        limit(async () => {
          const place = places.pop()!;
          try {
            return await live(place, folder(), `${tag} ${index}.`, ways);
          } finally {
            places.push(place);
          }
        }),
      ),
    );

  it('pays once, loses nothing and is finished after kills around events', async () => {
    expectAllWell(await liveAll(BY_EVENT, 'event'), BY_EVENT.length);
  }, 120_000);

  it('pays once, loses nothing and is finished after kills at system calls', async () => {
    if (!hasStrace()) {
      console.log('strace is not installed: killed around events instead of at system calls');
      expectAllWell(await liveAll(BY_EVENT, 'again'), BY_EVENT.length);
      return;
    }
    expectAllWell(await liveAll(BY_CALL, 'call'), BY_CALL.length);
  }, 120_000);
});

/** `npm run kill -- --machines 50` has as many as one wants, and S3. */
describe.each<[PlaceKind, readonly Way[]]>([
  ['folder', [event(16, 0), event(22, 5)]],
  ['git', [event(22, 0)]],
])('a run that is killed, and whose machine is lost for good, with its log in: %s', (kind, ways) => {
  it('pays once and loses nothing, because another machine finishes in an empty folder', async () => {
    const [store, place] = [await startPlace(kind), await openPlace(folder())];
    afterTests(() => void store.stop());
    afterTests(place.service.stop);
    const lives: Life[] = [];
    for (const [index, way] of ways.entries())
      lives.push(await loseMachine(place, store, `lost ${index}.`, way));
    expectAllWell(lives, ways.length);
  }, 240_000);
});

function expectAllWell(lives: readonly Life[], killsMin: number): void {
  expect(lives.flatMap(({ faults }) => faults)).toEqual([]);
  expect(lives.every(({ finished }) => finished)).toBe(true);
  expect(lives.reduce((sum, { doubleCharges, lostIds }) => sum + doubleCharges + lostIds, 0)).toBe(0);
  // The first moment of each life is always reached; whether the second is depends on the first.
  expect(lives.reduce((sum, { reached }) => sum + reached.length, 0)).toBeGreaterThanOrEqual(killsMin);
}
