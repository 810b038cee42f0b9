import { type Resolution, resolveAttempt } from '../../../src/app/resolution.js';
import type { BatchSettings, World } from '../../../src/app/world.js';
import { faultCode } from '../../../src/core/errors.js';
import type { Attempt } from '../../../src/lockfile/attempt.js';
import { lookAtJob } from '../../../src/run/look-at-job.js';
import { createClient } from '../../../src/venice/create-client.js';
import { type LockView, lockfileHere } from '../lock-view.js';
import { LOCKFILE } from '../places.js';
import type { Rng } from '../random.js';
import { withOpenStore } from '../with-open-store.js';
import type { Program, SimWorld } from '../world.js';
import { isFor } from '../worn.js';

/**
 * Runs `venice-batch resolve` for every attempt that this machine's lockfile has in doubt, before it is brought up to
 * date. What the user says is true as far as that lockfile shows: a job that it does not name may be another attempt's.
 */
export function resolvingOutdated(world: SimWorld, rng: Rng): Program {
  const view = lockfileHere(world.disk, LOCKFILE);
  const said = [...view.attempts.values()]
    .map(({ latest }) => latest)
    .filter(({ state }) => state === 'intent' || state === 'in_doubt')
    .filter(({ attempt }) => world.shared?.mayResolve(attempt) !== false);
  return async (around, settings) => {
    for (const doubt of said) {
      const { attempt } = doubt;
      // One at a time: what is left may be settled by the machine that made it.
      if (rng.chance(0.4)) continue;
      const saying = world.verdicts.get(attempt) ?? sayOf(world, rng, doubt, view);
      try {
        await resolveOne(world, around, settings, attempt, saying);
      } catch (error) {
        // The disk or the log refuses, or the lock is held: the user tries again later.
        if (faultCode(error) === '') throw error;
      }
    }
    return 'done';
  };
}

function sayOf(world: SimWorld, rng: Rng, doubt: Attempt, view: LockView): Resolution {
  const { server, waived, verdicts } = world;
  const known = new Set([...view.attempts.values()].flatMap(({ queueIds }) => [...queueIds]));
  for (const said of verdicts.values()) if (said.kind === 'queue_id') known.add(said.queueId);
  const jobs = [...server.jobs.values()].filter(
    ({ prompt, queueId }) => isFor(world, doubt, prompt) && !known.has(queueId) && !waived.has(queueId),
  );
  if (rng.chance(0.1)) return { kind: 'requeue' };
  if (jobs.length === 0) return { kind: 'not_charged' };
  return rng.chance(0.7) ? { kind: 'queue_id', queueId: rng.pick(jobs).queueId } : { kind: 'charged' };
}

async function resolveOne(
  world: SimWorld,
  around: World,
  settings: BatchSettings,
  id: string,
  saying: Resolution,
): Promise<void> {
  const { ports, transport } = around;
  await withOpenStore(around, settings, async (store) => {
    const attempt = store.newest(id);
    if (attempt === undefined || store.fault() !== undefined) return;
    // Its job was found meanwhile: the program refuses.
    if (attempt.state === 'queued' || attempt.state === 'unverified') return;
    if (saying.kind === 'queue_id') {
      const holder = [...store.attempts.values()].find((other) => other.queue_id === saying.queueId);
      if (holder !== undefined) return;
      const looked = await lookAtJob(createClient(transport, String), attempt.model, saying.queueId);
      if (looked.kind !== 'known') return;
    }
    const resolved = resolveAttempt(attempt, saying, ports.clock.nowMs());
    world.trace(`the user says of ${id} (${attempt.state}): ${JSON.stringify(saying)}`);
    if (!resolved.ok) return;
    note(world, attempt, saying);
    await store.record(resolved.attempt, { byPerson: true });
    await store.close();
  });
}

/** What the user has said, and sticks to. */
function note(
  { album, allowances, verdicts }: SimWorld,
  { attempt, digest }: Attempt,
  saying: Resolution,
): void {
  verdicts.set(attempt, saying);
  if (saying.kind !== 'requeue') return;
  for (const [prompt, allowance] of allowances)
    if (album.digests.get(prompt) === digest) allowance.extra += 1;
}
