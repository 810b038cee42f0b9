import { describe, expect, it } from 'vitest';
import { createGroupCommit } from '../../src/lockfile/group-commit.js';

/** Lets the test settle awaited writes by hand, in order. */
function gate() {
  const waiting: (() => void)[] = [];
  return {
    pass: () => new Promise<void>((resolve) => void waiting.push(resolve)),
    async open() {
      waiting.shift()?.();
      for (let turn = 0; turn < 10; turn += 1) await Promise.resolve();
    },
    get size() {
      return waiting.length;
    },
  };
}

describe('a group commit', () => {
  it('writes a single item at once, and items that arrive meanwhile together', async () => {
    const written: (readonly string[])[] = [];
    const disk = gate();
    const commit = createGroupCommit<string>(async (items) => {
      written.push(items);
      await disk.pass();
    }, 10);
    const all = [commit.add('a'), commit.add('b'), commit.add('c')];
    expect(written).toEqual([['a']]);
    await disk.open();
    await disk.open();
    await Promise.all(all);
    expect(written).toEqual([['a'], ['b', 'c']]);
  });

  it('settles only when everything is written', async () => {
    const disk = gate();
    const commit = createGroupCommit<string>(disk.pass, 10);
    void commit.add('a');
    void commit.add('b');
    let settled = false;
    const end = commit.settled().then(() => {
      settled = true;
    });
    await disk.open();
    expect(settled).toBe(false);
    await disk.open();
    await end;
    expect(settled).toBe(true);
  });
});
