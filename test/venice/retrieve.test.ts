import { describe, expect, it } from 'vitest';
import type { Transport, TransportRequest } from '../../src/core/ports.js';
import { createClient } from '../../src/venice/create-client.js';

const WAV = Buffer.from('RIFF....WAVEfmt and so on');
const URL_BODY = '{"status":"COMPLETED","whereabouts":"https://cdn.example/a"}';

interface Canned {
  readonly type: string;
  readonly encoding?: string;
  readonly body: string | Uint8Array;
  /** Size of each chunk, bytes. */
  readonly pieceBytes?: number;
}

async function* inPieces({ body, pieceBytes = 1_000 }: Canned): AsyncGenerator<Uint8Array> {
  const bytes = Buffer.from(body);
  for (let at = 0; at < bytes.byteLength; at += pieceBytes) yield bytes.subarray(at, at + pieceBytes);
}

/** Polls once. These answer its requests in turn. */
async function poll(...answers: readonly Canned[]) {
  const asked: TransportRequest[] = [];
  const transport: Transport = async (request) => {
    const next = answers[asked.push(request) - 1]!;
    return {
      kind: 'answer',
      status: 200,
      headers: {
        'content-type': next.type,
        ...(next.encoding !== undefined && { 'content-encoding': next.encoding }),
      },
      body: inPieces(next),
      framed: true,
      discard: () => {},
    };
  };
  const result = await createClient(transport, String).retrieve('m', 'q');
  return { result, asked };
}

async function audioOf({ result }: Awaited<ReturnType<typeof poll>>) {
  if (!result.ok || result.value.kind !== 'audio') throw new Error(JSON.stringify(result));
  const pieces: Uint8Array[] = [];
  for await (const piece of result.value.answer.body) pieces.push(piece);
  return { mediaType: result.value.mediaType, bytes: Buffer.concat(pieces) };
}

describe('audio under a type that is not audio', () => {
  it.each(['text/html', 'text/plain', 'video/mp4', 'application/json', 'application/xml'])(
    '%s: is recognised by its first bytes',
    async (type) => {
      for (const pieceBytes of [1, 5, 1_000])
        expect(await audioOf(await poll({ type, body: WAV, pieceBytes }))).toEqual({
          mediaType: type,
          bytes: WAV,
        });
    },
  );

  it.each([
    ['a page', '<!doctype html><h1>Oops</h1>'],
    ['nothing', ''],
    ['an incomplete header', 'RIFF'],
    ['a RIFF file of something else', 'RIFF....AVI LIST'],
  ])('%s is not', async (_, body) => {
    expect((await poll({ type: 'text/html', body })).result).toMatchObject({ ok: false, code: 'html' });
  });

  it('is accepted from another host, too', async () => {
    for (const type of ['text/html', ''])
      expect(
        (await audioOf(await poll({ type: 'application/json', body: URL_BODY }, { type, body: WAV }))).bytes,
      ).toEqual(WAV);
  });
});

describe('audio of a kind that the program does not know', () => {
  const MPEG_TS = Uint8Array.of(0x47, 0x40, 0x11, 0x10, 0, 0x42, 0xf0, 0x25);
  const WMA = Uint8Array.of(0x30, 0x26, 0xb2, 0x75, 0x8e, 0x66, 0xcf, 0x11);

  it.each([
    ['video/mp2t', MPEG_TS],
    ['application/vnd.ms-asf', WMA],
    ['application/json', WMA],
    ['text/plain', MPEG_TS],
    ['audio/mpeg, text/html', MPEG_TS],
  ])('as %s is taken for audio, to be kept', async (type, body) => {
    for (const pieceBytes of [1, 5, 1_000])
      expect(await audioOf(await poll({ type, body, pieceBytes }))).toEqual({
        mediaType: type,
        bytes: Buffer.from(body),
      });
  });

  it('is taken from another host, too', async () => {
    const there = { type: 'video/mp2t', body: MPEG_TS };
    expect((await audioOf(await poll({ type: 'application/json', body: URL_BODY }, there))).bytes).toEqual(
      Buffer.from(MPEG_TS),
    );
  });

  it.each([
    ['a text', 'try again'],
    ['a text that is cut within a character', 'zu viele Anf\u00fcgungen'],
    ['a text with colours', '\u001b[31mtry again'],
    ['a page', ' <h1>\u0000</h1>'],
    ['a text in UTF-16', Buffer.from('\ufefftry again', 'utf16le').swap16()],
    ['a text that is compressed', Uint8Array.of(0x1f, 0x8b, 8, 0, 0, 0)],
    ['broken JSON', '{"a":\u0000'],
    ['nothing', ''],
  ])('is not %s', async (_, body) => {
    for (const type of ['video/mp2t', 'text/plain', 'application/json'])
      expect((await poll({ type, body })).result).toMatchObject({ ok: false, code: 'not-json' });
  });

  it('is not what is said to be compressed', async () => {
    const answer = { type: 'video/mp2t', encoding: 'br', body: MPEG_TS };
    expect((await poll(answer)).result).toMatchObject({ ok: false, code: 'encoding' });
  });
});

describe('a wrong label', () => {
  it.each(['aws-chunked', 'gzip', 'br', 'identity, gzip'])(
    'such as the encoding %s on audio is ignored',
    async (encoding) => {
      expect((await audioOf(await poll({ type: 'audio/wav', encoding, body: WAV }))).bytes).toEqual(WAV);
    },
  );

  it('such as an encoding on a compressed body stays an error', async () => {
    const answer = { type: 'audio/wav', encoding: 'gzip', body: Uint8Array.of(0x1f, 0x8b, 8, 0) };
    expect((await poll(answer)).result).toMatchObject({ ok: false, code: 'encoding' });
  });

  it.each(['audio/mpeg', 'application/octet-stream', 'image/png', 'text/javascript', ''])(
    'such as the type "%s" on JSON is ignored',
    async (type) => {
      const body = '\ufeff\n{"status":"PROCESSING","average_execution_time":9000,"execution_duration":0}';
      expect((await poll({ type, body })).result).toMatchObject({
        ok: true,
        value: { kind: 'running', averageExecutionMs: 9_000 },
      });
    },
  );

  it('such as an audio type on JSON that contains a long file is ignored', async () => {
    const long = Buffer.concat([WAV, Buffer.alloc(2 * 1024 * 1024)]);
    const body = JSON.stringify({ status: 'COMPLETED', audio: long.toString('base64') });
    expect((await poll({ type: 'audio/mpeg', body })).result).toMatchObject({ ok: true });
  });
});

describe('an address under an unknown name', () => {
  it('is fetched as under a known name, also from another host, without a body', async () => {
    const { asked } = await poll(
      { type: 'application/json', body: URL_BODY },
      { type: 'audio/wav', body: WAV },
    );
    expect(asked).toHaveLength(2);
    expect(asked[1]).toMatchObject({ method: 'GET', elsewhere: 'https://cdn.example/a' });
    expect(asked[1]).not.toHaveProperty('body');
  });
});

describe('a response that is not understood', () => {
  it('is reported with its status and the names of its fields', async () => {
    const body = JSON.stringify({ status: 'COMPLETED', somewhere: 7, secret: 'hush' });
    const { result } = await poll({ type: 'application/json', body });
    expect(result).toMatchObject({ ok: false, code: 'wrong-type' });
    const message = result.ok ? '' : result.message;
    expect(message).toContain('status COMPLETED, fields status, somewhere, secret');
    expect(message).not.toContain('hush');
  });
});
