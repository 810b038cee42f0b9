import { ELEVENLABS_MUSIC_TIERS, flac, m4a, model, SHORT_MS, same, tiers, wav } from './catalogue-entry.js';
import type { SandboxModel } from './sandbox-model.js';
import { ELEVENLABS_VOICES, SEED_VOICES } from './voices.js';

const elevenMusic = {
  pricing: ELEVENLABS_MUSIC_TIERS,
  supports_force_instrumental: true,
  min_duration: 3,
  max_duration: 600,
  default_duration: 60,
  ...wav,
  prompt_character_limit: 4_096,
} as const;

const elevenSpeech = {
  pricing: { per_thousand_characters: same(0.11500000000000002) },
  voices: ELEVENLABS_VOICES,
  default_voice: 'Aria',
  supports_custom_voice_id: true,
  ...wav,
  min_prompt_length: 1,
} as const;

const minimax = { supports_lyrics: true, ...wav } as const;

const MODELS: readonly SandboxModel[] = [
  model(
    'ace-step-15',
    1_771_804_800,
    'music',
    {
      name: 'ACE-Step 1.5',
      uncensored: true,
      pricing: tiers(60, [60, 0.03], [90, 0.04], [120, 0.05], [150, 0.06], [180, 0.07], [210, 0.08]),
      supports_lyrics: true,
      lyrics_character_limit: 4_096,
      duration_options: [60, 90, 120, 150, 180, 210],
      default_duration: 60,
      ...flac,
      min_prompt_length: 10,
      prompt_character_limit: 512,
    },
    SHORT_MS,
  ),
  model('elevenlabs-music', 1_771_718_400, 'music', {
    name: 'ElevenLabs Music',
    uncensored: true,
    ...elevenMusic,
  }),
  model('elevenlabs-music-v2', 1_790_640_000, 'music', { name: 'ElevenLabs Music v2', ...elevenMusic }),
  model('elevenlabs-music-v2-5', 1_790_640_000, 'music', { name: 'ElevenLabs Music v2.5', ...elevenMusic }),
  {
    ...model('minimax-music-v2', 1_771_718_400, 'music', {
      name: 'MiniMax Music 2.0',
      pricing: { generation: same(0.04) },
      deprecation: {
        autoRemap: false,
        date: '2031-06-30T00:00:00.000Z',
        removesAt: '2031-06-30T00:00:00.000Z',
        replacementModelId: 'minimax-music-v26',
      },
      ...minimax,
      lyrics_required: true,
      prompt_character_limit: 300,
    }),
  },
  {
    ...model('minimax-music-v25', 1_775_952_000, 'music', {
      name: 'MiniMax Music 2.5',
      pricing: { generation: same(0.18) },
      ...minimax,
      lyrics_character_limit: 3_500,
      supports_lyrics_optimizer: true,
      supports_force_instrumental: true,
      prompt_character_limit: 2_000,
    }),
    lyricsMin: 10,
  },
  {
    ...model('minimax-music-v26', 1_775_952_000, 'music', {
      name: 'MiniMax Music 2.6',
      pricing: { generation: same(0.18) },
      ...minimax,
      lyrics_character_limit: 1_000,
      supports_force_instrumental: true,
      prompt_character_limit: 300,
    }),
    lyricsMin: 10,
  },
  model('lyria-3-pro', 1_779_408_000, 'music', {
    name: 'Lyria 3 Pro',
    pricing: { generation: same(0.1) },
    ...wav,
    prompt_character_limit: 5_000,
  }),
  model(
    'stable-audio-25',
    1_771_718_400,
    'music',
    {
      name: 'Stable Audio 2.5',
      pricing: { generation: same(0.19) },
      min_duration: 5,
      max_duration: 190,
      default_duration: 30,
      ...wav,
      prompt_character_limit: 500,
    },
    SHORT_MS,
  ),
  model('sonilo-v1-1-music', 1_784_592_000, 'music', {
    name: 'Sonilo V1.1 Music',
    pricing: { per_second: same(0.0028750000000000004) },
    betaModel: true,
    min_duration: 1,
    max_duration: 600,
    default_duration: 90,
    ...m4a,
    prompt_character_limit: 4_096,
  }),
  model('sonilo-v1-1-sound-effects', 1_784_592_000, 'effect', {
    name: 'Sonilo V1.1 Sound Effects',
    pricing: { per_second: same(0.0020700000000000002) },
    min_duration: 1,
    max_duration: 180,
    default_duration: 8,
    ...wav,
    prompt_character_limit: 4_096,
  }),
  model('elevenlabs-sound-effects-v2', 1_772_236_800, 'effect', {
    name: 'ElevenLabs Sound Effects',
    pricing: { per_second: same(0.0023000000000000004) },
    supports_loop: true,
    min_duration: 1,
    max_duration: 22,
    default_duration: 7,
    ...wav,
    prompt_character_limit: 450,
  }),
  model('mmaudio-v2-text-to-audio', 1_772_236_800, 'effect', {
    name: 'MMAudio V2',
    pricing: { per_second: same(0.0009200000000000001) },
    min_duration: 1,
    max_duration: 30,
    default_duration: 5,
    ...wav,
    prompt_character_limit: 500,
  }),
  {
    ...model('seed-audio-1-0', 1_782_691_200, 'speech', {
      name: 'Seed Audio 1.0',
      pricing: { per_second: same(0.0028750000000000004) },
      voices: SEED_VOICES,
      default_voice: 'Describe in prompt',
      supports_speed: true,
      min_speed: 0.5,
      max_speed: 2,
      default_speed: 1,
      ...wav,
      prompt_character_limit: 3_000,
    }),
    reservedSeconds: 120,
  },
  model('elevenlabs-tts-v3', 1_772_236_800, 'speech', {
    name: 'ElevenLabs TTS v3',
    ...elevenSpeech,
    prompt_character_limit: 5_000,
  }),
  model('elevenlabs-tts-v4', 1_790_640_000, 'speech', {
    name: 'ElevenLabs TTS v4',
    ...elevenSpeech,
    prompt_character_limit: 5_000,
  }),
  model('elevenlabs-tts-v4-turbo', 1_790_640_000, 'speech', {
    name: 'ElevenLabs TTS v4 Turbo',
    ...elevenSpeech,
    prompt_character_limit: 5_000,
  }),
  model('elevenlabs-tts-multilingual-v2', 1_772_236_800, 'speech', {
    name: 'ElevenLabs Multilingual v2',
    ...elevenSpeech,
    supports_speed: true,
    min_speed: 0.7,
    max_speed: 1.2,
    default_speed: 1,
    prompt_character_limit: 10_000,
  }),
  model('elevenlabs-voice-changer', 1_790_640_000, 'speech', {
    name: 'ElevenLabs Voice Changer',
    pricing: { per_second: same(0.0023000000000000004) },
    voice_changer: true,
    ...wav,
  }),
];

/** Most features are listed for every model, even if absent; features of a voice only if present. */
const LACKS = {
  supports_lyrics: false,
  supports_lyrics_optimizer: false,
  supports_force_instrumental: false,
  supports_loop: false,
  supports_speed: false,
} as const;

/**
 * The catalogue of October 2026: ids, prices, durations, limits and features as published. Limits that are only
 * available live (the prompts of speech models) and generation times are made up.
 */
export const CATALOGUE_TODAY: readonly SandboxModel[] = MODELS.map((entry) => ({
  ...entry,
  spec: { ...LACKS, ...entry.spec },
}));
