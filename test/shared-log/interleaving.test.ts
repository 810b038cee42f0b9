import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Attempt } from '../../src/lockfile/attempt.js';
import type { SharedLog } from '../../src/shared-log/shared-log.js';
import { createMemoryObjects, type StoreEvent } from '../fakes/memory-objects.js';
import { attempt, id } from '../lockfile/build.js';
import { type Acknowledged, faultsOfLog } from './check-log.js';
import { createTestClock, openAs } from './machine.js';

const PRICE = 100;
const BUDGET = 5 * PRICE;

/** What a machine does, in order: buys a take, and records its outcome. */
interface Step {
  readonly track: string;
  readonly outcome: 'queued' | 'rejected' | 'none';
}

const steps = fc.array(
  fc.record({
    track: fc.constantFrom('a', 'b', 'c', 'd', 'e', 'f', 'g'),
    outcome: fc.constantFrom<Step['outcome']>('queued', 'rejected', 'none'),
  }),
  { minLength: 1, maxLength: 5 },
);

const event = fc.oneof(
  { weight: 12, arbitrary: fc.constant<StoreEvent>('answered') },
  { weight: 1, arbitrary: fc.constant<StoreEvent>('lost_before') },
  { weight: 2, arbitrary: fc.constant<StoreEvent>('lost_after') },
  { weight: 2, arbitrary: fc.constant<StoreEvent>('late') },
);

const machine = fc.record({
  /** The lists run concurrently. */
  workers: fc.array(steps, { minLength: 1, maxLength: 3 }),
  events: fc.infiniteStream(event),
  /** The machine is lost at this request. */
  haltsAt: fc.oneof(fc.constant(Number.POSITIVE_INFINITY), fc.nat({ max: 60 })),
  haltsAfter: fc.boolean(),
});

function outcomeOf(intent: Attempt, state: 'queued' | 'rejected'): Attempt {
  return { ...intent, rev: 2, state, ...(state === 'queued' && { queue_id: `q-${intent.attempt}` }) };
}

describe('several machines on one log', () => {
  it('keep it gapless, claim no take twice, stay within the budget and lose nothing, in every order and with every fault', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.scheduler(),
        fc.array(machine, { minLength: 2, maxLength: 4 }),
        async (scheduler, machines) => {
          const memory = createMemoryObjects();
          const acknowledged: Acknowledged[] = [];
          const turn = () => scheduler.schedule(Promise.resolve());
          const lives = machines.map(({ workers, events, haltsAt, haltsAfter }, index) => {
            let requests = 0;
            let lose = () => {};
            const lost = new Promise<void>((resolve) => {
              lose = resolve;
            });
            const store = memory.store(() => {
              requests += 1;
              if (requests % 5 === 0) memory.arrive();
              if (requests < haltsAt) return events.next().value as StoreEvent;
              lose();
              return haltsAfter ? 'halted_after' : 'halted_before';
            }, turn);
            const live = async () => {
              const log = await openAs(`run ${index}`, store, { clock: createTestClock(turn) });
              await Promise.all(
                workers.map((worker, at) => walk(log, worker, `${index} ${at}`, acknowledged)),
              );
              await log.close();
            };
            return Promise.race([live(), lost]);
          });
          await scheduler.waitFor(Promise.all(lives));
          memory.arrive();
          expect(faultsOfLog(memory.objects, acknowledged, BUDGET)).toEqual([]);
        },
      ),
      { numRuns: 150 },
    );
  });
});

async function walk(
  log: SharedLog,
  worker: readonly Step[],
  name: string,
  acknowledged: Acknowledged[],
): Promise<void> {
  for (const [at, { track, outcome }] of worker.entries()) {
    const intent = attempt({ attempt: id(`${name} ${at}`), track, quote_micro_usd: PRICE });
    const answer = await log.append(intent, { budgetMicroUsd: BUDGET });
    if (answer !== 'recorded') continue;
    acknowledged.push(intent);
    if (outcome === 'none') continue;
    const after = outcomeOf(intent, outcome);
    expect(await log.append(after)).toBe('recorded');
    acknowledged.push(after);
  }
}
