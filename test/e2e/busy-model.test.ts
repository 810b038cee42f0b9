import { writeFileSync } from 'node:fs';
import { createServer, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { wav } from '../storage/audio-bytes.js';
import { run } from './in-process.js';
import { afterTests, audioFiles, folder, lockLines } from './program.js';

interface Refusal {
  readonly status: number;
  readonly body: object;
  readonly retryAfterSeconds: number;
}

/** A stand-in for the service with two models. `busy` refuses its first submit. */
async function startService(refusal: Refusal) {
  const seen: string[] = [];
  let refused = false;
  const send = (response: ServerResponse, status: number, body: object, headers = {}): ServerResponse =>
    response.writeHead(status, { 'content-type': 'application/json', ...headers }).end(JSON.stringify(body));
  const answer = (response: ServerResponse, route: string, body: Record<string, string>): ServerResponse => {
    const { model = '', queue_id: id = '' } = body;
    if (route.startsWith('/audio/')) seen.push(`${route.slice(7)} ${model}`);
    switch (route) {
      case '/models':
        return send(response, 200, { object: 'list', type: 'music', data: ['busy', 'free'].map(listing) });
      case '/audio/quote':
        return send(response, 200, { quote: 0.01 });
      case '/audio/queue':
        if (model === 'busy' && !refused) {
          refused = true;
          const retryAfter = { 'retry-after': String(refusal.retryAfterSeconds) };
          return send(response, refusal.status, refusal.body, retryAfter);
        }
        return send(response, 200, { model, queue_id: `${model}-job`, status: 'QUEUED' });
      case '/audio/retrieve':
        if (id !== `${model}-job`) return send(response, 400, { error: 'Request ID is invalid.' });
        return response.writeHead(200, { 'content-type': 'audio/wav' }).end(wav(1));
      case '/audio/complete':
        return send(response, 200, { success: true });
      case '/api_keys/rate_limits':
        return send(response, 200, {
          data: { accessPermitted: true, balances: { USD: 10 }, rateLimits: [] },
        });
      default:
        return send(response, 401, { error: 'Admin API key required' });
    }
  };
  const server = createServer(async (request, response) => {
    const pieces: Buffer[] = [];
    for await (const piece of request) pieces.push(piece as Buffer);
    const body = pieces.length === 0 ? {} : JSON.parse(Buffer.concat(pieces).toString());
    answer(response, new URL(request.url ?? '', 'http://stand-in').pathname, body);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  afterTests(() => {
    server.closeAllConnections();
    server.close();
  });
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, seen };
}

function listing(id: string): object {
  const spec = { name: id, pricing: { generation: { usd: 0.01, diem: 0.01 } } };
  return { id, type: 'music', object: 'model', model_spec: spec };
}

/** Runs an album with one track per model. */
async function album(refusal: Refusal) {
  const service = await startService(refusal);
  const cwd = folder();
  const tracks = ['busy', 'free'].map(
    (model) => `  - { id: ${model}, model: ${model}, prompt: Rain on a roof }\n`,
  );
  writeFileSync(path.join(cwd, 'album.yaml'), `version: 1\nbudget: 1\ntracks:\n${tracks.join('')}`);
  const words = ['run', 'album.yaml', '--yes', '--base-url', service.url];
  const ended = await run(words, cwd, { VENICE_API_KEY: 'VENICE_INFERENCE_KEY_x' });
  const states = lockLines(cwd).map(({ track, state }) => `${track} ${state}`);
  return { ended, cwd, states, seen: service.seen.filter((request) => !request.startsWith('quote')) };
}

const count = (seen: readonly string[], request: string): number =>
  seen.filter((one) => one === request).length;

describe('a model that accepts no submits', () => {
  it('delays its submit while it is overloaded, recognised by Retry-After alone, and other jobs are collected meanwhile', async () => {
    const { ended, cwd, seen } = await album({
      status: 429,
      body: { error: 'Please try again later' },
      retryAfterSeconds: 8,
    });
    expect(ended.code, ended.stderr).toBe(0);
    expect(audioFiles(cwd)).toHaveLength(2);
    expect(count(seen, 'queue busy')).toBe(2);
    expect(count(seen, 'queue free')).toBe(1);
    expect(seen.indexOf('retrieve free')).toBeLessThan(seen.lastIndexOf('queue busy'));
  });

  it('counts as offline with or without a code in the body', async () => {
    const offline = { error: 'The model is currently offline' };
    const refusal = { status: 503, retryAfterSeconds: 1 };
    const plain = await album({ ...refusal, body: offline });
    const coded = await album({ ...refusal, body: { ...offline, code: 'MODEL_OFFLINE' } });
    for (const { ended, cwd, seen } of [plain, coded]) {
      expect(ended.code, ended.stderr).toBe(0);
      expect(audioFiles(cwd)).toHaveLength(2);
      expect(count(seen, 'queue busy')).toBe(2);
    }
    expect([...plain.states].sort()).toEqual([...coded.states].sort());
  });
});
