import { PassThrough } from 'node:stream';
import { describe, expect, it } from 'vitest';
import { ask } from '../../src/commands/ask.js';

function asked(stop = new AbortController().signal) {
  const input = new PassThrough();
  const written: string[] = [];
  const answer = ask(input, (text) => written.push(text), 'Sure? ', stop);
  return { input, written, answer };
}

describe('the question for approval', () => {
  it.each([
    ['yes\n', 'yes'],
    ['  YES \r\n', 'yes'],
    ['y\n', 'y'],
    ['\n', ''],
    ['yes, but\n', 'yes, but'],
  ])('takes %j as %j', async (typed, meant) => {
    const { input, written, answer } = asked();
    input.write(typed);
    expect(await answer).toBe(meant);
    expect(written).toEqual(['Sure? ']);
  });

  it('takes the end of the input as nothing', async () => {
    const { input, written, answer } = asked();
    input.end();
    expect(await answer).toBe('');
    expect(written).toEqual(['Sure? ', '\n']);
  });

  it('takes an interrupt as nothing, also one before it was asked', async () => {
    const stop = new AbortController();
    const { written, answer } = asked(stop.signal);
    stop.abort();
    expect(await answer).toBe('');
    expect(written).toEqual(['Sure? ', '\n']);
    expect(await asked(stop.signal).answer).toBe('');
  });
});
