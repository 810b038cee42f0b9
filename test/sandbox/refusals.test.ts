import { describe, expect, it } from 'vitest';
import { type Answered, complaints, LYRICAL, play, SONG } from './play.js';

const KEYED_POSTS = ['/audio/queue', '/audio/retrieve', '/audio/complete'];
const KEYED_GETS = ['/billing/balance', '/billing/usage-history', '/api_keys/rate_limits'];

describe('a request without a known key', () => {
  it.each(KEYED_POSTS)('is refused by POST %s before anything else is checked', (path) => {
    const { post } = play();
    for (const key of ['', 'another', 'sandbox2']) {
      expect(post(path, { nonsense: true }, key)).toMatchObject({
        status: 401,
        json: { error: expect.any(String) },
      });
    }
  });

  it.each(KEYED_GETS)('is refused by GET %s', (path) => {
    const { get } = play();
    expect(get(path, '').status).toBe(401);
    expect(get(path, 'another').status).toBe(401);
  });

  it('is answered by models and quote', () => {
    const { get, post } = play();
    expect(get('/models?type=music', '').status).toBe(200);
    expect(post('/audio/quote', { model: 'lyria-3-pro' }, '').json).toEqual({ quote: 0.1 });
  });

  it('may use no other scheme than Bearer', () => {
    const { service, nowMs } = play();
    const headers = { authorization: 'Basic sandbox' };
    expect(service.handle({ method: 'GET', path: '/billing/balance', headers, body: '' }, nowMs).status).toBe(
      401,
    );
  });
});

describe('routes', () => {
  it('answer 404 for unknown paths, 405 for other methods, 410 for the old usage list', () => {
    const { get, post } = play();
    expect(get('/audio/jobs').status).toBe(404);
    expect(get('/constructor').status).toBe(404);
    expect(get('').status).toBe(404);
    expect(get('/audio/queue')).toMatchObject({ status: 405, headers: { allow: 'POST' } });
    expect(post('/models', {})).toMatchObject({ status: 405, headers: { allow: 'GET' } });
    expect(get('/billing/usage').status).toBe(410);
  });

  it('list music models only if music is asked for', () => {
    const { get } = play();
    expect(get('/models?type=music').json.data).toHaveLength(14);
    expect(get('/models').json).toEqual({ data: [], object: 'list', type: 'text' });
    expect(get('/models?type=video').json.data).toEqual([]);
    expect(get('/models?type=songs').status).toBe(400);
  });
});

describe('a body', () => {
  const raw = (
    body: string,
    type: string | undefined = 'application/json',
    more: Record<string, string> = {},
  ): Answered['status'] => {
    const { service, nowMs } = play();
    const typed = type === '' ? {} : { 'content-type': type };
    const headers = { authorization: 'Bearer sandbox', ...typed, ...more };
    return service.handle({ method: 'POST', path: '/audio/queue', headers, body }, nowMs).status;
  };

  it('has to be JSON and declared as such', () => {
    expect(raw(JSON.stringify(SONG), '')).toBe(415);
    expect(raw(JSON.stringify(SONG), 'text/plain')).toBe(415);
    expect(raw(JSON.stringify(SONG), 'application/json; charset=utf-8')).toBe(200);
    expect(raw('')).toBe(400);
    expect(raw('{"model": ')).toBe(400);
    expect(raw(JSON.stringify(SONG), undefined, { 'content-encoding': 'gzip' })).toBe(415);
    for (const other of ['null', '[]', '"text"', '3']) expect(raw(other)).toBe(400);
  });

  it('may have one mebibyte and no more', () => {
    const padded = (bytes: number) => JSON.stringify(SONG).padEnd(bytes, ' ');
    expect(raw(padded(1024 * 1024))).toBe(200);
    expect(raw(padded(1024 * 1024 + 1))).toBe(413);
  });
});

