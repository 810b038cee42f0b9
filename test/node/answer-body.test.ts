import { describe, expect, it } from 'vitest';
import { createBody } from '../../src/node/answer-body.js';

const KIB_64 = new Uint8Array(64 * 1024);

function tap() {
  const calls: string[] = [];
  return {
    calls,
    pause: () => void calls.push('pause'),
    resume: () => void calls.push('resume'),
    stop: () => void calls.push('stop'),
  };
}

async function sizes(read: AsyncGenerator<Uint8Array>): Promise<number[]> {
  const found: number[] = [];
  for await (const piece of read) found.push(piece.byteLength);
  return found;
}

describe('the body of a response', () => {
  it('contains what arrived before and after reading began', async () => {
    const body = createBody(tap());
    body.add(new Uint8Array(1));
    body.add(new Uint8Array(2));
    const read = sizes(body.read());
    await Promise.resolve();
    body.add(new Uint8Array(3));
    body.end();
    expect(await read).toEqual([1, 2, 3]);
  });

  it('pauses the connection while too much is unread, and resumes it afterwards', async () => {
    const on = tap();
    const body = createBody(on);
    body.add(KIB_64);
    expect(on.calls).toEqual(['pause']);
    const reader = body.read();
    await reader.next();
    expect(on.calls).toEqual(['pause']);
    const next = reader.next();
    await Promise.resolve();
    expect(on.calls).toEqual(['pause', 'resume']);
    body.add(new Uint8Array(5));
    expect((await next).value).toHaveLength(5);
  });

  it('does not miss data that arrives in the moment of resuming', async () => {
    const on = tap();
    const body = createBody({
      ...on,
      resume: () => {
        body.add(new Uint8Array(7));
        body.end();
      },
    });
    body.add(KIB_64);
    expect(await sizes(body.read())).toEqual([64 * 1024, 7]);
  });

  it('gives what arrived before a fault, then the fault', async () => {
    const body = createBody(tap());
    body.add(new Uint8Array(1));
    body.end(new Error('cut'));
    body.end();
    const reader = body.read();
    expect((await reader.next()).value).toHaveLength(1);
    await expect(reader.next()).rejects.toThrow('cut');
  });

  it('closes the connection if it is not read to its end', async () => {
    const left = tap();
    const reader = createBody(left);
    reader.add(new Uint8Array(1));
    for await (const _ of reader.read()) break;
    expect(left.calls).toEqual(['stop']);

    const unwanted = tap();
    createBody(unwanted).discard();
    expect(unwanted.calls).toEqual(['stop']);

    const ended = tap();
    const body = createBody(ended);
    body.end();
    body.discard();
    expect(ended.calls).toEqual([]);
  });

  it('accepts nothing after its end', async () => {
    const body = createBody(tap());
    body.end();
    body.add(new Uint8Array(1));
    expect(await sizes(body.read())).toEqual([]);
  });
});
