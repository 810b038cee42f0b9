import type { Clock, Git, GitAnswer } from '../core/ports.js';
import { gitFault, hasLostRace, pushFault } from './git-fault.js';
import { blobsIn, type GitHash, packCommit } from './git-objects.js';
import { type ObjectStore, type PutAnswer, StoreFault } from './object-store.js';

const LOCAL_MS = 60_000;
const REMOTE_MS = 120_000;
/** How often a push of one object may lose a race. Each lost race means that another machine got on: no reason to give up soon. */
const RACES_MAX = 64;
/** If so often in a row no other push was there after a lost race, it is none: the remote may have kept a lock of a push that died. */
const WITHOUT_WINNER_MAX = 3;
/** At most so many pushes of others does a winner wait for. */
const OTHERS_MAX = 8;
const PAUSE_MS_MAX = 10_000;
/** A push that was late has just fetched everything: what is absent then is not asked for once more. */
const FRESH_MS = 2_000;
/** Name of the one file in each commit's tree. */
const NAME = 'object';
/** Who reads one object reads the ones after it next: so many are read by one process. */
const READ_AT_ONCE = 16;

export interface GitPlace {
  /** A folder in the repository. */
  readonly folder: string;
  readonly remote: string;
  /** `refs/venice-batch/album`. */
  readonly ref: string;
}

interface GitState {
  readonly git: Git;
  readonly clock: Clock;
  readonly place: GitPlace;
  /** The ref as last seen; absent if it did not exist. */
  tip?: string | undefined;
  hash: GitHash;
  /** The commit of each object, in the order of the log. */
  readonly commits: Map<string, string>;
  /** Objects that were read together with an earlier one, and not asked for yet. */
  ahead: ReadonlyMap<string, Promise<Uint8Array>>;
  /** Objects that others pushed since the last push here: so many machines are at work. */
  overtaken: number;
  /** When a put fetched last. */
  fetchedMs: number;
  /** No push before: see `leaveRoom`. */
  notBeforeMs: number;
}

/**
 * Objects as commits on a separate ref: the commit message is the key, and the tree contains only the bytes. A push
 * states the exact old value of the ref, so that of several writers one wins, and a deleted ref is not created again.
 */
export function createGitStore(git: Git, clock: Clock, place: GitPlace): ObjectStore {
  const abandoned = new AbortController();
  const state: GitState = {
    git: (words, options) => git(words, { ...options, signal: abandoned.signal }),
    clock,
    place,
    hash: 'sha1',
    commits: new Map(),
    ahead: new Map(),
    overtaken: 0,
    fetchedMs: 0,
    notBeforeMs: 0,
  };
  let turn: Promise<unknown> = Promise.resolve();
  const inTurn = <T>(work: () => Promise<T>): Promise<T> => {
    const done = turn.then(work);
    turn = done.catch(() => {});
    return done;
  };
  /** Callers that come while a fetch is waiting for its turn share it. */
  let look: Promise<void> | undefined;
  const update = (): Promise<void> => {
    look ??= inTurn(() => {
      look = undefined;
      return fetchRef(state);
    });
    return look;
  };
  const ready = inTurn(() => remember(state));
  return {
    address: `git:${place.remote}`,
    takesTurns: true,
    putIfAbsent: async (key, bytes) => {
      await ready;
      return inTurn(() => put(state, key, bytes));
    },
    get: async (key) => {
      await ready;
      if (!state.commits.has(key) && !isFresh(state)) await update();
      return state.commits.has(key) ? read(state, key) : undefined;
    },
    list: async (prefix) => {
      await ready;
      await update();
      return [...state.commits.keys()].filter((key) => key.startsWith(prefix)).sort();
    },
    abandon: () => abandoned.abort(),
    close: () => inTurn(() => keep({ ...state, git })),
  };
}

/** Fails if the ref is gone or was reset since this repository last saw it, because other machines may not notice. */
async function remember(state: GitState): Promise<void> {
  // git would take the name of an unknown remote for a path, and run the hooks of the repository there.
  if (!state.place.remote.includes(':')) await local(state, ['remote', 'get-url', state.place.remote]);
  const { git, place } = state;
  const { folder, ref } = place;
  const ask = (...words: string[]) => git(['rev-parse', ...words], { folder, deadlineMs: LOCAL_MS });
  const format = await ask('--show-object-format');
  if (text(format.stdout) === 'sha256') state.hash = 'sha256';
  const { stdout, code } = await ask('--verify', '--quiet', `${ref}^{commit}`);
  if (code === 0) await advanceTo(state, text(stdout));
}

