import { afterEach, describe, expect, it } from 'vitest';
import { type Place, type PlaceKind, startPlace, whyNot } from '../shared-log/places.js';
import { stress } from './stress.js';

/** Small, to take only seconds: `npm run stress` has eight processes, 200 appends each and 40 kills. */
const SIZES: Readonly<Record<PlaceKind, { processes: number; appends: number; kills: number }>> = {
  folder: { processes: 4, appends: 25, kills: 6 },
  s3: { processes: 4, appends: 25, kills: 6 },
  // A push takes a dozen processes.
  git: { processes: 3, appends: 6, kills: 2 },
};

describe('many processes on one log, with faults and kills', () => {
  let place: Place | undefined;
  afterEach(async () => {
    await place?.stop();
    place = undefined;
  });

  for (const kind of Object.keys(SIZES) as PlaceKind[]) {
    const why = whyNot(kind);
    it.skipIf(why !== undefined)(
      `keep every record, claim no take twice and stay within the budget: ${kind}${why === undefined ? '' : ` (${why})`}`,
      async () => {
        place = await startPlace(kind);
        const { processes, appends, kills } = SIZES[kind];
        const result = await stress(place, { processes, appends, kills, seed: 1 });
        expect(result.faults).toEqual([]);
        expect(result.killed).toBe(kills);
        expect(result.answers.recorded).toBeGreaterThan(processes);
      },
      240_000,
    );
  }
});
