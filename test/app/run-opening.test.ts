import { expect, it } from 'vitest';
import { endingOf, openingOf } from '../../src/app/run-opening.js';
import type { BatchSettings, World } from '../../src/app/world.js';

const settings = { mode: 'run', command: (verb: string) => verb } as unknown as BatchSettings;

it.each(['by the user', 'by --timeout'])(
  'a silent log is not waited for long once the run is stopped: %s',
  (by) => {
    const user = new AbortController();
    const world = { stop: user.signal } as World;
    const ending = endingOf(world);
    const { stop } = openingOf(world, settings, () => Promise.reject(new Error('not read')), ending);
    expect(stop?.aborted).toBe(false);
    (by === 'by the user' ? user : ending.halt).abort();
    expect(stop?.aborted).toBe(true);
  },
);
