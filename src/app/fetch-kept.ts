import path from 'node:path';
import { faultCode, isSystemFault } from '../core/errors.js';
import type { Attempt, StoredFile } from '../lockfile/attempt.js';
import type { LockStore } from '../lockfile/lock-store.js';
import type { Take } from '../manifest/take.js';
import { mayBeKept, takeId } from '../plan/history.js';
import { paced, retryUntilAnswered } from '../run/gather.js';
import { stateOf } from '../run/recover.js';
import type { RateLimiter } from '../scheduler/rate-limiter.js';
import { downloadAudio } from '../storage/download.js';
import { publishFile } from '../storage/link-into-place.js';
import type { Output } from '../storage/output.js';
import type { VeniceClient } from '../venice/client.js';
import { createClient } from '../venice/create-client.js';
import { classifyRetrieve } from '../venice/retrieve-outcome.js';
import { noticeTo } from './emit.js';
import { type BatchSettings, redactorOf, type World } from './world.js';

export interface FetchKeptInput {
  readonly world: World;
  readonly settings: BatchSettings;
  readonly store: LockStore;
  readonly takes: readonly Take[];
  readonly output: Output;
  /** Attempts whose files this run has asked for already: they are not asked for twice. */
  readonly asked?: ReadonlySet<string> | undefined;
  /** Something stopped the run, such as `--timeout` or a full disk: the service is asked for nothing more. */
  readonly isStopped?: boolean | undefined;
  /** The run's: a pause that a response asks for is kept by all later requests. */
  readonly limiter: RateLimiter;
}

/**
 * Downloads missing files again, at no cost. Without an audio store the service's copies are kept, so that nothing is
 * lost with the machine that stored them. Records stay as they are: a copy that is gone, or was made again with other
 * bytes, leaves the file missing.
 *
 * @returns the attempts whose copy the service may still have: buying them again would pay twice
 */
export async function fetchKept({
  world,
  settings,
  store,
  takes,
  output,
  asked,
  isStopped,
  limiter,
}: FetchKeptInput): Promise<ReadonlySet<string>> {
  if (settings.allowSingleCopy === true) return new Set();
  const report = noticeTo(world);
  const missing = (await missingFiles(world, store, takes, output)).filter(
    ({ attempt }) => asked?.has(attempt.attempt) !== true,
  );
  if (world.account === undefined) {
    const them = missing.length === 1 ? '1 missing file' : `${missing.length} missing files`;
    const hint = `set it, then: ${settings.command('collect')}`;
    if (missing.length > 0)
      report(
        'warning',
        'not-pulled',
        `the service may still have ${them}, but VENICE_API_KEY is not set`,
        hint,
      );
    return new Set(missing.map(({ attempt }) => attempt.attempt));
  }
  const client = createClient(world.transport, redactorOf(world), world.account);
  const unclear: Missing[] = [];
  let [fetched, refusals, why] = [0, 0, ''];
  for (const one of missing) {
    const isHopeless = isStopped === true || world.stop.aborted || refusals >= REFUSALS_MAX;
    const answer = isHopeless ? NOT_ASKED : await fetchOne(world, { client, limiter }, one, output);
    if (answer === 'fetched') fetched += 1;
    if (answer === 'fetched' || answer === 'absent') refusals = 0;
    else {
      unclear.push(one);
      why ||= answer.why;
      if (!isHopeless) refusals = answer.refusals === 0 ? 0 : refusals + answer.refusals;
    }
  }
  const [first] = unclear;
  if (first !== undefined && isStopped !== true && !world.stop.aborted) {
    const place = settings.placeOf?.(first.file.path) ?? first.file.path;
    const more = unclear.length > 1 ? ` and ${unclear.length - 1} more` : '';
    const again = `none of this is bought again in this run; to try again: ${settings.command('collect')}`;
    report('warning', 'not-pulled', `could not download ${place}${more} from the service: ${why}`, again);
  }
  const files = fetched === 1 ? '1 missing file' : `${fetched} missing files`;
  if (fetched > 0) report('info', 'files-pulled', `downloaded ${files} from the service again, at no cost`);
  return new Set(unclear.map(({ attempt }) => attempt.attempt));
}

