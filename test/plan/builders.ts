import { createHash } from 'node:crypto';
import type { AudioRequest, RequestField } from '../../src/core/audio-request.js';
import type { Span } from '../../src/core/diagnostic.js';
import type { Attempt, AttemptState } from '../../src/lockfile/attempt.js';
import type { Take } from '../../src/manifest/take.js';
import type { FileState } from '../../src/plan/history.js';
import type { Catalogue, Model } from '../../src/venice/model.js';

/** Midday of an arbitrary day, ms since the epoch. */
export const NOW_MS = Date.parse('2026-03-10T12:00:00Z');

export function spanAt(line: number): Span {
  return { file: 'album.yaml', line, column: 5, endLine: line, endColumn: 12 };
}

function sha256(text: string): string {
  return createHash('sha256').update(text).digest('hex');
}

/** Any digest works here, as long as equal requests have equal ones. */
export function digestOf(request: AudioRequest): string {
  return `v1:${sha256(JSON.stringify(request, Object.keys(request).sort()))}`;
}

export function partsOf(request: AudioRequest): Take['parts'] {
  return Object.fromEntries(
    Object.entries(request).map(([field, value]) => [field, sha256(String(value)).slice(0, 8)]),
  );
}

export interface TakeSketch {
  readonly track?: string;
  readonly take?: number;
  readonly takes?: number;
  readonly request?: Partial<AudioRequest>;
  readonly stem?: string;
  /** Fields that came from `defaults`, which begin at line 100. */
  readonly defaulted?: readonly RequestField[];
}

/** A take of the model `song`, written in full at line 10 and after. */
export function makeTake(sketch: TakeSketch = {}): Take {
  const { track = 'opening', take = 1, takes = 1, defaulted = [] } = sketch;
  const request: AudioRequest = { model: 'song', prompt: 'calm piano over rain', ...sketch.request };
  const key = takes === 1 ? track : `${track}#${take}`;
  const fields = Object.keys(request) as RequestField[];
  const fieldSpans = Object.fromEntries(
    fields.map((field, index) => [
      field,
      defaulted.includes(field) ? [spanAt(100 + index), spanAt(10)] : [spanAt(11 + index)],
    ]),
  );
  return {
    key,
    track,
    take,
    takes,
    request,
    digest: digestOf(request),
    parts: partsOf(request),
    stem: sketch.stem ?? `out/${track}${take === 1 ? '' : `-${take}`}`,
    span: spanAt(10),
    fieldSpans,
  };
}

/** A model that can do everything, with no limits. */
export function makeModel(changes: Partial<Model> = {}): Model {
  return {
    id: 'song',
    name: 'Song One',
    offline: false,
    beta: false,
    traits: [],
    min_prompt_length: 1,
    supports_lyrics: true,
    lyrics_required: false,
    supports_lyrics_optimizer: true,
    supports_force_instrumental: true,
    supports_loop: true,
    supports_language_code: true,
    supports_speed: true,
    voices: ['Aria', 'Roger'],
    supports_custom_voice_id: false,
    min_duration: 1,
    max_duration: 600,
    pricing: { kind: 'generation', microUsd: 100_000 },
    ...changes,
  };
}

/** A model that declares nothing at all. */
export function silentModel(changes: Partial<Model> = {}): Model {
  return { id: 'song', name: 'Song One', offline: false, beta: false, traits: [], ...changes };
}

export function catalogueOf(...models: Model[]): Catalogue {
  return new Map(models.map((model) => [model.id, model]));
}

export interface AttemptSketch {
  /** Distinguishes attempts; later letters are later in time. */
  readonly name?: string;
  readonly state?: AttemptState;
  readonly of?: Take;
  /** Of this request instead of the take's own. */
  readonly request?: Partial<AudioRequest>;
  readonly quote?: number;
  readonly reason?: Attempt['reason'];
  readonly refunded?: boolean;
  /** The recorded path of its file; by default at its stem, for states that have a file. */
  readonly path?: string;
  readonly moveTo?: string;
  readonly key?: string;
  readonly sha256?: string;
}

const WITH_FILE: readonly AttemptState[] = ['stored', 'done'];
const WITH_QUEUE_ID: readonly AttemptState[] = ['queued', 'stored', 'done', 'failed', 'lost', 'unverified'];

export function makeAttempt(sketch: AttemptSketch = {}): Attempt {
  const { name = 'a', state = 'done', of = makeTake() } = sketch;
  const request = { ...of.request, ...sketch.request };
  const path = sketch.path ?? (WITH_FILE.includes(state) ? `${of.stem}.wav` : undefined);
  const minute = String(name.charCodeAt(0) % 60).padStart(2, '0');
  return {
    attempt: sha256(name).slice(0, 32),
    rev: 3,
    state,
    track: of.track,
    take: of.take,
    stem: of.stem,
    digest: digestOf(request),
    parts: partsOf(request),
    model: request.model,
    quote_micro_usd: sketch.quote ?? 100_000,
    key: sketch.key ?? 'key-one',
    at: { intent: `2026-03-01T10:${minute}:00.000Z` },
    ...(WITH_QUEUE_ID.includes(state) ? { queue_id: `queue-${name}` } : {}),
    ...(path === undefined
      ? {}
      : {
          file: {
            path,
            bytes: 1000,
            sha256: sketch.sha256 ?? sha256(`audio ${name}`),
            media_type: 'audio/wav',
          },
        }),
    ...(sketch.moveTo === undefined ? {} : { move_to: sketch.moveTo }),
    ...(sketch.reason === undefined ? {} : { reason: sketch.reason }),
    ...(sketch.refunded === undefined ? {} : { refunded: sketch.refunded }),
  };
}

/** Every recorded file exists, except for `changes`. */
export function filesOf(
  attempts: readonly Attempt[],
  changes: Readonly<Record<string, FileState>> = {},
): ReadonlyMap<string, FileState> {
  const paths = attempts.flatMap(({ file }) => (file === undefined ? [] : [file.path]));
  return new Map([...paths.map((path) => [path, 'present'] as const), ...Object.entries(changes)]);
}
