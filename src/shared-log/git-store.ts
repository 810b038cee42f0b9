import type { Clock, Git, GitAnswer } from '../core/ports.js';
import { gitFault } from './git-fault.js';
import { type ObjectStore, type PutAnswer, StoreFault } from './object-store.js';

const LOCAL_MS = 60_000;
const REMOTE_MS = 120_000;
/** How often a push of one object may lose a race. Each lost race means that another machine got on: no reason to give up soon. */
const RACES_MAX = 64;
/** At most so many pushes of others does a winner wait for. */
const OTHERS_MAX = 8;
const PAUSE_MS_MAX = 10_000;
/** A push that was late has just fetched everything: what is absent then is not asked for once more. */
const FRESH_MS = 2_000;
/** Name of the one file in each commit's tree. */
const NAME = 'object';

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
  /** The commit of each object. */
  readonly commits: Map<string, string>;
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
  const state: GitState = {
    git,
    clock,
    place,
    commits: new Map(),
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
    putIfAbsent: async (key, bytes) => {
      await ready;
      return inTurn(() => put(state, key, bytes));
    },
    get: async (key) => {
      await ready;
      if (!state.commits.has(key) && !isFresh(state)) await update();
      const commit = state.commits.get(key);
      return commit === undefined ? undefined : local(state, ['cat-file', 'blob', `${commit}:${NAME}`]);
    },
    list: async (prefix) => {
      await ready;
      await update();
      return [...state.commits.keys()].filter((key) => key.startsWith(prefix)).sort();
    },
    close: () => inTurn(() => keep(state)),
  };
}

/** Fails if the ref is gone or was reset since this repository last saw it, because other machines may not notice. */
async function remember(state: GitState): Promise<void> {
  const { stdout, code } = await state.git(
    ['rev-parse', '--verify', '--quiet', `${state.place.ref}^{commit}`],
    {
      folder: state.place.folder,
      deadlineMs: LOCAL_MS,
    },
  );
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
  const found = text(await local(state, ['rev-parse', '--verify', `${fetched}^{commit}`]));
  if (found !== state.tip) await advanceTo(state, found);
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

/** Reads the commits since the last tip. */
async function advanceTo(state: GitState, tip: string): Promise<void> {
  const range = state.tip === undefined ? [tip] : [tip, `^${state.tip}`];
  const lines = text(
    await local(state, ['log', '--reverse', '--first-parent', '--format=%H %P %s', ...range]),
  );
  let last = state.tip;
  for (const line of lines.split('\n').filter((one) => one !== '')) {
    const [, commit = '', parent = '', key = ''] = /^(\S+) (\S*) (.*)$/.exec(line) ?? [];
    if (parent !== (last ?? ''))
      throw new StoreFault('altered', `the history of ${state.place.ref} was rewritten`);
    if (!state.commits.has(key)) state.commits.set(key, commit);
    last = commit;
  }
  if (last !== tip) throw new StoreFault('altered', `${state.place.ref} was set back to an older state`);
  state.tip = tip;
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
    if (waitMs > 0 && !state.commits.has(key)) {
      await clock.sleep(waitMs);
      await catchUp(state);
    }
    for (let race = 0; race < RACES_MAX; race += 1) {
      if (state.commits.has(key)) return { kind: 'exists' };
      const startMs = clock.nowMs();
      const commit = await commitOf(state, key, bytes);
      const pushed = await push(state, commit);
      if (pushed.code === 0) {
        state.commits.set(key, commit);
        state.tip = commit;
        leaveRoom(state, clock.nowMs() - startMs);
        return { kind: 'created' };
      }
      const why = gitFault(pushed);
      if (!hasLostRace(pushed)) {
        if (why.kind !== 'unreachable') throw why;
        return { kind: 'unknown', why };
      }
      await catchUp(state);
    }
    const why = new StoreFault('unreachable', 'others pushed to the ref every time');
    return { kind: 'unknown', why };
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
 * again, and slower machines would never get their turn. It waits for as many pushes as others made since its last one, so that
 * machines take turns instead of racing.
 */
function leaveRoom(state: GitState, pushMs: number): void {
  const pauseMs = Math.min(state.overtaken, OTHERS_MAX) * pushMs;
  state.notBeforeMs = state.clock.nowMs() + Math.min(pauseMs, PAUSE_MS_MAX);
  state.overtaken = 0;
}

/** The ref did not have the value that the push expected. */
function hasLostRace({ stdout, stderr }: GitAnswer): boolean {
  return /stale info|cannot lock ref|incorrect old value|failed to update ref|fetch first|non-fast-forward|already exists/.test(
    text(stdout) + stderr,
  );
}

function push(state: GitState, commit: string): Promise<GitAnswer> {
  const { remote, ref, folder } = state.place;
  const lease = `--force-with-lease=${ref}:${state.tip ?? ''}`;
  return state.git(['push', '--porcelain', '--no-verify', lease, remote, `${commit}:${ref}`], {
    folder,
    deadlineMs: REMOTE_MS,
  });
}

async function commitOf(state: GitState, key: string, bytes: Uint8Array): Promise<string> {
  const blob = text(await local(state, ['hash-object', '-w', '--stdin'], bytes));
  const tree = text(await local(state, ['mktree'], encode(`100644 blob ${blob}\t${NAME}\n`)));
  const parents = state.tip === undefined ? [] : ['-p', state.tip];
  const now = `@${Math.floor(state.clock.nowMs() / 1000)} +0000`;
  const environment = {
    GIT_AUTHOR_NAME: 'venice-batch',
    GIT_AUTHOR_EMAIL: 'venice-batch@localhost',
    GIT_AUTHOR_DATE: now,
    GIT_COMMITTER_NAME: 'venice-batch',
    GIT_COMMITTER_EMAIL: 'venice-batch@localhost',
    GIT_COMMITTER_DATE: now,
  };
  return text(await local(state, ['commit-tree', tree, ...parents, '-m', key], undefined, environment));
}

async function local(
  state: GitState,
  words: readonly string[],
  stdin?: Uint8Array,
  environment?: Readonly<Record<string, string>>,
): Promise<Uint8Array> {
  const answer = await state.git(words, {
    folder: state.place.folder,
    deadlineMs: LOCAL_MS,
    ...(stdin && { stdin }),
    ...(environment && { environment }),
  });
  if (answer.code !== 0) throw gitFault(answer);
  return answer.stdout;
}

function text(bytes: Uint8Array): string {
  return new TextDecoder().decode(bytes).trim();
}

function encode(line: string): Uint8Array {
  return new TextEncoder().encode(line);
}