interface Missing {
  readonly attempt: Attempt;
  readonly file: StoredFile;
  readonly queueId: string;
}

/** Files that are not here, and may still be at the service. */
async function missingFiles(
  { ports }: World,
  store: LockStore,
  takes: readonly Take[],
  output: Output,
): Promise<readonly Missing[]> {
  const elsewhere = new Set(takes.filter((take) => take.audioElsewhere === true).map(takeId));
  const nowMs = ports.clock.nowMs();
  const missing: Missing[] = [];
  for (const attempt of store.attempts.values()) {
    const { file, queue_id } = attempt;
    if (file === undefined || queue_id === undefined || !mayBeKept(attempt, nowMs)) continue;
    if (elsewhere.has(takeId(attempt))) continue;
    if ((await stateOf({ output }, attempt, 'size')) === 'missing')
      missing.push({ attempt, file, queueId: queue_id });
  }
  return missing;
}

/** `absent`: the service does not have this file. With `why` it may have it. */
type Fetched = 'fetched' | 'absent' | Unclear;

interface Unclear {
  readonly why: string;
  /** How much it says against asking for the next file: see `REFUSALS_MAX`. */
  readonly refusals: number;
}

/** After so many refusals in a row, the service is at fault and not one file. A refused key counts as all of them. */
const REFUSALS_MAX = 3;
const NOT_ASKED: Unclear = { why: '', refusals: 0 };
const DOWNLOADS_MAX = 3;

interface Service {
  readonly client: VeniceClient;
  readonly limiter: RateLimiter;
}

async function fetchOne(
  world: World,
  service: Service,
  wanted: Missing,
  output: Output,
  tries = 1,
): Promise<Fetched> {
  const { attempt, file, queueId } = wanted;
  const { root, files } = output;
  const { ports, stop } = world;
  const limits = service.limiter.of(attempt.model);
  const retrieve = () => service.client.retrieve(attempt.model, queueId);
  const ask = () => paced(ports.clock, limits, 'retrieve', retrieve, stop);
  const outcome = classifyRetrieve(await retryUntilAnswered(ports.clock, ask, stop));
  if (outcome.kind === 'failed' || outcome.kind === 'unknown_id') return 'absent';
  if (outcome.kind === 'running') return thisFile('it is being made again');
  if (outcome.kind !== 'audio') {
    const isKey = outcome.kind === 'refused' && outcome.about === 'key';
    return { why: outcome.failure.message, refusals: isKey ? REFUSALS_MAX : 1 };
  }
  const target = path.join(root, file.path);
  const part = `${target}.${attempt.attempt.slice(0, 8)}.part`;
  try {
    await files.makeDirectory(path.dirname(target));
    const download = await downloadAudio(files, ports.inspectMedia, outcome, part, stop);
    if (download.kind === 'broken' && tries < DOWNLOADS_MAX && !stop.aborted)
      return await fetchOne(world, service, wanted, output, tries + 1);
    if (download.kind === 'broken' || download.kind === 'disk') return thisFile(download.code);
    // A file that the user accepted without a check fails it again.
    const whole = download.kind === 'mismatch' ? download.received : download;
    const isSame = whole?.sha256 === file.sha256;
    if (isSame && (await publishFile(files, part, target)) === 'published') return 'fetched';
    await files.remove(part);
    if (isSame) return thisFile('its file name is taken');
    // Something in between may have sent it.
    return download.kind === 'complete'
      ? 'absent'
      : thisFile(`what it sends cannot be used (${download.code})`);
  } catch (error) {
    if (!isSystemFault(error)) throw error;
    outcome.answer.discard();
    return thisFile(faultCode(error));
  }
}

/** It says nothing about the other files. */
function thisFile(why: string): Unclear {
  return { why, refusals: 0 };
}
