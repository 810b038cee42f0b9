import { readFileSync } from 'node:fs';
import { decodeAudio } from '../../src/audio/decode.js';
import { BatchError } from '../../src/core/errors.js';
import { parseLock, serialiseLock } from '../../src/lockfile/lock-text.js';
import { decode } from '../../src/lockfile/read.js';
import { repairLock } from '../../src/lockfile/repair.js';
import { parseManifest } from '../../src/manifest/parse.js';
import { checkSchema } from '../../src/manifest/schema.js';
import { parsePicks } from '../../src/picks/parse-picks.js';
import { readSavedPlan, savedPlanText } from '../../src/plan/saved-plan-file.js';
import { readCover } from '../../src/release/cover.js';
import { taggerFor } from '../../src/release/tags/tag-file.js';
import { type Tags, UntaggableError } from '../../src/release/tags/tags.js';
import { readEnvironment } from '../../src/session/environment.js';
import { decodeCheckpoint, encodeCheckpoint } from '../../src/shared-log/checkpoint.js';
import { decodeEntry, encodeEntry, type Group } from '../../src/shared-log/entry.js';
import { gitFault } from '../../src/shared-log/git-fault.js';
import { blobsIn } from '../../src/shared-log/git-objects.js';
import { createLogState, foldGroup } from '../../src/shared-log/log-state.js';
import { StoreFault } from '../../src/shared-log/object-store.js';
import { readS3Error, readS3List } from '../../src/shared-log/s3-answer.js';
import type { LogHeader } from '../../src/shared-log/shared-log.js';
import { inspectMedia } from '../../src/storage/inspect-media.js';
import { readRateHeaders } from '../../src/venice/read-rate-headers.js';
import * as wire from '../../src/venice/wire.js';
import { readError } from '../../src/venice/wire-errors.js';
import { readCatalogue } from '../../src/venice/wire-models.js';
import { createMemoryDisk } from '../fakes/memory-files.js';
import { attempt, file, header, id } from '../lockfile/build.js';
import {
  adts,
  aiff,
  apeTag,
  fragmentedM4a,
  id3Tag,
  JPEG,
  m4a,
  ogg,
  PNG,
  rf64,
  webm,
  withChunk,
} from '../node/container-bytes.js';
import { flac, mp3, wav } from '../storage/audio-bytes.js';

/** A reader of untrusted bytes. It may refuse anything, but whatever it throws makes `run` throw. */
export interface Target {
  /** Valid input, to start from. */
  readonly corpus: readonly Uint8Array[];
  run(data: Uint8Array): Promise<void>;
}

export type TargetName =
  | 'manifest'
  /** Also journals, rescue files and the copy of the lockfile, which have the same form. */
  | 'lockfile'
  | 'saved-plan'
  | 'wire'
  | 'picks'
  | 'env-file'
  | 'audio'
  | 'release'
  | 'cover'
  | 'log'
  | 's3'
  | 'git';

const SAVED_PLAN = JSON.stringify({
  format: 'venice-batch-plan',
  version: 1,
  endpoint: 'sandbox:',
  lineage: null,
  attempts_sha256: '0'.repeat(64),
  manifest_sha256: '0'.repeat(64),
  only: [],
  except: [],
  force: [],
  retry_failed: false,
  budget_micro_usd: 1_000_000,
  total_micro_usd: 690_000,
  purchases: [],
});

const PICKS = `version: 1\npicks:\n  opening: { sha256: '${'a1'.repeat(32)}', note: louder }\n`;

export const TARGETS: Readonly<Record<TargetName, Target>> = {
  manifest: { corpus: examples(), run: async (data) => readManifest(decode(data)) },
  lockfile: { corpus: lockfiles(), run: async (data) => readLockfile(decode(data)) },
  'saved-plan': { corpus: [bytes(SAVED_PLAN)], run: async (data) => readPlan(decode(data)) },
  wire: { corpus: answers(), run: async (data) => readAnswer(decode(data)) },
  picks: {
    corpus: [bytes(PICKS)],
    run: async (data) => readPicks(decode(data)),
  },
  'env-file': {
    corpus: [bytes('# limits\nexport VENICE_BATCH_BUDGET="5.00" # USD\nVENICE_BATCH_CONCURRENCY=4\n')],
    run: readEnvFile,
  },
  audio: { corpus: audioFiles(), run: readAudio },
  release: { corpus: audioFiles(), run: releaseAudio },
  cover: { corpus: [PNG, JPEG], run: async (data) => checkNumbers(readCover(data)) },
  log: { corpus: logObjects(), run: async (data) => readLog(data) },
  s3: { corpus: s3Answers(), run: readS3 },
  git: { corpus: [bytes(`${'a1'.repeat(20)} blob 5\nhello\n`)], run: async (data) => readGit(data) },
};

function readManifest(text: string): void {
  const { root, source } = parseManifest('album.yaml', text);
  if (root !== undefined) checkSchema(root, source);
}

