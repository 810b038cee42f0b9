import type { TransportRequest } from '../../../src/core/ports.js';
import type { Attempt } from '../../../src/lockfile/attempt.js';
import {
  judgeApproval,
  judgeCharges,
  judgeCoverage,
  judgeFiles,
  judgeFinalStates,
  judgeHistory,
  judgePoll,
  judgePrice,
  judgeReceived,
  remember,
  spentUnder,
} from '../checks.js';
import type { Disk } from '../disk.js';
import type { Check, Judge, JudgeWorld, Violation, Witness } from '../judge.js';
import { createLockReader, type LockView } from '../lock-view.js';
import { sha256 } from '../media.js';
import type { Bucket, BucketPut } from './bucket.js';
import { createLogReader, type LogReader } from './log-reader.js';

/** Judges what several machines do by the shared log, the one record that outlives them all. */
export interface FleetJudge {
  readonly violations: readonly Violation[];
  readonly logReader: LogReader;
  blame(check: Check, message: string): void;
  wrote(put: BucketPut): void;
  /** A process was told that its record is in the log. */
  acknowledged(name: string, line: string): void;
  /** For the processes of one machine. */
  ofMachine(disk: Disk): Judge;
}

export interface FleetJudgeWorld extends Omit<JudgeWorld, 'disk'> {
  readonly bucket: () => Bucket;
  /** Whether audio is kept in the bucket. */
  readonly keepsAudio: boolean;
  readonly budgetMicroUsd: number | undefined;
  /** When others deleted entries of the log. */
  readonly tamperedMs: () => number | undefined;
  /** Whether the user has said what became of the attempt. */
  readonly settledByUser: (attempt: string) => boolean;
  /** Whether entries are missing that the process never saw: it has to notice that. */
  readonly lacksEntries: (witness: Witness) => boolean;
}

