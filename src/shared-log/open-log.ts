import { checkpoint, create } from './append.js';
import { createAppendQueue, createTurns } from './append-queue.js';
import { asStateError, type LogCore, noteProblem } from './log-core.js';
import { createLogState, originOf } from './log-state.js';
import { withPatience } from './patience.js';
import { proveStore } from './prove.js';
import { checkNewest, readForward, readLog } from './read-log.js';
import { LOG_VERSION, type LogHeader, type OpenLogOptions, type SharedLog } from './shared-log.js';
import { otherLogError } from './state-error.js';

/** Opens a shared log and reads it. Throws a `BatchError` if that fails, or if the log belongs to something else. */
export async function openSharedLog(options: OpenLogOptions): Promise<SharedLog> {
  const { clock, random, command, retry, isFresh = false } = options;
  const { store, patience } = withPatience(options.store, clock, options.stop, options.waits);
  const core: LogCore = {
    store,
    clock,
    random,
    patience,
    options,
    about: { address: store.address, command, retry, isFresh },
    writer: Buffer.from(random.bytes(8)).toString('hex'),
    state: createLogState(),
    checkpointed: -1,
    closed: -1,
  };
  try {
    await readLog(core);
    const { header, next } = core.state;
    if (next < (options.entriesMin ?? 0)) {
      noteProblem(core, { kind: 'gap', entry: next });
      // An entry in the place of a deleted one would keep it from being restored.
      if (options.access === 'write') throw core.damage;
    }
    if (header === undefined) await begin(core);
    check(core, core.state.header);
    if (options.access === 'write') await checkpoint(core);
  } catch (fault) {
    await store.close();
    throw asStateError(core, fault);
  }
  return createSharedLog(core);
}

async function begin(core: LogCore): Promise<void> {
  const { endpoint, lineage, newLineage, access } = core.options;
  core.state.header = {
    format: 'venice-batch-log',
    version: LOG_VERSION,
    endpoint,
    lineage: lineage ?? newLineage(),
  };
  // It was created, but its first entry is missing or cannot be read.
  if (core.damage !== undefined) throw core.damage;
  if (access === 'write') await create(core);
}

function check(core: LogCore, header: LogHeader | undefined): asserts header is LogHeader {
  if (header === undefined) {
    noteProblem(core, { kind: 'damaged', entry: 0, why: 'it has no header' });
    throw core.damage;
  }
  const { endpoint, lineage } = core.options;
  if (header.endpoint !== endpoint) {
    const isUnused = core.damage === undefined && core.state.fold.attempts.size === 0;
    throw otherLogError('endpoint', header.endpoint, endpoint, core.about, isUnused);
  }
  if (lineage !== undefined && header.lineage !== lineage)
    throw otherLogError('lineage', header.lineage, lineage, core.about);
}

function createSharedLog(core: LogCore): SharedLog {
  const { store } = core;
  const turns = createTurns(core);
  const queue = createAppendQueue(core, turns);
  const prove = proveOnce(core);
  return {
    get header() {
      return core.state.header as LogHeader;
    },
    address: core.about.address,
    get attempts() {
      return core.state.fold.attempts;
    },
    get entries() {
      return core.state.next;
    },
    originOf: (attempt) => originOf(core.state, attempt),
    lastSeen: (run) => core.state.lastSeen.get(run),
    runs: () => core.state.lastSeen,
    hostOf: (run) => core.state.hosts.get(run),
    append: async (attempt, limits = {}) => {
      if (attempt.state === 'intent') await prove();
      return queue.add(limits, attempt);
    },
    beat: async () => {
      await queue.add({});
    },
    refresh: () =>
      turns.take(async () => {
        await checkNewest(core);
        await readForward(core);
        core.refused = undefined;
      }),
    prove,
    expiry: async () => store.expiry?.().catch(() => undefined),
    fault: () => core.damage ?? core.refused,
    close: async () => {
      await queue.empty();
      await turns.over();
      await core.store.close();
    },
  };
}

function proveOnce(core: LogCore): () => Promise<void> {
  let proof: Promise<void> | undefined;
  return () => {
    proof ??= proveStore(core, core.about).catch((fault) => {
      // A missing response proves nothing either way.
      proof = undefined;
      throw asStateError(core, fault);
    });
    return proof;
  };
}
