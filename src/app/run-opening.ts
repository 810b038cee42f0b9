import type { LoadedManifest } from '../manifest/take.js';
import type { Stopping } from '../shared-log/patience.js';
import { noticeTo } from './emit.js';
import type { Opened } from './open-lockfile.js';
import type { OpenSettings } from './opening.js';
import type { OpenState, State } from './shared-state.js';
import { silentAudioText } from './silent-text.js';
import type { BatchSettings, World } from './world.js';

/** How a run that has begun comes to an early end. */
export interface Ending {
  /** Aborted when it halts, see `RunContext`. */
  readonly halt: AbortController;
  /** The same, or the user stopped it: nothing more is downloaded, and a silent store is not waited for long. */
  readonly ended: AbortSignal;
}

export function endingOf({ stop }: World): Ending {
  const halt = new AbortController();
  return { halt, ended: AbortSignal.any([stop, halt.signal]) };
}

export function verbOf({ mode }: BatchSettings): string {
  return mode === 'collect' ? 'collect' : 'run';
}

/** The manifest is needed early because it may name the shared log. */
export function openingOf(
  world: World,
  settings: BatchSettings,
  load: () => Promise<LoadedManifest>,
  { ended }: Ending,
): OpenSettings {
  const { openState } = world;
  const verb = verbOf(settings);
  const opening: OpenSettings = {
    ...settings,
    again: settings.again ?? ((...words) => settings.command(verb, ...words)),
    retry: settings.command(verb),
    yes: settings.yes === true && verb === 'run',
    stop: ended,
  };
  if (openState === undefined) return opening;
  return {
    ...opening,
    findState: async (named) => {
      const address = settings.state ?? (settings.sandbox ? undefined : await stateOfManifest(load, named));
      return address === undefined ? undefined : openPatiently(world, openState, address, ended);
    },
    manifest: async () => (await load()).manifest,
  };
}

/** An unreadable manifest forbids buying. The lockfile then says where to collect. */
async function stateOfManifest(
  load: () => Promise<LoadedManifest>,
  named: () => Promise<string | undefined>,
): Promise<string | undefined> {
  const { manifest } = await load();
  return manifest === undefined ? named() : manifest.state;
}

/** Opens a state whose audio store is shown when the run waits for it, and not waited for long after the stop. */
export async function openPatiently(
  world: Pick<World, 'emit' | 'ports'>,
  openState: OpenState,
  address: string,
  stop: Stopping['stop'],
): Promise<State> {
  const report = noticeTo(world);
  const state: State = await openState(address, {
    stop,
    waits: (what) => report('info', 'state-silent', silentAudioText(state.address, what)),
  });
  return state;
}

/** If audio is stored only on machines, keep the remote copy unless the user accepts a single copy. */
export function keepingFor(settings: BatchSettings, { store, audio }: Opened): BatchSettings {
  const isAlone = store.sharing !== undefined && audio === undefined;
  const keep = settings.keep || (isAlone && settings.allowSingleCopy !== true);
  // A user who collects explicitly does not want to wait for a machine that may be gone.
  return { ...settings, keep, takeOver: settings.mode === 'collect' };
}