export function createFleetJudge(world: FleetJudgeWorld): FleetJudge {
  const violations: Violation[] = [];
  const blame = (check: Check, message: string) => {
    violations.push({ check, message });
  };
  const logReader = createLogReader({
    budgetMicroUsd: world.budgetMicroUsd,
    tamperedMs: world.tamperedMs,
    settledByUser: world.settledByUser,
    blame,
  });
  const known = new Map<string, Attempt>();
  const knownIds = new Set<string>();
  const armed = new Set<string>();
  const secrets = world.secrets.map((secret) => Buffer.from(secret));
  let jobsSeen = 0;

  const isUploaded = (sha: string) => {
    const bytes = world.bucket().objects.get(`audio/sha256/${sha.slice(0, 2)}/${sha}`);
    return bytes !== undefined && sha256(bytes) === sha;
  };
  /** Without the file in the bucket, the remote copy stays: the bucket keeps no audio, or refused it (`not-pushed`). */
  const outcome = ({ state, file, queue_id }: Attempt) => {
    const inBucket = world.keepsAudio && file !== undefined && isUploaded(file.sha256);
    const atService = world.server.jobs.get(queue_id ?? '')?.deletedMs === undefined;
    return inBucket || (atService && (state === 'stored' || !world.keepsAudio));
  };

  const submits = (witness: Witness, body: Record<string, unknown>, around: JudgeWorld) => {
    const prompt = String(body.prompt);
    judgePrice(around, blame, witness, body);
    if (world.bucket().kind !== 'strict')
      blame('G', `${prompt} is bought through a ${world.bucket().kind} store`);
    if (world.lacksEntries(witness)) blame('G', `${prompt} is bought with entries missing from the log`);
    const digest = world.digestOf(prompt);
    const intents = logReader.submitting(witness, digest);
    for (const { attempt } of intents) armed.add(attempt);
    if (intents.length === 0) blame('h', `no intent of ${witness.name} for ${prompt} is in the log`);
    if (witness.stopped) blame('A', `${prompt} is submitted after the run was asked to stop`);
    judgeApproval(blame, witness, prompt, intents);
  };

  const cleansUp = (queueId: string, view: LockView) => {
    const job = world.server.jobs.get(queueId);
    const isGone = job?.deletedMs !== undefined || world.nowMs() >= (job?.expiresMs ?? 0);
    if (job === undefined || isGone) return;
    const attempt = view.jobs.get(queueId);
    // Also while another machine fetches it again: the hash of the file stays in the record.
    const isNamed = attempt?.file !== undefined && NAMES_FILE.has(attempt.state);
    if (!isNamed) blame('H', `${queueId} is deleted while the log has it as ${attempt?.state ?? 'unknown'}`);
    else if (!world.keepsAudio) blame('H', `${queueId} is deleted, and its audio is on one machine only`);
    else if (!isUploaded(attempt.file.sha256))
      blame('H', `${queueId} is deleted, and its audio is not in the store`);
    else if (world.thorough ? attempt.file.sha256 !== job.sha256 : !job.served.has(attempt.file.sha256))
      blame('H', `${queueId} is deleted, and what is in the store is not what was served`);
  };

  const look = (around: JudgeWorld) => {
    // Records whose entries were deleted may be written again.
    const { view } = logReader;
    const judged = world.tamperedMs() === undefined ? view : { ...view, illegalSteps: [] };
    judgeHistory(around, blame, judged, known, knownIds, armed);
    remember(logReader.view, known, knownIds);
    judgeCoverage(around, blame, logReader.view);
    judgeFiles(around, blame, logReader.view);
    judgeFinalStates(around, blame, logReader.view);
  };

  return {
    violations,
    logReader,
    blame,
    wrote: (put) => {
      if (secrets.some((secret) => Buffer.from(put.bytes).includes(secret)))
        blame('i', `the key is in ${put.key}`);
      if (world.bucket().kind === 'strict') logReader.wrote(put);
    },
    acknowledged: (name, line) => {
      if (world.bucket().kind !== 'strict') return;
      const count = logReader.countOf(line);
      if (count !== 1 && world.tamperedMs() === undefined)
        blame('C', `${name} was told that this is recorded, and ${count} entries have it: ${line}`);
    },
    ofMachine: (disk) => {
      const around: JudgeWorld = { ...world, disk, outcome };
      const reader = createLockReader();
      const mirror = () => {
        const entry = disk.entries.get(world.lockfilePath);
        return reader.read(entry === 'directory' ? undefined : entry?.bytes);
      };
      const isAllowed = (path: string) =>
        world.writable.some((allowed) => path === allowed || path.startsWith(`${allowed}/`));
      return {
        violations,
        blame,
        seen: () => logReader.view,
        spentMicroUsd: () => spentUnder(logReader.view),
        looked: (path) => {
          if (!isAllowed(path)) blame('t', `reads ${path}`);
        },
        changed: (path, bytes) => {
          if (!isAllowed(path)) blame('j', `writes ${path}`);
          if (bytes !== undefined && secrets.some((secret) => Buffer.from(bytes).includes(secret)))
            blame('i', `the key is in ${path}`);
        },
        reported: (text) => {
          if (world.secrets.some((secret) => text.includes(secret)))
            blame('i', `the key is printed: ${text}`);
        },
        sent: (witness, request) => {
          const body = bodyOf(request);
          if (request.path === '/audio/queue') submits(witness, body, around);
          else if (request.path === '/audio/complete') cleansUp(String(body.queue_id), logReader.view);
          else if (request.path === '/audio/retrieve' && witness.buys && !knows(logReader.view, body))
            judgePoll(around, blame, body, mirror());
        },
        summed: () => {},
        handled: () => {
          if (world.server.jobs.size === jobsSeen) return;
          jobsSeen = world.server.jobs.size;
          judgeCharges(around, blame);
        },
        ended: (witness) => {
          const lost = witness.received.filter((queueId) => !knows(logReader.view, { queue_id: queueId }));
          judgeReceived(around, blame, { ...witness, received: lost });
        },
        look: () => look(around),
      };
    },
  };
}

const NAMES_FILE: ReadonlySet<string> = new Set(['queued', 'stored', 'done']);

function bodyOf({ body }: TransportRequest): Record<string, unknown> {
  return body === undefined ? {} : (JSON.parse(body) as Record<string, unknown>);
}

function knows(view: LockView, { queue_id: queueId }: Record<string, unknown>): boolean {
  for (const { queueIds } of view.attempts.values()) if (queueIds.has(String(queueId))) return true;
  return false;
}
