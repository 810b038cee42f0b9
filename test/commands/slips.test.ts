import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { main } from '../../src/commands/main.js';

describe('a slip on the command line', () => {
  let told = '';
  beforeEach(() => {
    told = '';
    vi.spyOn(process.stdout, 'write').mockImplementation((_text, ...more: unknown[]) => {
      for (const one of more) if (typeof one === 'function') one();
      return true;
    });
    vi.spyOn(process.stderr, 'write').mockImplementation((text) => {
      told += String(text);
      return true;
    });
  });
  afterEach(() => {
    vi.restoreAllMocks();
  });

  it.each([
    [['statu'], 'Did you mean status?', 'venice-batch --help'],
    [['run'], "'manifest'", 'venice-batch run --help'],
    [['run', 'a.yaml', '--onyl', 'x'], 'Did you mean --only?', 'venice-batch run --help'],
    [['lock', 'repair'], "'manifest'", 'venice-batch lock repair --help'],
    [['lock'], 'a command is missing', 'name one of the list above'],
  ])('%j is told with its code and where to look', async (argv, what, where) => {
    expect(await main(argv)).toBe(2);
    expect(told.trimEnd().split('\n').slice(-2)).toEqual([
      expect.stringMatching(/^error\[usage\]: /),
      `  = help: ${where}`,
    ]);
    expect(told).toContain(what);
  });

  it('is none where help was asked for', async () => {
    expect(await main(['help', 'run'])).toBe(0);
    expect(told).toBe('');
  });
});