describe('the schema', () => {
  const id = '123e4567-e89b-42d3-a456-426614174000';
  const FITTING: Record<string, object> = {
    '/audio/quote': { model: 'elevenlabs-music' },
    '/audio/queue': SONG,
    '/audio/retrieve': { model: SONG.model, queue_id: id },
    '/audio/complete': { model: SONG.model, queue_id: id },
  };

  it.each(Object.keys(FITTING))('of %s accepts no unknown key, and requires the required ones', (path) => {
    const { post } = play();
    for (const extra of ['prompts', 'client_tag', 'toString', '__proto__']) {
      const body = JSON.parse(`{"${extra}": 1, ${JSON.stringify(FITTING[path]).slice(1)}`);
      const answer = post(path, body);
      expect(answer.status).toBe(400);
      expect(complaints(answer, '').join()).toContain(extra);
    }
    for (const missing of Object.keys(FITTING[path]!).filter((key) => key !== 'duration_seconds')) {
      const { [missing]: _, ...rest } = FITTING[path] as Record<string, unknown>;
      expect(complaints(post(path, rest), missing)).toEqual(['Field is required']);
    }
  });

  it.each([
    ['/audio/quote', 'prompt', 'hello'],
    ['/audio/quote', 'character_count', 0],
    ['/audio/quote', 'character_count', 1.5],
    ['/audio/quote', 'character_count', '100'],
    ['/audio/quote', 'duration_seconds', -1],
    ['/audio/queue', 'model', 3],
    ['/audio/queue', 'prompt', ''],
    ['/audio/queue', 'prompt', null],
    ['/audio/queue', 'duration_seconds', 0],
    ['/audio/queue', 'duration_seconds', 3.5],
    ['/audio/queue', 'duration_seconds', '3.5'],
    ['/audio/queue', 'duration_seconds', ''],
    ['/audio/queue', 'duration_seconds', null],
    ['/audio/queue', 'force_instrumental', 'true'],
    ['/audio/queue', 'speed', '1'],
    ['/audio/queue', 'speed', 0.2],
    ['/audio/queue', 'speed', 4.1],
    ['/audio/queue', 'character_count', 10],
    ['/audio/retrieve', 'delete_media_on_completion', 'yes'],
    ['/audio/complete', 'delete_media_on_completion', true],
  ])('of %s refuses %s: %j', (path, field, value) => {
    const answer = play().post(path, { ...FITTING[path], [field]: value });
    expect(answer.status).toBe(400);
    expect(answer.json).toMatchObject({
      error: expect.any(String),
      issues: [{ message: expect.any(String) }],
    });
    expect([...complaints(answer, field), ...complaints(answer, '')]).toHaveLength(1);
  });

  it('reports everything that is wrong at once', () => {
    const answer = play().post('/audio/queue', { model: 1, prompt: '', loop: 'no' });
    expect(answer.json.issues.map((issue: { path: string[] }) => issue.path[0])).toEqual([
      'model',
      'prompt',
      'loop',
    ]);
  });

  it('accepts a duration in digits', () => {
    expect(play().post('/audio/queue', { ...SONG, duration_seconds: '60' }).status).toBe(200);
  });
});

describe('a submit', () => {
  it('of an unknown model gets 404, and its quote 400', () => {
    const { post, service } = play();
    expect(post('/audio/queue', { ...SONG, model: 'elevenlabs-musik' }).status).toBe(404);
    expect(post('/audio/quote', { model: 'elevenlabs-musik' }).status).toBe(400);
    expect(service.jobs.size).toBe(0);
  });

  it('to an offline model gets 503', () => {
    const answer = play().post('/audio/queue', { model: 'mmaudio-v2-text-to-audio', prompt: 'Rain' });
    expect(answer).toMatchObject({ status: 503, json: { code: 'MODEL_OFFLINE' } });
  });

  it('to a removed model gets 404, and the model is no longer listed', () => {
    const world = play();
    world.nowMs = Date.UTC(2031, 5, 30);
    const body = { model: 'minimax-music-v2', prompt: 'A sea shanty', lyrics_prompt: 'Heave ho' };
    expect(world.post('/audio/queue', body).status).toBe(404);
    expect(world.get('/models?type=music').json.data).toHaveLength(13);
    world.nowMs -= 1;
    expect(world.post('/audio/queue', body).status).toBe(200);
  });

  it.each(['Sounds of a massacre', 'GORE, drums', '[sandbox:policy] A calm song'])(
    'against the content policy gets 422, and the suggested prompt passes: %s',
    (prompt) => {
      const { post } = play();
      const answer = post('/audio/queue', { ...SONG, prompt });
      expect(answer.status).toBe(422);
      expect(post('/audio/queue', { ...SONG, prompt: answer.json.suggested_prompt }).status).toBe(200);
    },
  );

  it.each([
    ['[sandbox:fial] A calm song', 'unknown sandbox word [sandbox:fial]: did you mean [sandbox:fail]?'],
    ['A song [Sandbox: Slow]', 'did you mean [sandbox:slow]?'],
    ['A song [sandbox:nothing-like-it]', 'the words are fail, refund'],
  ])('with a misspelled word of the sandbox gets 400 and the word that was meant: %s', (prompt, meant) => {
    const { status, json } = play().post('/audio/queue', { ...SONG, prompt });
    expect(status).toBe(400);
    expect(JSON.stringify(json)).toContain(meant);
  });

  it('with lyrics against the content policy gets 422', () => {
    expect(play().post('/audio/queue', { ...LYRICAL, lyrics_prompt: 'a massacre' }).status).toBe(422);
  });

  it('with the word for a full model gets 503 twice', () => {
    const { post, service } = play();
    const body = { ...SONG, prompt: 'A song [sandbox:capacity]' };
    const statuses = [1, 2, 3].map(() => post('/audio/queue', body).status);
    expect(statuses).toEqual([503, 503, 200]);
    expect(service.jobs.size).toBe(1);
  });

  it('that is refused at random is not queued', () => {
    for (const [fault, status] of [
      ['atCapacity', 503],
      ['overloaded', 429],
      ['badGateway', 502],
    ] as const) {
      const { post, service } = play({ faults: { [fault]: 1 } });
      expect(post('/audio/queue', SONG).status).toBe(status);
      expect(service.jobs.size).toBe(0);
    }
  });
});
