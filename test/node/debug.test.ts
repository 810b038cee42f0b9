import { describe, expect, it } from 'vitest';
import type { Transport } from '../../src/core/ports.js';
import { createRedactor } from '../../src/core/redact.js';
import { debugTransport } from '../../src/node/debug.js';

const KEY = 'secret-key-0123456789';
const clock = { nowMs: () => 0, sleep: async () => {} };

function tracing(transport: Transport) {
  const lines: string[] = [];
  const redact = createRedactor([KEY]);
  return { lines, transport: debugTransport(transport, clock, redact, (line) => lines.push(line)) };
}

async function* pieces(...texts: string[]) {
  for (const text of texts) yield new TextEncoder().encode(text);
}

const answering =
  (headers: Record<string, string>, ...texts: string[]): Transport =>
  async () => ({
    kind: 'answer',
    status: 200,
    headers,
    body: pieces(...texts),
    framed: true,
    discard: () => {},
  });

const request = { method: 'POST', path: '/audio/queue', body: '{"prompt":"p"}', deadlineMs: 1 } as const;

async function textOf(result: Awaited<ReturnType<Transport>>): Promise<string> {
  if (result.kind === 'no_answer') return '';
  let text = '';
  for await (const piece of result.body) text += Buffer.from(piece).toString();
  return text;
}

describe('debug lines', () => {
  it('show request, response and end of the body, and change none of them', async () => {
    const headers = {
      'content-type': 'application/json',
      'x-ratelimit-remaining-requests': '7',
      cookie: 'c',
    };
    const { lines, transport } = tracing(answering(headers, '{"a"', ':1}'));
    expect(await textOf(await transport(request))).toBe('{"a":1}');
    expect(lines).toEqual([
      '#1 > POST /audio/queue {"prompt":"p"}',
      '#1 < 200 after 0 ms content-type=application/json x-ratelimit-remaining-requests=7',
      '#1 < end of 7 bytes {"a":1} after 0 ms',
    ]);
  });

  it('show no audio, only how much of it', async () => {
    const { lines, transport } = tracing(answering({ 'content-type': 'audio/mpeg' }, 'ID3...'));
    await textOf(await transport(request));
    expect(lines.at(-1)).toBe('#1 < end of 6 bytes after 0 ms');
  });

  it('show no secret anywhere, not even half of one at a cut', async () => {
    for (let before = 1_900; before < 2_010; before += 3) {
      const text = 'x'.repeat(before) + KEY;
      const { lines, transport } = tracing(
        answering({ 'content-type': 'text/html', location: text }, text.slice(0, 1_950), text.slice(1_950)),
      );
      await textOf(await transport({ ...request, body: text, path: `/x?${KEY}` }));
      expect(lines.join('')).not.toContain(KEY.slice(0, 6));
      expect(Math.max(...lines.map((line) => line.length))).toBeLessThan(2_100);
    }
  });

  it('show URLs of other hosts without parts that may be secret', async () => {
    const location = 'https://u:p@cdn.example/a?signature=s';
    const { lines, transport } = tracing(
      answering({ location, 'content-type': 'application/json' }, JSON.stringify({ url: location })),
    );
    await textOf(await transport({ ...request, path: '', elsewhere: location }));
    expect(lines.join('\n')).toContain('https://cdn.example/a');
    expect(lines.join('\n')).not.toMatch(/signature|u:p@/);
  });

  it('show no part of a key at the cut of a long body', async () => {
    const { lines, transport } = tracing(
      answering({ 'content-type': 'text/plain' }, `${KEY.repeat(1_200)}${KEY.slice(0, 15)}`),
    );
    await textOf(await transport(request));
    expect(lines.join('\n')).not.toContain(KEY.slice(0, 8));
  });

  it('show why there was no response, and a body that is cut off', async () => {
    const { lines, transport } = tracing(async () => ({
      kind: 'no_answer',
      sent: true,
      code: 'ECONNRESET',
      message: 'reset',
    }));
    await transport(request);
    expect(lines.at(-1)).toBe('#1 < no response after 0 ms: sent, ECONNRESET: reset');

    async function* broken(): AsyncGenerator<Uint8Array> {
      yield new TextEncoder().encode('abc');
      throw Object.assign(new Error('cut'), { code: 'ECONNRESET' });
    }
    const cut = tracing(async () => ({
      kind: 'answer',
      status: 200,
      headers: { 'content-type': 'audio/mpeg' },
      body: broken(),
      framed: true,
      discard: () => {},
    }));
    await expect(cut.transport(request).then(textOf)).rejects.toHaveProperty('code', 'ECONNRESET');
    expect(cut.lines.at(-1)).toBe('#1 < cut off (cut) of 3 bytes after 0 ms');
  });
});