/** A lockfile that can be read survives a round trip; a repaired one is sound, and has lost no readable job. */
function readLockfile(text: string): void {
  const { header: read, attempts, problems } = parseLock(text);
  if (read !== undefined && problems.length === 0) {
    const again = parseLock(serialiseLock(read, attempts.values()));
    if (again.problems.length > 0) throw new Error(`written back, it is refused: ${again.problems[0]?.kind}`);
    if (again.attempts.size !== attempts.size) throw new Error('written back, it has different attempts');
  }
  const repaired = repairLock(text);
  if (!repaired.ok) return;
  const sound = parseLock(repaired.text);
  if (sound.problems.length > 0) throw new Error(`after a repair, it is refused: ${sound.problems[0]?.kind}`);
  const kept = new Set([...sound.attempts.values()].map(({ queue_id }) => queue_id));
  for (const { queue_id } of attempts.values())
    if (!kept.has(queue_id)) throw new Error(`repair drops ${queue_id}`);
}

function readPlan(text: string): void {
  const read = readSavedPlan(text);
  if (read.ok && !readSavedPlan(savedPlanText(read.saved)).ok) throw new Error('written back, it is refused');
}

function readPicks(text: string): void {
  for (const { sha256 } of parsePicks('album.picks.yaml', text).picks.values())
    if (!/^[0-9a-f]{64}$/.test(sha256)) throw new Error(`a hash of ${sha256}`);
}

function readAnswer(text: string): void {
  let body: unknown;
  try {
    body = JSON.parse(text);
  } catch {
    body = text;
  }
  const texts = Object.entries(Object(body) as object).filter(([, value]) => typeof value === 'string');
  const values = [
    wire.readQuote(body),
    wire.readQueued(body, 'model'),
    wire.readRetrieved(body),
    wire.readCompleted(body),
    wire.readKeyBalance(body),
    wire.readAccountBalance(body),
    wire.readWalletBalance(body),
    wire.readUsagePage(body),
    wire.readTransactions(body),
    wire.readRateLimits(body),
    readCatalogue(body),
    readError(body, 400),
    readRateHeaders(Object.fromEntries(texts) as Record<string, string>),
  ];
  for (const value of values) checkNumbers(value);
}

/** No number that a reader lets through makes a time or a sum infinite, or not a number. */
function checkNumbers(value: unknown): void {
  if (typeof value === 'number' && !Number.isFinite(value)) throw new Error(`a number of ${value}`);
  if (value instanceof Uint8Array || typeof value !== 'object' || value === null) return;
  for (const one of value instanceof Map ? value.values() : Object.values(value)) checkNumbers(one);
}

async function readAudio(data: Uint8Array): Promise<void> {
  const facts = await inspectMedia(() => inPieces(data), data.length);
  const seconds = facts !== undefined && 'durationSeconds' in facts ? (facts.durationSeconds ?? 0) : 0;
  if (!Number.isFinite(seconds) || seconds < 0) throw new Error(`a length of ${seconds} s`);
}

/** Only a usage error, or the budget as it was written: never another one. */
async function readEnvFile(data: Uint8Array): Promise<void> {
  const disk = createMemoryDisk();
  disk.put('/album/.env', data);
  const { files } = disk;
  try {
    const read = await readEnvironment('.env', { cwd: '/album', env: {}, files });
    for (const { value } of read.readAll('VENICE_BATCH_BUDGET'))
      if (!decode(data).includes(value)) throw new Error(`a budget of ${value}`);
  } catch (error) {
    if (!(error instanceof BatchError)) throw error;
  }
}

/** A release decodes and tags a file: that never throws, and a tagged file is as whole as before. */
async function releaseAudio(data: Uint8Array): Promise<void> {
  await decodeAudio(data);
  const facts = await inspectMedia(() => inPieces(data), data.length);
  if (facts.kind !== 'whole') return;
  let tagged: Uint8Array;
  try {
    tagged = taggerFor(facts.mediaType)?.(data, TAGS) ?? data;
  } catch (error) {
    if (error instanceof UntaggableError) return;
    throw error;
  }
  const { kind } = await inspectMedia(() => inPieces(tagged), tagged.length);
  if (kind !== 'whole') throw new Error(`${facts.mediaType} is ${kind} after it was tagged`);
}

/** What is accepted survives a round trip. */
function readLog(data: Uint8Array): void {
  const entry = decodeEntry(0, data);
  if (entry.ok && !decodeEntry(0, encodeEntry(entry.group, entry.header)).ok)
    throw new Error('written back, the entry is refused');
  const state = decodeCheckpoint(0, data);
  if (state?.header === undefined) return;
  if (decodeCheckpoint(0, encodeCheckpoint({ ...state, header: state.header })) === undefined)
    throw new Error('written back, the checkpoint is refused');
}

