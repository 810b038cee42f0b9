import { unreachable } from '../core/errors.js';
import type { WaitsFor } from '../shared-log/patience.js';

export function silentLogText(address: string, what: WaitsFor): string {
  const kept = 'what it has not taken is in the lockfile, and the next run here adds it';
  return silentText(`the shared log ${address}`, kept, what);
}

export function silentAudioText(address: string, what: WaitsFor): string {
  const kept = 'files that it has not taken stay here, and the next run here uploads them';
  return silentText(`the audio store ${address}`, kept, what);
}

/** What the run is waiting for. */
function silentText(store: string, kept: string, what: WaitsFor): string {
  switch (what) {
    case 'answers':
      return `${store} does not answer: waiting for it`;
    case 'stopping':
      return `stopping: waiting for ${store} to answer; ${kept}`;
    case 'nothing':
      return `${store} did not answer: this run no longer waits for it; ${kept}`;
    default:
      return unreachable(what);
  }
}
