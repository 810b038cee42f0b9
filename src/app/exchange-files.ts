import { emitNotice } from '../core/emit-notice.js';
import type { RateLimiter } from '../scheduler/rate-limiter.js';
import type { Output } from '../storage/output.js';
import { noticeTo } from './emit.js';
import type { Opened } from './open-lockfile.js';
import { type PullSettings, pullHere } from './pull-here.js';
import type { BatchSettings, World } from './world.js';

export interface FetchSettings extends PullSettings {
  readonly limiter: RateLimiter;
  /** See `FetchKeptInput.asked`. */
  readonly asked?: ReadonlySet<string>;
  /** See `FetchKeptInput.isStopped`. */
  readonly isStopped?: boolean;
}

/**
 * Downloads files that other machines stored, from the audio store or, without one, from the service: before a run
 * buys, and at its end what others made meanwhile.
 *
 * @returns the attempts whose files may be there and could not be downloaded
 */
export async function fetchMissing(
  world: World,
  settings: BatchSettings,
  { store, audio }: Opened,
  output: Output,
  pulling: FetchSettings,
): Promise<ReadonlySet<string>> {
  const notPulled = await pullHere(audio, output, store.attempts.values(), noticeTo(world), pulling);
  if (store.sharing === undefined || audio !== undefined) return notPulled;
  const { fetchKept } = await import('./fetch-kept.js');
  const { manifest, limiter, asked, isStopped } = pulling;
  return fetchKept({
    world,
    settings,
    store,
    takes: manifest?.takes ?? [],
    output,
    asked,
    isStopped,
    limiter,
  });
}

/** Uploads files that were stored before there was an audio store, so that other machines can fetch them. */
export async function pushFromHere(
  world: World,
  { placeOf = String, mode }: BatchSettings,
  { store, audio }: Opened,
  output: Output,
): Promise<void> {
  if (audio === undefined || mode === 'frozen') return;
  const { pushFiles } = await import('../run/upload.js');
  const failed = await pushFiles(audio, output, store.attempts.values(), world.stop);
  for (const { path: place, why } of failed.slice(0, 5))
    emitNotice(
      world,
      'warning',
      'not-pushed',
      `could not upload ${placeOf(place)} to the audio store: ${why}`,
      'until the next run it is on this machine only',
    );
}