async function fetchRef(state: GitState): Promise<void> {
  const { ref } = state.place;
  // Not to `ref` itself, which is the state that was checked last.
  const fetched = `${FETCHED}/${ref.slice(ref.lastIndexOf('/') + 1)}`;
  const answer = await fetchInto(state, `+${ref}:${fetched}`);
  if (answer.code !== 0) {
    // Another process of this repository fetches at the same time, or was killed while it did.
    if (/cannot lock ref/i.test(answer.stderr)) return fetchUnnamed(state);
    if (!/couldn't find remote ref/i.test(answer.stderr)) throw gitFault(answer);
    if (state.tip === undefined) return;
    throw new StoreFault('altered', `${ref} was deleted`);
  }
  await advanceTo(state, fetched);
}

/** The same without writing a ref, at the cost of one more request. */
async function fetchUnnamed(state: GitState): Promise<void> {
  const { remote, ref, folder } = state.place;
  const listed = await state.git(['ls-remote', remote, ref], { folder, deadlineMs: REMOTE_MS });
  if (listed.code !== 0) throw gitFault(listed);
  const lines = text(listed.stdout).split('\n');
  const found = lines.map((line) => line.split('\t')).find(([, name]) => name === ref)?.[0];
  if (found === state.tip) return;
  if (found === undefined) throw new StoreFault('altered', `${ref} was deleted`);
  const answer = await fetchInto(state, ref);
  if (answer.code !== 0) throw gitFault(answer);
  await advanceTo(state, found);
}

function fetchInto({ git, place, tip }: GitState, what: string): Promise<GitAnswer> {
  const tips = tip === undefined ? [] : [`--negotiation-tip=${tip}`];
  const words = ['fetch', '--no-tags', '--no-prune', '--no-write-fetch-head', '--quiet', ...tips];
  return git([...words, place.remote, what], { folder: place.folder, deadlineMs: REMOTE_MS });
}

/** Refs of this repository only: what was fetched last. */
const FETCHED = 'refs/venice-batch-fetched';

function isFresh({ fetchedMs, clock }: GitState): boolean {
  return clock.nowMs() - fetchedMs < FRESH_MS;
}

/**
 * Reads the commits since the last tip.
 *
 * @param newest a commit, or a ref
 */
async function advanceTo(state: GitState, newest: string): Promise<void> {
  const { tip, place } = state;
  // With the tip itself as the first line, unless it is no ancestor.
  const since = tip === undefined ? [] : ['--not', `${tip}^@`];
  const words = ['log', '--reverse', '--first-parent', '--format=%H %P %s', newest, ...since];
  const lines = text(await local(state, words))
    .split('\n')
    .filter((line) => line !== '');
  const found = lines.map((line) => /^(\S+) (\S*) (.*)$/.exec(line) ?? []);
  if (tip !== undefined && found.shift()?.[1] !== tip)
    throw new StoreFault(
      'altered',
      `the history of ${place.ref} was rewritten, or set back to an older state`,
    );
  for (const [, commit = '', parent = '', key = ''] of found) {
    if (parent !== (state.tip ?? ''))
      throw new StoreFault('altered', `the history of ${place.ref} was rewritten`);
    if (!state.commits.has(key)) state.commits.set(key, commit);
    state.tip = commit;
  }
}

/** The bytes of an object that exists. Also reads the ones after it, for whoever asks next. */
function read(state: GitState, key: string): Promise<Uint8Array> {
  const found = state.ahead.get(key);
  if (found !== undefined) return found;
  // A commit that something else pushed has another subject, and perhaps no object.
  const keys = [...state.commits.keys()].filter((one) => one.startsWith('log/') || one === key);
  const first = keys.indexOf(key);
  const wanted = keys.slice(first, first + READ_AT_ONCE);
  const all = blobsOf(state, wanted);
  const ahead = new Map(wanted.map((one, at) => [one, all.then((blobs) => blobs[at]!)]));
  for (const one of ahead.values())
    one.catch(() => {
      if (state.ahead === ahead) state.ahead = new Map();
    });
  state.ahead = ahead;
  return ahead.get(key)!;
}

async function blobsOf(state: GitState, keys: readonly string[]): Promise<readonly Uint8Array[]> {
  const names = keys.map((key) => `${state.commits.get(key)}:${NAME}\n`);
  const blobs = blobsIn(await local(state, ['cat-file', '--batch'], Buffer.from(names.join(''))));
  if (blobs?.length === keys.length) return blobs;
  throw new StoreFault('altered', `a commit of ${state.place.ref} has no file ${NAME}`);
}

/** Keeps the tip for the next run here, and from git's garbage collection. Nothing depends on it. */
async function keep({ git, place, tip }: GitState): Promise<void> {
  if (tip === undefined) return;
  await git(['update-ref', place.ref, tip], { folder: place.folder, deadlineMs: LOCAL_MS });
}

async function put(state: GitState, key: string, bytes: Uint8Array): Promise<PutAnswer> {
  const { clock } = state;
  try {
    const waitMs = state.notBeforeMs - clock.nowMs();
    const waits = waitMs > 0 && !state.commits.has(key);
    if (waits) await clock.sleep(waitMs);
    let startMs = clock.nowMs();
    if (waits) await catchUp(state);
    let withoutWinner = 0;
    for (let race = 0; race < RACES_MAX; race += 1) {
      if (state.commits.has(key)) return { kind: 'exists' };
      const commit = await commitOf(state, key, bytes);
      const pushed = await push(state, commit);
      if (pushed.code === 0) {
        state.commits.set(key, commit);
        state.tip = commit;
        leaveRoom(state, clock.nowMs() - startMs);
        return { kind: 'created' };
      }
      const why = pushFault(pushed);
      if (!hasLostRace(pushed) || withoutWinner === WITHOUT_WINNER_MAX) {
        if (why.kind !== 'unreachable') throw why;
        return { kind: 'unknown', why };
      }
      startMs = clock.nowMs();
      const { tip } = state;
      await catchUp(state);
      withoutWinner = state.tip === tip ? withoutWinner + 1 : 0;
    }
    return { kind: 'unknown', why: new StoreFault('unreachable', 'others pushed to the ref every time') };
  } catch (fault) {
    if (fault instanceof StoreFault && fault.kind === 'unreachable') return { kind: 'unknown', why: fault };
    throw fault;
  }
}

async function catchUp(state: GitState): Promise<void> {
  const before = state.commits.size;
  await fetchRef(state);
  state.fetchedMs = state.clock.nowMs();
  state.overtaken += state.commits.size - before;
}

/**
 * The winner of a race has the new tip already, and all others have to fetch it first: without a pause it would win again and
 * again, and slower machines would never get their turn. It waits for as many pushes as others made since its last one, each with
 * the fetch that goes before, so that machines take turns instead of racing.
 */
function leaveRoom(state: GitState, turnMs: number): void {
  const pauseMs = Math.min(state.overtaken, OTHERS_MAX) * turnMs;
  state.notBeforeMs = state.clock.nowMs() + Math.min(pauseMs, PAUSE_MS_MAX);
  state.overtaken = 0;
}

function push(state: GitState, commit: string): Promise<GitAnswer> {
  const { remote, ref, folder } = state.place;
  const lease = `--force-with-lease=${ref}:${state.tip ?? ''}`;
  return state.git(['push', '--porcelain', '--no-verify', lease, remote, `${commit}:${ref}`], {
    folder,
    deadlineMs: REMOTE_MS,
  });
}

/** Writes the commit here, and returns its id. */
async function commitOf(state: GitState, key: string, bytes: Uint8Array): Promise<string> {
  const { hash, tip, clock } = state;
  const file = { name: NAME, bytes };
  const { id, pack } = packCommit(hash, { key, file, parent: tip, atMs: clock.nowMs() });
  await local(state, ['unpack-objects', '-q'], pack);
  return id;
}

async function local(state: GitState, words: readonly string[], stdin?: Uint8Array): Promise<Uint8Array> {
  const answer = await state.git(words, {
    folder: state.place.folder,
    deadlineMs: LOCAL_MS,
    ...(stdin && { stdin }),
  });
  if (answer.code !== 0) throw gitFault(answer);
  return answer.stdout;
}

const text = (bytes: Uint8Array): string => new TextDecoder().decode(bytes).trim();
