import path from 'node:path';
import { BatchError, EXIT } from '../core/errors.js';
import type { Attempt } from '../lockfile/attempt.js';
import type { Take } from '../manifest/take.js';
import type { Picks } from '../picks/pick-types.js';
import { picksPathIn, readPicks } from '../picks/picks-file.js';
import { picksOf, picksWithoutTrack } from '../picks/picks-of.js';
import type { PicksView } from '../report/picks-text.js';
import type { OpenBatch } from './open-batch.js';
import type { PlaceSettings } from './settings.js';

/** The picks file: next to the manifest, or in the sandbox folder for a sandbox run. */
export function picksFileOf({ sandbox, sandboxDirectory, manifestPath }: PlaceSettings): string {
  return picksPathIn(sandbox ? sandboxDirectory : path.dirname(manifestPath), manifestPath);
}

export interface LoadedPicks {
  readonly file: string;
  readonly picks: Picks;
  /** Absent if there is no file yet. */
  readonly text?: string | undefined;
}

/** Shows what is wrong with the file; then throws `BatchError` (3). */
export async function loadPicks(batch: OpenBatch): Promise<LoadedPicks> {
  const file = picksFileOf(batch.settings);
  const displayPath = path.relative(process.cwd(), file);
  const read = await readPicks(batch.ports.files, file, displayPath);
  if (read.ok) return { file, picks: read.picks, text: read.text };
  batch.show(read.diagnostics, read.sources);
  throw new BatchError('picks-invalid', `the picks in ${displayPath} cannot be used`, {
    exitCode: EXIT.invalid,
    hint: 'fix what is shown above, or move the file away and pick again',
  });
}

/** Tracks with a pick. Throws like `loadPicks`: buying nothing is safer than buying too much. */
export async function pickedTracks(batch: OpenBatch): Promise<ReadonlySet<string>> {
  return new Set((await loadPicks(batch)).picks.keys());
}

/** For read-only commands: picks that cannot be used are reported and ignored. */
export async function picksView(
  batch: OpenBatch,
  takes: readonly Take[],
  attempts: readonly Attempt[],
): Promise<PicksView | undefined> {
  try {
    const { picks } = await loadPicks(batch);
    return { tracks: picksOf(picks, takes, attempts), removed: picksWithoutTrack(picks, takes) };
  } catch (error) {
    if (error instanceof BatchError) return undefined;
    throw error;
  }
}
