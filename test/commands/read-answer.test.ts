import { PassThrough } from 'node:stream';
import { describe, expect, it } from 'vitest';
import { isApproval } from '../../src/commands/ask-approval.js';
import { ask } from '../../src/commands/read-answer.js';

interface Asked {
  readonly input: PassThrough;
  readonly written: string[];
  readonly answer: Promise<string>;
}

/** Resolves when the question is on screen. */
async function asked(stop = new AbortController().signal, input = new PassThrough()): Promise<Asked> {
  const written: string[] = [];
  let answer: Asked['answer'] | undefined;
  await new Promise<void>((resolve) => {
    const write = (text: string) => {
      written.push(text);
      resolve();
    };
    answer = ask(input, write, 'Sure? ', stop);
  });
  return { input, written, answer: answer! };
}

describe('the question for approval', () => {
  it.each(['yes\n', 'yes', 'no\nyes\nyes\n', 'ye'])('ignores %j typed before it appears', async (early) => {
    const typed = new PassThrough();
    typed.write(early);
    const { input, answer } = await asked(undefined, typed);
    input.write('s\n');
    expect(await answer).toBe('s');
  });

  it('discards keys typed before it appears, and reads lines after that', async () => {
    const modes: boolean[] = [];
    const terminal = Object.assign(new PassThrough(), { setRawMode: (raw: boolean) => modes.push(raw) });
    const { input, answer } = await asked(undefined, terminal);
    input.write('yes\n');
    expect(await answer).toBe('yes');
    expect(modes).toEqual([true, false]);
  });

  it.each([
    ['yes', 19_990_000, true],
    ['y', 19_990_000, false],
    ['', 19_990_000, false],
    ['yes', 20_000_000, false],
    ['20', 20_000_000, true],
    ['20.00', 20_000_000, true],
    ['$20.00', 20_000_000, true],
    ['2000', 20_000_000, false],
    ['19.99', 20_000_000, false],
    ['1,234.50', 1_234_500_000, true],
    ['1234.5', 1_234_500_000, true],
    ['1.234,50', 1_234_500_000, false],
    ['20.0023', 20_002_300, true],
    ['20.00', 20_002_300, false],
  ])('answered with %j for %i micro-dollars means: %s', (answer, total, approved) => {
    expect(isApproval(answer, total)).toBe(approved);
  });

  it.each([
    ['yes\n', 'yes'],
    ['  YES \r\n', 'yes'],
    ['y\n', 'y'],
    ['\n', ''],
    ['yes, but\n', 'yes, but'],
  ])('reads %j as %j', async (typed, meant) => {
    const { input, written, answer } = await asked();
    input.write(typed);
    expect(await answer).toBe(meant);
    expect(written).toEqual(['Sure? ']);
  });

  it.each(['', 'yes'])('treats the end of the input after %j as no answer', async (typed) => {
    const { input, written, answer } = await asked();
    input.end(typed);
    expect(await answer).toBe('');
    expect(written).toEqual(['Sure? ', '\n']);
  });

  it('treats an interrupt as no answer, even one from before the question', async () => {
    const stop = new AbortController();
    const { written, answer } = await asked(stop.signal);
    stop.abort();
    expect(await answer).toBe('');
    expect(written).toEqual(['Sure? ', '\n']);
    expect(await (await asked(stop.signal)).answer).toBe('');
  });
});
