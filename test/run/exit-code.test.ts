import { describe, expect, it } from 'vitest';
import { type EndState, exitCodeOf } from '../../src/app/exit-code.js';
import type { StopReason } from '../../src/run/stop-reason.js';

function ending(
  changes: Partial<Omit<EndState, 'stopReasons'>> = {},
  ...stopReasons: StopReason[]
): EndState {
  return { stopReasons: new Set(stopReasons), inDoubt: 0, inFlight: 0, notMade: 0, notBought: 0, ...changes };
}

describe('the exit code of a run', () => {
  it.each<[string, EndState, number]>([
    ['all done', ending(), 0],
    ['a track failed', ending({ notMade: 1 }), 100],
    ['in flight', ending({ inFlight: 1 }), 11],
    ['failed and in flight', ending({ notMade: 1, inFlight: 1 }), 100],
    [
      'in doubt before everything but the lockfile',
      ending({ inDoubt: 1, notMade: 1 }, 'balance', 'storage'),
      8,
    ],
    ['balance before budget', ending({}, 'balance', 'price_rose'), 6],
    ['budget before the key', ending({}, 'price_rose', 'authentication'), 5],
    ['the key before the service', ending({}, 'authentication', 'unavailable'), 4],
    ['the service before failed tracks', ending({ notMade: 2 }, 'unavailable'), 12],
    ['a full disk', ending({ inFlight: 3 }, 'storage'), 12],
    ['a lockfile that cannot be written', ending({ inFlight: 3 }, 'lockfile'), 12],
    ['a refusal before the run', ending({ refusal: 3, notBought: 4 }), 3],
    ['a refusal, and something in doubt', ending({ refusal: 3, inDoubt: 1 }), 8],
    ['declined, with work in flight', ending({ refusal: 2, inFlight: 1 }), 2],
    ['time is up', ending({ inFlight: 2, notBought: 3 }, 'timeout'), 11],
    ['detached', ending({ inFlight: 2 }, 'detached'), 11],
    ['not bought, for no known reason', ending({ notBought: 1 }), 100],
    ['Ctrl-C before everything', ending({ signal: 'SIGINT', inDoubt: 1 }, 'interrupted', 'balance'), 130],
    ['SIGTERM', ending({ signal: 'SIGTERM', inFlight: 1 }, 'interrupted'), 143],
  ])('%s', (_name, end, code) => {
    expect(exitCodeOf(end)).toBe(code);
  });
});
