import path from 'node:path';
import { faultCode, isSystemFault } from '../core/errors.js';
import type { Attempt, StoredFile } from '../lockfile/attempt.js';
import type { LockStore } from '../lockfile/lock-store.js';
import type { Take } from '../manifest/take.js';
import { takeId } from '../plan/history.js';
import { stateOf } from '../run/recover.js';
import { downloadAudio } from '../storage/download.js';
import { publishFile } from '../storage/link-into-place.js';
import type { Output } from '../storage/output.js';
import type { VeniceClient } from '../venice/client.js';
import { createClient } from '../venice/create-client.js';
import { classifyRetrieve } from '../venice/retrieve-outcome.js';
import { noticeTo } from './emit.js';
import { type BatchSettings, redactorOf, type World } from './world.js';

/** The service deletes finished audio after about this time. */
const KEPT_MS = 24 * 3_600_000;

/**
 * Downloads once more, at no cost, what another machine stored. Without an audio store the service's copies are kept,
 * so that nothing is lost with that machine. Records stay as they are: a copy that is gone, or was made again with other
 * bytes, leaves the file missing.
 */
export async function fetchKept(
  world: World,
  settings: BatchSettings,
  store: LockStore,
  takes: readonly Take[],
  output: Output,
): Promise<void> {
  if (world.account === undefined || settings.allowSingleCopy === true) return;
  const report = noticeTo(world);
  const client = createClient(world.transport, redactorOf(world), world.account);
  const elsewhere = new Set(takes.filter((take) => take.audioElsewhere === true).map(takeId));
  const sinceMs = world.ports.clock.nowMs() - KEPT_MS;
  let fetched = 0;
  for (const attempt of store.attempts.values()) {
    const { file, queue_id, state } = attempt;
    if (state !== 'done' || file === undefined || queue_id === undefined) continue;
    if (elsewhere.has(takeId(attempt)) || Date.parse(attempt.at.stored ?? '') < sinceMs) continue;
    if (world.stop.aborted || (await stateOf({ output }, attempt, 'size')) !== 'missing') continue;
    const answer = await fetchOne(world, client, { attempt, file, queueId: queue_id }, output);
    if (answer === 'fetched') fetched += 1;
    else if (answer !== 'absent') {
      const place = settings.placeOf?.(file.path) ?? file.path;
      const again = `to try again: ${settings.command('collect')}`;
      report('warning', 'not-pulled', `could not download ${place} from the service: ${answer.why}`, again);
      break;
    }
  }
  const files = fetched === 1 ? '1 file' : `${fetched} files`;
  if (fetched > 0)
    report('info', 'files-pulled', `downloaded ${files} of other machines from the service, at no cost`);
}

type Fetched = 'fetched' | 'absent' | { readonly why: string };

async function fetchOne(
  { ports, stop }: World,
  client: VeniceClient,
  wanted: { readonly attempt: Attempt; readonly file: StoredFile; readonly queueId: string },
  { root, files }: Output,
): Promise<Fetched> {
  const { attempt, file, queueId } = wanted;
  const outcome = classifyRetrieve(await client.retrieve(attempt.model, queueId));
  if (outcome.kind === 'ask_again' || outcome.kind === 'refused') return { why: outcome.failure.message };
  if (outcome.kind !== 'audio') return 'absent';
  const target = path.join(root, file.path);
  const part = `${target}.part`;
  try {
    await files.makeDirectory(path.dirname(target));
    const download = await downloadAudio(files, ports.inspectMedia, outcome, part, stop);
    if (download.kind === 'broken' || download.kind === 'disk') return { why: download.code };
    if (download.kind === 'complete' && download.sha256 === file.sha256)
      return (await publishFile(files, part, target)) === 'published' ? 'fetched' : 'absent';
    await files.remove(part);
    return 'absent';
  } catch (error) {
    if (!isSystemFault(error)) throw error;
    outcome.answer.discard();
    return { why: faultCode(error) };
  }
}
