import type { Attempt, StoredFile } from '../../src/lockfile/attempt.js';
import { parseLock, serialiseLock } from '../../src/lockfile/lock-text.js';
import { createInode, folderOf, syncInode } from './disk.js';
import { makeMedia, sha256 } from './media.js';
import { ELSEWHERE, HOME, KEYS, LOCKFILE } from './places.js';
import { createRng, type Rng } from './random.js';
import { createJob } from './server.js';
import type { SimWorld } from './world.js';
import { needsRepair } from './world.js';

/** Between two runs a pull request is merged whose lockfile has forged lines. */
export function pull(world: SimWorld): void {
  const rng = createRng(world.seed, `pull before run ${world.runs + 1}`);
  if (world.damaged || needsRepair(world) || !rng.chance(world.outside.rates.pulled)) return;
  const entry = world.disk.entries.get(LOCKFILE);
  if (entry === undefined || entry === 'directory') return;
  const { header, attempts, problems } = parseLock(Buffer.from(entry.bytes).toString());
  if (header === undefined || problems.length > 0 || attempts.size === 0) return;
  const template = rng.pick([...attempts.values()]);
  const lines = Array.from({ length: rng.between(1, 3) }, () => lineOf(world, rng, template));
  for (const line of lines) {
    world.trace(`a forged line: ${JSON.stringify(line)}`);
    // Where its file is and what becomes of its job is not covered by the promise.
    world.waived.add(line.attempt);
  }
  const bytes = new Uint8Array(Buffer.from(serialiseLock(header, [...attempts.values(), ...lines])));
  put(world, LOCKFILE, bytes);
  world.oldLockfiles.push(bytes);
}

/** With the key signature of a line in the lockfile. */
function lineOf(world: SimWorld, rng: Rng, template: Attempt): Attempt {
  const name = `stranger-${rng.below(1_000_000)}`;
  const at = new Date(world.timeline.nowMs()).toISOString();
  const base = {
    attempt: hex(rng, 16),
    rev: rng.between(1, 9),
    track: name,
    take: 1,
    stem: `out/${name}`,
    digest: `v1:${hex(rng, 32)}`,
    parts: template.parts,
    model: template.model,
    quote_micro_usd: 0,
    key: template.key,
    at: { intent: at, queued: at },
    queue_id: foreignJob(world, rng, template),
  };
  if (rng.chance(0.3)) return { ...base, state: 'queued' };
  const { file, to } = foreignFile(world, rng, name);
  const state = rng.pick(['stored', 'done'] as const);
  return { ...base, state, file, ...(to !== undefined && { move_to: to }) };
}

/** A job of another album under the same account, of which nothing may be deleted from here. */
function foreignJob(
  { server, timeline, outside, waived, allowances }: SimWorld,
  rng: Rng,
  of: Attempt,
): string {
  const prompt = `another album ${rng.below(1_000_000)}`;
  const job = createJob(
    rng,
    { ...server.rates, jobFails: 0 },
    of.model,
    prompt,
    KEYS[0],
    0,
    timeline.nowMs(),
  );
  server.jobs.set(job.queueId, job);
  outside.foreignJobs.add(job.queueId);
  waived.add(job.queueId);
  allowances.set(prompt, { wanted: 1, extra: 0 });
  return job.queueId;
}

/** A file that is not from the line's own job, and a destination for it. */
function foreignFile(world: SimWorld, rng: Rng, name: string): { file: StoredFile; to?: string } {
  const to = `out/moved-${name}.mp3`;
  switch (rng.pick(['own', 'hidden', 'way out', 'of another', 'stored'] as const)) {
    case 'own':
      return { file: fileAt(world, rng, 'mine.mp3', false), to };
    case 'hidden':
      return { file: fileAt(world, rng, '.env', true), to };
    case 'way out':
      put(world, `${ELSEWHERE}/secret.mp3`, makeMedia('audio/mpeg', rng.bytes(30)));
      world.disk.hide(`${HOME}/way-out`, ELSEWHERE);
      return { file: fileAt(world, rng, 'way-out/secret.mp3', true, `${ELSEWHERE}/secret.mp3`), to };
    case 'of another': {
      const places = [...world.judge.seen().attempts.values()].flatMap(
        ({ latest: { file } }) => file?.path ?? [],
      );
      const place = places.length === 0 ? undefined : rng.pick(places);
      if (place === undefined || !world.disk.entries.has(`${HOME}/${place}`))
        return { file: fileAt(world, rng, 'mine.mp3', true) };
      return { file: fileAt(world, rng, place, false, `${HOME}/${place}`), to };
    }
    case 'stored':
      return { file: fileAt(world, rng, 'mine.mp3', true) };
  }
}

/** The file part of a line, of the user's own file if that is missing. `right`: with its hash. */
function fileAt(world: SimWorld, rng: Rng, place: string, right: boolean, known?: string): StoredFile {
  const path = known ?? `${HOME}/${place}`;
  if (known === undefined && !world.disk.entries.has(path))
    put(world, path, makeMedia('audio/mpeg', rng.bytes(40)));
  if (known === undefined) world.outside.ownFiles.add(path);
  const entry = world.disk.entries.get(path);
  const bytes = entry === undefined || entry === 'directory' ? new Uint8Array(0) : entry.bytes;
  const hash = right ? sha256(bytes) : hex(rng, 32);
  return { path: place, bytes: bytes.length, sha256: hash, media_type: 'audio/mpeg' };
}

function hex(rng: Rng, bytes: number): string {
  return Buffer.from(rng.bytes(bytes)).toString('hex');
}

function put({ disk, timeline }: SimWorld, path: string, bytes: Uint8Array): void {
  const inode = createInode(timeline.nowMs());
  inode.bytes = bytes;
  syncInode(inode);
  disk.change([[path, inode]]);
  disk.syncDirectory(folderOf(path));
}
