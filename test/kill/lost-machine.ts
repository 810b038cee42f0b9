import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import type { Attempt } from '../../src/lockfile/attempt.js';
import { createClock } from '../../src/node/clock.js';
import { systemRandom } from '../../src/node/random.js';
import { openSharedLog } from '../../src/shared-log/open-log.js';
import { launchProgram, TEN_MINUTES_LATER } from '../e2e/launch.js';
import { type Place as Store, storeAt } from '../shared-log/places.js';
import { attemptsOf, doubleCharges, fileFaults, isOpen, lostJobs, servedJobs } from './judge.js';
import {
  type Life,
  type Machine,
  openAttempts,
  type Place,
  runArgs,
  runToTheEnd,
  settle,
  WANTED,
  writeAlbum,
} from './life.js';
import type { RunSize } from './points.js';
import { describe, runAndKill, type Way } from './way.js';

/**
 * A run is killed and its machine is lost for good, with everything on its disk. Another one starts in an empty folder,
 * after the first has gone silent, and finishes.
 *
 * @param tag identifies this life in its prompts, and so in the ledger
 */
export async function loseMachine(place: Place, store: Store, tag: string, way: Way): Promise<Life> {
  const { service, ledger } = place;
  const faults: string[] = [];
  const fault = (text: string) => faults.push(`[${describe(way)}] ${text}`);
  const before = await service.chargesStated();
  const address = store.address();

  const [first, discardFirst] = machineFor(place, store, address, tag);
  const { reached } = await runAndKill(way, runArgs(first), first.cwd, first.env);
  discardFirst();

  const [next, discardNext] = machineFor(place, store, address, tag);
  const claimed = new Set((await openInLog(store, next.cwd, address, service.url)).map((one) => one.attempt));
  const later = { ...next, env: { ...next.env, ...TEN_MINUTES_LATER } };
  const ended = await runToTheEnd(later, fault);
  const open = await openAttempts(next.cwd, fault);
  // What the lost machine was about to buy counts as being bought elsewhere until the user resolves it.
  if (!(open.length > 0 ? [8, 11] : [0]).includes(ended.code ?? -1))
    fault(`exit ${ended.code}, ${open.length} in doubt:\n${ended.stderr}`);
  // Only the responses to submits that were not recorded yet may be unknown.
  for (const { attempt } of open)
    if (!claimed.has(attempt)) fault(`${attempt} is in doubt, though its answer was in the log`);
  const attempts = await attemptsOf(next.cwd);
  const lostIds = lostJobs(typeof attempts === 'string' ? [] : attempts, servedJobs(ledger, tag)).length;
  if (open.length > 0) await settle(later, ledger, tag, open, fault);
  const jobs = servedJobs(ledger, tag);
  const charges = (await service.chargesStated()) - before;
  if (charges !== jobs.length) fault(`${charges} charges in the history, ${jobs.length} jobs in the ledger`);
  const files = await filesOf(next.cwd);
  for (const text of files) fault(text);
  discardNext();
  return {
    reached: reached ? [way] : [],
    doubleCharges: doubleCharges(WANTED, jobs),
    lostIds,
    inDoubt: open.length,
    finished: files.length === 0,
    faults,
  };
}

/** An undisturbed run, for the moments at which others are killed. */
export async function survey(place: Place, store: Store): Promise<RunSize> {
  const [machine, discard] = machineFor(place, store, store.address(), 'survey');
  const startMs = performance.now();
  const args = [...runArgs(machine), '--events', 'ndjson'];
  const { code, stdout, stderr } = await launchProgram(args, machine.cwd, machine.env).ended;
  if (code !== 0) throw new Error(`exit ${code}: ${stderr}`);
  discard();
  return { ms: Math.round(performance.now() - startMs), events: stdout.trimEnd().split('\n').length };
}

/** A machine with an empty disk, apart from the manifest, and how to lose it. */
function machineFor(place: Place, store: Store, address: string, tag: string): [Machine, () => void] {
  const { flags, env } = place.service;
  const cwd = store.machine();
  const home = mkdtempSync(path.join(tmpdir(), 'venice-batch-home-'));
  writeAlbum(cwd, tag);
  return [
    {
      cwd,
      flags: [...flags, '--state', address],
      env: { ...env, ...store.environment, HOME: home, XDG_STATE_HOME: home, TMPDIR: home },
    },
    () => {
      for (const folder of [cwd, home]) rmSync(folder, { recursive: true, force: true });
    },
  ];
}

/** The intents in the log without an outcome. */
async function openInLog(
  store: Store,
  folder: string,
  address: string,
  endpoint: string,
): Promise<readonly Attempt[]> {
  const log = await openSharedLog({
    store: storeAt(address, folder, store.environment),
    runId: '0'.repeat(32),
    endpoint,
    newLineage: () => '0'.repeat(32),
    access: 'read',
    clock: createClock(),
    random: systemRandom,
    command: (verb) => verb,
  });
  const open = [...log.attempts.values()].filter(isOpen);
  await log.close();
  return open;
}

async function filesOf(cwd: string): Promise<readonly string[]> {
  const attempts = await attemptsOf(cwd);
  return typeof attempts === 'string' ? [attempts] : fileFaults(cwd, attempts, WANTED);
}