async function readS3(data: Uint8Array): Promise<void> {
  async function* body() {
    yield data;
  }
  await readS3Error({ kind: 'answer', status: 400, headers: {}, body: body(), framed: true, discard() {} });
  try {
    readS3List(decode(data));
  } catch (error) {
    if (!(error instanceof StoreFault)) throw error;
  }
}

function readGit(data: Uint8Array): void {
  const blobs = blobsIn(data) ?? [];
  if (blobs.reduce((sum, { length }) => sum + length, 0) > data.length) throw new Error('more than there is');
  const { message } = gitFault({ code: 128, stdout: data, stderr: decode(data) });
  if (message.length > 400) throw new Error(`a message of ${message.length} characters`);
}

async function* inPieces(data: Uint8Array): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < data.length; at += 10_000) yield data.subarray(at, at + 10_000);
}

const TAGS: Tags = {
  title: 'A title',
  track: 1,
  tracks: 2,
  comment: '',
  aiMark: 'yes',
  gains: [],
};

function logObjects(): readonly Uint8Array[] {
  const logHeader: LogHeader = {
    format: 'venice-batch-log',
    version: 1,
    endpoint: 'sandbox:',
    lineage: header.lineage,
  };
  const records = [attempt({ rev: 2, state: 'queued', queue_id: 'q1' })];
  const group: Group = { entry: 0, run: 'r1', writer: 'w1', at: '2026-01-01T00:00:00Z', after: '', records };
  const state = Object.assign(createLogState(), { header: logHeader, next: 1, last: 'a1' });
  foldGroup(state, 'r1', 'w1', records);
  return [encodeEntry(group, logHeader), encodeCheckpoint(state)];
}

function s3Answers(): readonly Uint8Array[] {
  const list =
    '<?xml version="1.0"?><ListBucketResult><IsTruncated>true</IsTruncated><NextContinuationToken>a&amp;b</NextContinuationToken>' +
    '<Contents><Key>log/0&#48;.jsonl</Key><Size>9</Size></Contents><Contents><Key>b&#x41;</Key></Contents></ListBucketResult>';
  return [list, '<Error><Code>NoSuchBucket</Code><Region>eu-1</Region></Error>'].map(bytes);
}

function bytes(text: string): Uint8Array {
  return new TextEncoder().encode(text);
}

function examples(): readonly Uint8Array[] {
  return ['album', 'jingles', 'narration'].map((name) =>
    readFileSync(new URL(`../../examples/${name}.yaml`, import.meta.url)),
  );
}

function audioFiles(): readonly Uint8Array[] {
  const sound = wav(0.2);
  return [
    ...[sound, rf64(sound), withChunk(sound, 100), wav(0.2, { riffLength: 0, dataLength: 0 })],
    ...[flac(8_192), mp3(20), mp3(20, { info: true, id3: true }), adts(10), aiff(0.2), aiff(0.2, 'AIFC')],
    ...[m4a(), m4a(20, { moovLast: true }), fragmentedM4a(), fragmentedM4a(4, 'sidx'), ogg(), webm()],
    ...[Buffer.concat([id3Tag(), m4a()]), Buffer.concat([flac(8_192), apeTag()])],
  ];
}

function lockfiles(): readonly Uint8Array[] {
  const queued = attempt({ rev: 2, state: 'queued', queue_id: 'q1' });
  const done = attempt({ attempt: id('b'), track: 'b', rev: 4, state: 'done', queue_id: 'q2', file });
  const whole = serialiseLock(header, [queued, done]);
  const old = JSON.stringify({ ...header, version: 1 });
  return [
    whole,
    `<<<<<<< a\n${whole}=======\n${whole}>>>>>>> b\n`,
    `${old}\n${JSON.stringify(queued)}\n`,
  ].map(bytes);
}

function answers(): readonly Uint8Array[] {
  return [
    { quote: 0.69 },
    { model: 'm', queue_id: '7f', status: 'QUEUED' },
    { status: 'PROCESSING', average_execution_time: 20_000, execution_duration: 5_000 },
    { status: 'COMPLETED', url: 'https://example.org/a.mp3' },
    { error: { message: 'no', code: 'X' }, suggested_prompt: 'y', credits_refunded: true },
    { canConsume: true, balances: { usd: 1, diem: 2 }, consumptionCurrency: 'USD' },
    { data: [{ timestamp: '2026-01-01T00:00:00Z', sku: 'm', amount: -0.69 }], nextCursor: 'abc' },
    { data: { rateLimits: [{ apiModelId: 'm', rateLimits: [{ type: 'RPM', amount: 60 }] }] } },
    { data: [{ id: 'm', type: 'music', model_spec: { name: 'M', pricing: { generation: { usd: 1 } } } }] },
    {
      'retry-after': '3',
      'x-ratelimit-reset-requests': '1790000000000',
      date: 'Wed, 25 Nov 2026 19:00:00 GMT',
    },
  ].map((body) => bytes(JSON.stringify(body)));
}
