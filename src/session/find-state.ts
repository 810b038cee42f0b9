import type { OpenSettings } from '../app/opening.js';
import { pullHere } from '../app/pull-here.js';
import { type SharedView, sharedView, type ViewSettings } from '../app/shared-view.js';
import { isSystemFault } from '../core/errors.js';
import type { UsableLock } from '../lockfile/read.js';
import { escapeForeign } from '../report/escape.js';
import { withPlacesFound } from '../run/recover.js';
import { type Output, openOutput } from '../storage/output.js';
import type { OpenBatch } from './open-batch.js';
import { readableManifest } from './unreadable.js';

/** The shared log for a command other than a run: from flag, environment, manifest, or the lockfile's header. */
export function stateFinder(batch: OpenBatch): NonNullable<OpenSettings['findState']> {
  return async (named) => {
    const { settings } = batch;
    const given = settings.state?.value;
    const manifest = given === undefined && !settings.sandbox ? await readableManifest(batch) : undefined;
    const address = given ?? manifest?.state ?? (manifest === undefined ? await named() : undefined);
    return address === undefined ? undefined : batch.openState(address);
  };
}

/**
 * Data for a read-only command; it warns of what it cannot read. Throws a `BatchError` as `sharedView` does.
 *
 * @param showsUnknown see `ViewSettings.showsUnknown`
 */
export async function viewOf(
  batch: OpenBatch,
  read: UsableLock,
  verb: string,
  { showsUnknown }: Pick<ViewSettings, 'showsUnknown'> = {},
): Promise<SharedView> {
  const view = await recordsOf(batch, read, verb, showsUnknown);
  if (!view.attempts.some(({ file }) => file !== undefined)) return view;
  const output = await openOutput(batch.ports.files, batch.settings.outputRoot.value).catch(
    unlessSystemFault,
  );
  if (output === undefined) return view;
  const known = {
    takes: (await readableManifest(batch))?.takes,
    former: read.notes.find((note) => note.kind === 'restored')?.places,
  };
  return { ...view, attempts: await withPlacesFound({ output }, view.attempts, known) };
}

/** Commands that need the folder report this themselves. */
function unlessSystemFault(fault: unknown): undefined {
  if (!isSystemFault(fault)) throw fault;
}

async function recordsOf(
  batch: OpenBatch,
  read: UsableLock,
  verb: string,
  showsUnknown?: boolean,
): Promise<SharedView> {
  const { settings, ports, endpoint, command, warn } = batch;
  // Ignores the lockfile's header: no log is contacted because of it.
  const state = await stateFinder(batch)(async () => undefined);
  if (state === undefined && read.header?.log === undefined) return { attempts: [...read.attempts.values()] };
  const about = {
    lockfilePath: settings.lockfilePath.value,
    endpoint,
    command,
    again: batch.again ?? ((...words) => command(verb, ...words)),
    noteLog: batch.noteLog,
    allowSingleCopy: settings.choices.allowSingleCopy === true,
    manifest: state && (await readableManifest(batch)),
    showsUnknown,
  };
  return sharedView(ports, about, read, state, (message, hint) => warn(noticeText('warning', message, hint)));
}

/**
 * Downloads the files that other machines stored, for a command that needs them.
 *
 * @param reported see `PullSettings.reported`
 * @returns see `pullHere`
 */
export async function pullFor(
  batch: OpenBatch,
  { audio, attempts }: SharedView,
  output: Output,
  reported?: Set<string>,
): Promise<ReadonlySet<string>> {
  const { warn, placeOf, command } = batch;
  try {
    return await pullHere(
      audio,
      output,
      attempts,
      (level, _code, message, hint) => warn(noticeText(level, message, hint)),
      { placeOf, command, ...(reported && { reported }), manifest: audio && (await readableManifest(batch)) },
    );
  } finally {
    await audio?.close();
  }
}

/** What a command that reports no events prints of a notice. */
export function noticeText(level: 'info' | 'warning' | 'error', message: string, hint?: string): string {
  const head = level === 'info' ? '' : `${level}: `;
  return `${escapeForeign(head + message)}\n${hint === undefined || level === 'info' ? '' : `  ${escapeForeign(hint)}\n`}`;
}
