import { describe, expect, it } from 'vitest';
import { renderAudio } from '../../src/sandbox/audio/render.js';
import { CATALOGUE_TODAY } from '../../src/sandbox/catalogue-2026-10.js';
import type { Variants } from '../../src/sandbox/faults.js';
import type { Entry } from '../../src/sandbox/ledger.js';
import type { SandboxModel } from '../../src/sandbox/sandbox-model.js';
import { type Answered, bytesOf, complaints, LYRICAL, type Play, play, SONG } from './play.js';

const MODEL = CATALOGUE_TODAY.find(({ id }) => id === SONG.model)!;

/** The responses to the same request if the variant never occurs, and if it always does. */
function bothWays(variant: keyof Variants, ask: (world: Play) => Answered): [Answered, Answered] {
  const at = (chance: number) => ask(play({ limits: {}, variants: { [variant]: chance } }));
  return [at(0), at(1)];
}

function retrieve(world: Play, id: string): Answered {
  return world.post('/audio/retrieve', { model: SONG.model, queue_id: id });
}

function ready(world: Play): Answered {
  const id = world.queued();
  world.untilReady(id);
  return retrieve(world, id);
}

describe('where the API has two ways to answer, both occur:', () => {
  it('a running job with its times, and without', () => {
    const [timed, untimed] = bothWays('untimed', (world) => {
      const id = world.queued();
      world.nowMs += world.service.jobs.get(id)!.waitMs;
      return retrieve(world, id);
    });
    expect(timed.json).toEqual({
      status: 'PROCESSING',
      average_execution_time: expect.any(Number),
      execution_duration: expect.any(Number),
    });
    expect(untimed.json).toEqual({ status: 'PROCESSING' });
  });

  it('a failed job with the refund stated, and without', () => {
    const [reported, unstated] = bothWays('refundUnstated', (world) => {
      const id = world.queued({ ...SONG, prompt: 'A song [sandbox:fail]' });
      world.untilReady(id);
      return retrieve(world, id);
    });
    expect(reported.json.credits_refunded).toBe(false);
    expect(unstated.json).toEqual({
      status: 'FAILED',
      error: reported.json.error,
      error_code: 'GENERATION_FAILED',
    });
  });

  it('but a requested refund is always reported', () => {
    for (const answer of bothWays('refundUnstated', (world) => {
      const id = world.queued({ ...SONG, prompt: 'A song [sandbox:refund]' });
      world.untilReady(id);
      return retrieve(world, id);
    }))
      expect(answer.json.credits_refunded).toBe(true);
  });

  it('a second clean-up with 404 and with success, but never one of another key or of nothing', () => {
    const twice = (world: Play) => {
      const job = { model: SONG.model, queue_id: world.queued() };
      world.post('/audio/complete', job);
      expect(world.post('/audio/complete', { ...job, model: LYRICAL.model }).status).toBe(404);
      expect(world.post('/audio/complete', { ...job, queue_id: 'unknown' }).status).toBe(404);
      return world.post('/audio/complete', job);
    };
    const [gone, again] = bothWays('cleanUpAgain', twice);
    expect(gone.status).toBe(404);
    expect(again).toMatchObject({ status: 200, json: { success: true } });
  });

  it('audio with a bare type, and with parameters', () => {
    const [bare, parameters] = bothWays('typeParameters', ready);
    expect(bare.headers['content-type']).toBe('audio/wav');
    expect(parameters.headers['content-type']).toMatch(/^audio\/wav; /);
    expect(bytesOf(parameters.raw.body).equals(bytesOf(bare.raw.body))).toBe(true);
  });

  it('audio as bytes, as base64, and as a URL', () => {
    const [bytes, inline] = bothWays('audioInline', ready);
    expect(inline.json).toMatchObject({ status: 'COMPLETED', content_type: 'audio/wav' });
    expect(Buffer.from(inline.json.audio, 'base64').equals(bytesOf(bytes.raw.body))).toBe(true);
    const [, elsewhere] = bothWays('audioElsewhere', ready);
    expect(elsewhere.json).toEqual({
      status: 'COMPLETED',
      url: expect.stringMatching(/^https:\/\/media\.invalid\//),
    });
  });

  it('an unknown model as 404, and as 400', () => {
    const [missing, wrong] = bothWays('unknownModel400', (world) =>
      world.post('/audio/queue', { ...SONG, model: 'elevenlabs-musik' }),
    );
    expect(missing.status).toBe(404);
    expect(wrong.status).toBe(400);
    expect(complaints(wrong, 'model')).toHaveLength(1);
  });

  describe('a retired model', () => {
    const retired: SandboxModel = {
      ...MODEL,
      id: 'retired',
      spec: {
        ...MODEL.spec,
        deprecation: {
          autoRemap: true,
          date: '2026-12-01',
          removesAt: '2026-12-15T00:00:00Z',
          replacementModelId: MODEL.id,
        },
      },
    };
    const submit = (variants: Partial<Variants>) => {
      const world = play({ as: '2026-10', catalogue: [MODEL, retired], variants });
      return { world, answer: world.post('/audio/queue', { ...SONG, model: 'retired' }) };
    };

    it('as 410, and as 404', () => {
      expect(submit({}).answer.status).toBe(410);
      const { status, json } = submit({ retired404: 1 }).answer;
      expect([status, json.error]).toEqual([404, expect.stringContaining('retired')]);
    });

    it('as a job of its replacement, under whose name alone it can be retrieved', () => {
      const { world, answer } = submit({ rerouted: 1 });
      expect([answer.status, answer.json.model]).toEqual([200, MODEL.id]);
      world.untilReady(answer.json.queue_id);
      expect(retrieve(world, answer.json.queue_id).status).toBe(200);
      const asked = world.post('/audio/retrieve', { model: 'retired', queue_id: answer.json.queue_id });
      expect(asked.status).toBe(400);
    });
  });

  it('a voice changer as 400, and as 404', () => {
    for (const [voiceChanger404, status] of [
      [0, 400],
      [1, 404],
    ] as const) {
      const world = play({ as: '2026-10', variants: { voiceChanger404 } });
      const body = { model: 'elevenlabs-voice-changer', prompt: SONG.prompt };
      expect(world.post('/audio/queue', body).status).toBe(status);
      expect(world.post('/audio/quote', { model: body.model }).status).toBe(status);
    }
  });

  it('M4A as audio/mp4, and by other names', () => {
    const typeOf = (otherM4aType: number) => {
      const world = play({ as: '2026-10', variants: { otherM4aType } });
      const model = 'sonilo-v1-1-music';
      const id = world.queued({ model, prompt: SONG.prompt, duration_seconds: 1 });
      world.untilReady(id);
      return world.post('/audio/retrieve', { model, queue_id: id }).headers['content-type'];
    };
    expect(typeOf(0)).toBe('audio/mp4');
    expect(typeOf(1)).toMatch(/^audio\/(x-m4a|m4a|aac)$/);
  });

  it('resets in seconds, and in milliseconds', () => {
    const resetOf = (resetsIn: 's' | 'ms') => {
      const world = play({ limits: { resetsIn } });
      const { headers } = world.post('/audio/quote', { model: SONG.model });
      return { reset: Number(headers['x-ratelimit-reset-requests']), endMs: world.nowMs + 60_000 };
    };
    const [seconds, ms] = [resetOf('s'), resetOf('ms')];
    expect(seconds.reset).toBe(seconds.endMs / 1_000);
    expect(ms.reset).toBe(ms.endMs);
  });

  it('an error as a text, and as an object', () => {
    const [text, object] = bothWays('errorObject', (world) =>
      world.post('/audio/queue', { model: 'mmaudio-v2-text-to-audio', prompt: 'Rain' }),
    );
    expect(text.json).toMatchObject({ error: expect.any(String), code: 'MODEL_OFFLINE' });
    expect(object).toMatchObject({
      status: 503,
      json: { error: { message: text.json.error, code: 'MODEL_OFFLINE' } },
    });
    const [, suggestion] = bothWays('errorObject', (world) =>
      world.post('/audio/queue', { ...SONG, prompt: 'gore' }),
    );
    expect(suggestion.json).toMatchObject({ error: { code: null }, suggested_prompt: 'tension' });
  });

  it('all three headers of the limit, and two', () => {
    const names = (answer: Answered) =>
      Object.keys(answer.headers).filter((name) => name.startsWith('x-ratelimit'));
    const [all, fewer] = bothWays('headerMissing', (world) =>
      world.post('/audio/quote', { model: SONG.model }),
    );
    expect(names(all)).toHaveLength(3);
    expect(names(fewer)).toHaveLength(2);
  });
});

describe('a word in a prompt', () => {
  it('[sandbox:damaged] returns as many bytes as the audio, and no audio, every time', () => {
    const world = play();
    const id = world.queued({ ...SONG, prompt: 'A song [sandbox:damaged]' });
    world.untilReady(id);
    for (let time = 0; time < 2; time += 1) {
      const { body, headers } = retrieve(world, id).raw;
      expect(headers['content-type']).toBe('audio/wav');
      expect(bytesOf(body).every((byte) => byte === 0)).toBe(true);
      const { bytes } = renderAudio({
        prompt: '',
        kind: 'music',
        durationSeconds: 3,
        format: 'wav',
        seed: '',
      });
      expect(bytesOf(body)).toHaveLength(bytes);
    }
  });

  it('[sandbox:lost-answer] loses the first response only, also after a restart', () => {
    const entries: Entry[] = [];
    const body = { ...SONG, prompt: 'A song [sandbox:lost-answer]' };
    const world = play({ persist: (entry) => entries.push(entry) });
    expect(world.post('/audio/queue', body).raw.cut).toBe(true);
    expect(world.post('/audio/queue', body).raw.cut).toBeUndefined();
    const restarted = play({ entries });
    expect(restarted.post('/audio/queue', body).raw.cut).toBeUndefined();
    expect(restarted.post('/audio/queue', { ...body, duration_seconds: 4 }).raw.cut).toBe(true);
  });

  it('against the policy gets a prompt suggested only if the prompt breaks it', () => {
    const answer = play().post('/audio/queue', { ...LYRICAL, lyrics_prompt: 'a massacre' });
    expect(answer.status).toBe(422);
    expect(answer.json).not.toHaveProperty('suggested_prompt');
  });
});
