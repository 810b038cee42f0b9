import type { Amount, AudioKind, ModelSpec, SandboxModel, Tier } from './model.js';
import { ELEVENLABS_VOICES, SEED_VOICES } from './voices.js';

const MUSIC_MS = 45_000;
const SHORT_MS = 20_000;

const wav = { supported_formats: ['wav'], default_format: 'wav' } as const;
const flac = { supported_formats: ['flac'], default_format: 'flac' } as const;
const m4a = { supported_formats: ['m4a'], default_format: 'm4a' } as const;

const noLyrics = { supports_lyrics: false, supports_lyrics_optimizer: false } as const;
const noMusic = { ...noLyrics, supports_force_instrumental: false, supports_loop: false } as const;
const noSpeech = { supports_language_code: false, supports_speed: false } as const;

const elevenVoices = {
  voices: ELEVENLABS_VOICES,
  default_voice: 'Aria',
  supports_custom_voice_id: true,
} as const;

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

/**
 * The 14 models of the catalogue of August 2026: ids, names, dates, prices and voices are the service's. Capabilities
 * (except those of ACE-Step, which are also the service's) are made up so that some model has each rule of the API.
 */
export const CATALOGUE: readonly SandboxModel[] = [
  model(
    'ace-step-15',
    1_771_804_800,
    'music',
    {
      name: 'ACE-Step 1.5',
      uncensored: true,
      pricing: tiers(60, [60, 0.03], [90, 0.04], [120, 0.05], [150, 0.06], [180, 0.07], [210, 0.08]),
      supports_lyrics: true,
      lyrics_required: false,
      lyrics_character_limit: 4_096,
      supports_lyrics_optimizer: false,
      supports_force_instrumental: false,
      supports_loop: false,
      ...noSpeech,
      duration_options: [60, 90, 120, 150, 180, 210],
      default_duration: 60,
      ...flac,
      min_prompt_length: 10,
      prompt_character_limit: 512,
    },
    SHORT_MS,
  ),
  model('elevenlabs-tts-multilingual-v2', 1_772_236_800, 'speech', {
    name: 'ElevenLabs Multilingual v2',
    pricing: { per_thousand_characters: same(0.11500000000000002) },
    ...noMusic,
    ...elevenVoices,
    supports_language_code: false,
    supports_speed: true,
    min_speed: 0.7,
    max_speed: 1.2,
    default_speed: 1,
    ...wav,
    min_prompt_length: 1,
    prompt_character_limit: 10_000,
  }),
  model('elevenlabs-music', 1_771_718_400, 'music', {
    name: 'ElevenLabs Music',
    uncensored: true,
    pricing: ELEVENLABS_MUSIC_TIERS,
    ...noLyrics,
    supports_force_instrumental: true,
    supports_loop: false,
    ...noSpeech,
    min_duration: 3,
    max_duration: 600,
    default_duration: 60,
    ...wav,
    min_prompt_length: 1,
    prompt_character_limit: 4_100,
  }),
  model('elevenlabs-sound-effects-v2', 1_772_236_800, 'effect', {
    name: 'ElevenLabs Sound Effects',
    pricing: { per_second: same(0.0023000000000000004) },
    ...noLyrics,
    supports_force_instrumental: false,
    supports_loop: true,
    ...noSpeech,
    min_duration: 1,
    max_duration: 30,
    default_duration: 5,
    ...wav,
    min_prompt_length: 1,
    prompt_character_limit: 450,
  }),
  model('elevenlabs-tts-v3', 1_772_236_800, 'speech', {
    name: 'ElevenLabs TTS v3',
    pricing: { per_thousand_characters: same(0.11500000000000002) },
    ...noMusic,
    ...elevenVoices,
    supports_language_code: true,
    supports_speed: false,
    ...flac,
    min_prompt_length: 1,
    prompt_character_limit: 5_000,
  }),
  // Declares as little as possible: no duration, and otherwise only its format and prompt.
  {
    ...model('lyria-3-pro', 1_779_408_000, 'music', {
      name: 'Lyria 3 Pro',
      pricing: { generation: same(0.1) },
      ...wav,
      prompt_character_limit: 2_000,
    }),
    pro: true,
  },
  model('minimax-music-v2', 1_771_718_400, 'music', {
    name: 'MiniMax Music 2.0',
    pricing: { generation: same(0.04) },
    deprecation: {
      autoRemap: false,
      date: '2031-06-30T00:00:00.000Z',
      removesAt: '2031-06-30T00:00:00.000Z',
      replacementModelId: 'minimax-music-v26',
    },
    supports_lyrics: true,
    lyrics_required: true,
    lyrics_character_limit: 3_000,
    supports_lyrics_optimizer: false,
    supports_force_instrumental: false,
    ...noSpeech,
    ...flac,
    min_prompt_length: 10,
    prompt_character_limit: 300,
  }),
  model('minimax-music-v25', 1_775_952_000, 'music', {
    name: 'MiniMax Music 2.5',
    pricing: { generation: same(0.18) },
    supports_lyrics: true,
    lyrics_required: true,
    lyrics_character_limit: 3_500,
    supports_lyrics_optimizer: true,
    supports_force_instrumental: false,
    ...noSpeech,
    ...flac,
    min_prompt_length: 1,
    prompt_character_limit: 2_000,
  }),
  model('minimax-music-v26', 1_775_952_000, 'music', {
    name: 'MiniMax Music 2.6',
    pricing: { generation: same(0.18) },
    supports_lyrics: true,
    lyrics_required: false,
    lyrics_character_limit: 3_500,
    supports_lyrics_optimizer: true,
    supports_force_instrumental: true,
    ...noSpeech,
    ...flac,
    min_prompt_length: 1,
    prompt_character_limit: 2_000,
  }),
  model('mmaudio-v2-text-to-audio', 1_772_236_800, 'effect', {
    name: 'MMAudio V2',
    pricing: { per_second: same(0.0009200000000000001) },
    offline: true,
    ...noLyrics,
    supports_loop: false,
    min_duration: 1,
    max_duration: 30,
    default_duration: 8,
    ...flac,
  }),
  model('seed-audio-1-0', 1_782_691_200, 'speech', {
    name: 'Seed Audio 1.0',
    pricing: { per_second: same(0.0028750000000000004) },
    ...noLyrics,
    voices: SEED_VOICES,
    default_voice: 'Describe in prompt',
    supports_custom_voice_id: false,
    supports_speed: true,
    min_speed: 0.5,
    max_speed: 2,
    default_speed: 1,
    min_duration: 3,
    max_duration: 120,
    default_duration: 30,
    ...wav,
    prompt_character_limit: 2_048,
  }),
  model('sonilo-v1-1-music', 1_784_592_000, 'music', {
    name: 'Sonilo V1.1 Music',
    pricing: { per_second: same(0.0028750000000000004) },
    betaModel: true,
    ...noLyrics,
    min_duration: 5,
    max_duration: 360,
    default_duration: 30,
    ...m4a,
    prompt_character_limit: 1_000,
  }),
  {
    ...model('sonilo-v1-1-sound-effects', 1_784_592_000, 'effect', {
      name: 'Sonilo V1.1 Sound Effects',
      pricing: { per_second: same(0.0020700000000000002) },
      ...noLyrics,
      supports_force_instrumental: false,
      min_duration: 1,
      max_duration: 60,
      default_duration: 10,
      ...wav,
      prompt_character_limit: 1_000,
    }),
    // Quoted and charged below the catalogue's price.
    priceFactor: 0.9,
  },
  model(
    'stable-audio-25',
    1_771_718_400,
    'music',
    {
      name: 'Stable Audio 2.5',
      pricing: { generation: same(0.19) },
      ...noMusic,
      ...noSpeech,
      min_duration: 1,
      max_duration: 190,
      default_duration: 60,
      ...wav,
      prompt_character_limit: 10_000,
    },
    SHORT_MS,
  ),
];

/** An entry of `GET /models`. */
export function modelResponse(model: SandboxModel) {
  const { id, created, spec } = model;
  return { id, object: 'model', owned_by: 'venice.ai', type: 'music', created, model_spec: spec };
}
