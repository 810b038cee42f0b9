import type { AudioBody } from '../service-response.js';
import { flacBody } from './flac-body.js';
import { type Kind, type Material, materialOf } from './loops.js';
import { m4aBody } from './m4a-body.js';
import { trackOf } from './track.js';
import { wavBody } from './wav-body.js';

export interface AudioJob {
  readonly prompt: string;
  readonly kind: Kind;
  /** Greater than 0. */
  readonly durationSeconds: number;
  readonly format: 'wav' | 'flac' | 'm4a';
  /** Its end has to join its start. */
  readonly loop?: boolean | undefined;
  /** Equal jobs with equal seeds have equal bytes. */
  readonly seed: string;
}

const BODIES = { wav: wavBody, flac: flacBody, m4a: m4aBody } as const;

/** Number of recent materials kept: a job's size is needed first, and its bytes later, possibly more than once. */
const KEPT_MAX = 8;
const kept = new Map<string, Material>();

/** Real audio of exactly the requested length, generated and encoded piece by piece as it is read. */
export function renderAudio(job: AudioJob): AudioBody {
  const track = trackOf(material(job), job.durationSeconds, job.loop === true);
  return BODIES[job.format](track);
}

function material({ kind, prompt, seed, loop = false }: AudioJob): Material {
  const key = `${kind} ${loop} ${seed} ${prompt}`;
  const known = kept.get(key) ?? materialOf(kind, prompt, seed, loop);
  kept.delete(key);
  kept.set(key, known);
  const [oldest] = kept.keys();
  if (kept.size > KEPT_MAX && oldest !== undefined) kept.delete(oldest);
  return known;
}
