import type { Amount, AudioKind, ModelSpec, SandboxModel, Tier } from './sandbox-model.js';

const MUSIC_MS = 45_000;
export const SHORT_MS = 20_000;

/** The sandbox cannot make MP3, so it makes and declares WAV instead. */
export const wav = { supported_formats: ['wav'], default_format: 'wav' } as const;
export const flac = { supported_formats: ['flac'], default_format: 'flac' } as const;
export const m4a = { supported_formats: ['m4a'], default_format: 'm4a' } as const;

export function model(
  id: string,
  created: number,
  kind: AudioKind,
  spec: Omit<ModelSpec, 'privacy' | 'traits'>,
  runMsMedian = kind === 'music' ? MUSIC_MS : SHORT_MS,
): SandboxModel {
  return { id, created, kind, runMsMedian, spec: { privacy: 'anonymized', traits: [], ...spec } };
}

export function same(usd: number): Amount {
  return { usd, diem: usd };
}

/** Tiers given by their upper bound; each begins where the one before ends. */
export function tiers(
  firstSeconds: number,
  ...list: readonly (readonly [maxSeconds: number, usd: number])[]
) {
  const durations: Record<string, Tier> = {};
  let min = firstSeconds;
  for (const [max, usd] of list) {
    durations[String(max)] = { ...same(usd), min_seconds: min, max_seconds: max };
    min = max + 1;
  }
  return { durations };
}

export const ELEVENLABS_MUSIC_TIERS = tiers(
  3,
  [60, 0.69],
  [120, 1.38],
  [180, 2.08],
  [240, 2.76],
  [300, 3.45],
  [360, 4.15],
  [420, 4.84],
  [480, 5.52],
  [540, 6.22],
  [600, 6.9],
);

/** An entry of `GET /models`. */
export function modelResponse(model: SandboxModel) {
  const { id, created, spec } = model;
  return { id, object: 'model', owned_by: 'venice.ai', type: 'music', created, model_spec: spec };
}
