import { EventEmitter } from 'node:events';
import type { Worker } from 'node:worker_threads';
import { describe, expect, it } from 'vitest';
import { createQcThread } from '../../src/commands/qc-thread.js';
import type { Analysis } from '../../src/qc/analysis.js';

const NOT_ANALYSED: Analysis = { kind: 'not-analysed', format: 'this file' };
const found = (format: string): Analysis => ({ kind: 'not-analysed', format });
const file = (name: string) => ({ bytes: new TextEncoder().encode(name), file: name });

/** A thread that does what the test says. */
class Thread extends EventEmitter {
  readonly asked: string[] = [];
  ended = false;
  postMessage({ file: name }: { file: string }): void {
    this.asked.push(name);
  }
  async terminate(): Promise<number> {
    this.ended = true;
    this.emit('exit', 1);
    return 1;
  }
}

function scene() {
  const threads: Thread[] = [];
  const thread = createQcThread(() => {
    threads.push(new Thread());
    return threads.at(-1) as unknown as Worker;
  });
  return { threads, thread };
}

/** Lets everything run that is ready. */
const settled = () => new Promise<void>((resolve) => setImmediate(resolve));

describe('the thread of the quality check', () => {
  it('starts with the first file and gets one file at a time', async () => {
    const { threads, thread } = scene();
    expect(threads).toHaveLength(0);
    const answers = [thread.analyse(file('a')), thread.analyse(file('b'))];
    await settled();
    expect(threads.map(({ asked }) => asked)).toEqual([['a']]);
    threads[0]!.emit('message', found('A'));
    await settled();
    expect(threads.map(({ asked }) => asked)).toEqual([['a', 'b']]);
    threads[0]!.emit('message', found('B'));
    expect(await Promise.all(answers)).toEqual([found('A'), found('B')]);
  });

  it('gives one result per file and then stops listening', async () => {
    const { threads, thread } = scene();
    const results: Analysis[] = [];
    const answer = thread.analyse(file('a')).then((result) => results.push(result));
    await settled();
    threads[0]!.emit('message', found('A'));
    threads[0]!.emit('message', found('again'));
    threads[0]!.emit('exit', 1);
    await answer;
    expect(results).toEqual([found('A')]);
    for (const name of ['message', 'error', 'exit']) expect(threads[0]!.listenerCount(name), name).toBe(0);
  });

  it.each(['error', 'exit'])(
    'leaves its file unmeasured if it ends by %s, and the next file gets a new thread',
    async (how) => {
      const { threads, thread } = scene();
      const first = thread.analyse(file('a'));
      const second = thread.analyse(file('b'));
      await settled();
      threads[0]!.emit(how, new Error('out of memory'));
      expect(await first).toEqual(NOT_ANALYSED);
      await settled();
      expect(threads.map(({ asked }) => asked)).toEqual([['a'], ['b']]);
      threads[1]!.emit('message', found('B'));
      expect(await second).toEqual(found('B'));
    },
  );

  it('answers every waiting file when it is closed', async () => {
    const { threads, thread } = scene();
    const answers = ['a', 'b', 'c'].map((name) => thread.analyse(file(name)));
    await settled();
    await thread.close();
    expect(await Promise.all(answers)).toEqual([NOT_ANALYSED, NOT_ANALYSED, NOT_ANALYSED]);
    expect(await thread.analyse(file('d'))).toEqual(NOT_ANALYSED);
    expect(threads.map(({ asked, ended }) => [asked, ended])).toEqual([[['a'], true]]);
  });

  it('does not start if it is not needed', async () => {
    const { threads, thread } = scene();
    await thread.close();
    expect(threads).toEqual([]);
  });
});
