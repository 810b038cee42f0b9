import { describe, expect, it } from 'vitest';
import { play } from './play.js';

const prompt = 'A song about the sea';

describe('a quote', () => {
  it.each([
    ['per generation', { model: 'stable-audio-25' }, 0.19],
    ['per generation, whatever the duration', { model: 'stable-audio-25', duration_seconds: 190 }, 0.19],
    ['per second', { model: 'elevenlabs-sound-effects-v2', duration_seconds: 20 }, 0.046],
    ['per second of the default duration', { model: 'elevenlabs-sound-effects-v2' }, 0.0115],
    ['per second, in digits', { model: 'sonilo-v1-1-music', duration_seconds: '30' }, 0.08625],
    ['per thousand characters', { model: 'elevenlabs-tts-v3', character_count: 1_000 }, 0.115],
    ['per thousand characters, one of them', { model: 'elevenlabs-tts-v3', character_count: 1 }, 0.000115],
    ['by tier', { model: 'elevenlabs-music', duration_seconds: 61 }, 1.38],
    ['by tier, at its upper end', { model: 'elevenlabs-music', duration_seconds: 60 }, 0.69],
    ['by tier of the default duration', { model: 'ace-step-15' }, 0.03],
    ['by the last tier', { model: 'ace-step-15', duration_seconds: 210 }, 0.08],
  ])('is %s', (_name, query, usd) => {
    expect(play().post('/audio/quote', query).json).toEqual({ quote: usd });
  });

  it('needs the number of characters if the price depends on it', () => {
    expect(play().post('/audio/quote', { model: 'elevenlabs-tts-v3' }).status).toBe(400);
  });

  it('is refused for a duration that the model does not make', () => {
    const { post } = play();
    expect(post('/audio/quote', { model: 'ace-step-15', duration_seconds: 61 }).status).toBe(400);
    expect(post('/audio/quote', { model: 'elevenlabs-music', duration_seconds: 601 }).status).toBe(400);
    expect(post('/audio/quote', { model: 'lyria-3-pro', duration_seconds: 30 }).status).toBe(400);
  });

  it.each([
    [{ model: 'stable-audio-25', prompt }, { model: 'stable-audio-25' }],
    [
      { model: 'elevenlabs-sound-effects-v2', prompt, duration_seconds: 7 },
      { model: 'elevenlabs-sound-effects-v2', duration_seconds: 7 },
    ],
    [
      { model: 'elevenlabs-tts-v3', prompt: 'Hé 🎵' },
      { model: 'elevenlabs-tts-v3', character_count: 5 },
    ],
    [
      { model: 'elevenlabs-music', prompt, duration_seconds: '130' },
      { model: 'elevenlabs-music', duration_seconds: 130 },
    ],
  ])('is what is charged: %j', (request, query) => {
    const world = play();
    const { quote } = world.post('/audio/quote', query).json;
    const id = world.queued(request);
    world.untilReady(id);
    expect(world.service.charges(world.nowMs + 1)).toMatchObject([
      { queueId: id, microUsd: Math.round(quote * 1e6) },
    ]);
  });
});
