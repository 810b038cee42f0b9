import { describe, expect, it } from 'vitest';
import { CATALOGUE } from '../../src/sandbox/catalogue-2026-08.js';
import { complaints, play } from './play.js';

/** For each optional key, a value that asks for nothing. */
const NO_OP = {
  lyrics_prompt: '',
  force_instrumental: false,
  lyrics_optimizer: false,
  loop: false,
  voice: 'Aria',
  language_code: 'en',
  speed: 1,
} as const;

/** What each online model accepts besides the prompt. */
const TAKES: Readonly<Record<string, readonly string[]>> = {
  'ace-step-15': ['lyrics_prompt'],
  'elevenlabs-tts-multilingual-v2': ['voice', 'speed'],
  'elevenlabs-music': ['force_instrumental'],
  'elevenlabs-sound-effects-v2': ['loop'],
  'elevenlabs-tts-v3': ['voice', 'language_code'],
  'lyria-3-pro': ['lyrics_prompt'],
  'minimax-music-v2': ['lyrics_prompt'],
  'minimax-music-v25': ['lyrics_prompt', 'lyrics_optimizer'],
  'minimax-music-v26': ['lyrics_prompt', 'lyrics_optimizer', 'force_instrumental'],
  'seed-audio-1-0': ['voice', 'speed'],
  'sonilo-v1-1-music': [],
  'sonilo-v1-1-sound-effects': [],
  'stable-audio-25': [],
};

describe('a key that a model does not accept', () => {
  it('is known for every online model', () => {
    const online = CATALOGUE.filter((model) => model.spec.offline !== true).map((model) => model.id);
    expect(online.sort()).toEqual(Object.keys(TAKES).sort());
  });

  it.each(Object.entries(TAKES))('is refused even with a value that asks for nothing: %s', (model, takes) => {
    const { post } = play({ balanceUsd: 1_000 });
    const needed: Record<string, string> = model.startsWith('minimax') ? { lyrics_prompt: 'La la la' } : {};
    const body = { model, prompt: 'A song about the sea', ...needed };
    expect(post('/audio/queue', body).status).toBe(200);
    for (const [key, value] of Object.entries(NO_OP)) {
      const given = model === 'seed-audio-1-0' && key === 'voice' ? 'Tim' : needed[key] || value;
      const answer = post('/audio/queue', { ...body, [key]: given });
      expect([key, answer.status]).toEqual([key, takes.includes(key) ? 200 : 400]);
      if (answer.status === 400) expect(complaints(answer, key)).toHaveLength(1);
    }
  });
});

describe('the rules of each model', () => {
  const multilingual = { model: 'elevenlabs-tts-multilingual-v2', prompt: 'Hello' };
  const v3 = { model: 'elevenlabs-tts-v3', prompt: 'Hello' };
  const ace = { model: 'ace-step-15', prompt: 'A dreamy song' };
  const minimax = { model: 'minimax-music-v25', prompt: 'A dreamy song' };
  const music = { model: 'elevenlabs-music', prompt: 'A song' };

  it.each([
    ['lyrics where they are needed', 'lyrics_prompt', minimax, { ...minimax, lyrics_prompt: 'La' }],
    [
      'lyrics that are not blank',
      'lyrics_prompt',
      { ...minimax, lyrics_prompt: ' \n' },
      { ...minimax, lyrics_optimizer: true },
    ],
    [
      'lyrics or the optimizer',
      'lyrics_prompt',
      { ...minimax, lyrics_prompt: 'La', lyrics_optimizer: true },
      { ...minimax, lyrics_prompt: '', lyrics_optimizer: true },
    ],
    [
      'the length of lyrics',
      'lyrics_prompt',
      { ...ace, lyrics_prompt: 'x'.repeat(4_097) },
      { ...ace, lyrics_prompt: 'x'.repeat(4_096) },
    ],
    ['the shortest prompt', 'prompt', { ...ace, prompt: '123456789' }, { ...ace, prompt: '1234567890' }],
    [
      'the shortest prompt, in letters',
      'prompt',
      { ...ace, prompt: '🎵'.repeat(9) },
      { ...ace, prompt: '🎵'.repeat(10) },
    ],
    [
      'the longest prompt',
      'prompt',
      { ...ace, prompt: 'x'.repeat(513) },
      { ...ace, prompt: 'x'.repeat(512) },
    ],
    [
      'the longest prompt, in UTF-16 units',
      'prompt',
      { ...ace, prompt: '🎵'.repeat(257) },
      { ...ace, prompt: '🎵'.repeat(256) },
    ],
    [
      'duration options',
      'duration_seconds',
      { ...ace, duration_seconds: 61 },
      { ...ace, duration_seconds: 90 },
    ],
    [
      'the shortest duration',
      'duration_seconds',
      { ...music, duration_seconds: 2 },
      { ...music, duration_seconds: 3 },
    ],
    [
      'the longest duration',
      'duration_seconds',
      { ...music, duration_seconds: 601 },
      { ...music, duration_seconds: 600 },
    ],
    [
      'durations in digits',
      'duration_seconds',
      { ...music, duration_seconds: '0' },
      { ...music, duration_seconds: '30' },
    ],
    [
      'no duration at all',
      'duration_seconds',
      { model: 'lyria-3-pro', prompt: 'A song of rain', duration_seconds: 30 },
      { model: 'lyria-3-pro', prompt: 'A song of rain' },
    ],
    ['the slowest speed', 'speed', { ...multilingual, speed: 0.69 }, { ...multilingual, speed: 0.7 }],
    ['the fastest speed', 'speed', { ...multilingual, speed: 1.21 }, { ...multilingual, speed: 1.2 }],
    ['voices', 'voice', { ...v3, voice: 'aria' }, { ...v3, voice: 'Aria' }],
    [
      'custom voice ids',
      'voice',
      { ...v3, voice: 'Not an id, surely' },
      { ...v3, voice: 'JBFqnCBsd6RMkjVDRZzb' },
    ],
    [
      'voices without custom ids',
      'voice',
      { model: 'seed-audio-1-0', prompt: 'Hello out there', voice: 'JBFqnCBsd6RMkjVDRZzb' },
      { model: 'seed-audio-1-0', prompt: 'Hello out there', voice: 'Tim' },
    ],
    ['language codes', 'language_code', { ...v3, language_code: 'eng' }, { ...v3, language_code: 'de' }],
  ])('cover %s', (_name, field, refused, taken) => {
    const { post, service } = play();
    const answer = post('/audio/queue', refused);
    expect(answer.status).toBe(400);
    expect(complaints(answer, field)).toHaveLength(1);
    expect(service.jobs.size).toBe(0);
    expect(post('/audio/queue', taken).status).toBe(200);
  });
});
