import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { completionCommand } from '../../src/commands/completion.js';
import { createProgram } from '../../src/commands/program.js';

describe('completion in a plain bash', () => {
  const cwd = mkdtempSync(path.join(os.tmpdir(), 'venice-batch-'));
  afterAll(() => rmSync(cwd, { recursive: true, force: true }));

  beforeAll(async () => {
    for (const name of ['album.yaml', 'my jingles.yml', 'notes.txt']) writeFileSync(path.join(cwd, name), '');
    mkdirSync(path.join(cwd, 'more'));
    let script = '';
    const write = vi.spyOn(process.stdout, 'write').mockImplementation((text) => {
      script += String(text);
      return true;
    });
    await completionCommand(
      createProgram(() => {}),
      'bash',
    );
    write.mockRestore();
    writeFileSync(path.join(cwd, '.completion'), script);
  });

  /** What is offered for the last of the words. */
  function offered(...words: string[]): string[] {
    const ask = `source ./.completion; COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); _venice_batch; printf "%s\\n" "\${COMPREPLY[@]}"`;
    const args = ['--norc', '--noprofile', '-c', ask, 'bash', 'venice-batch', ...words];
    const told = execFileSync('bash', args, { cwd, encoding: 'utf8', timeout: 20_000 });
    return told
      .split('\n')
      .filter((line) => line !== '')
      .sort();
  }

  it.each([
    [['va'], ['validate']],
    [['run', 'a'], ['album.yaml']],
    [
      ['run', 'm'],
      ['more', 'my jingles.yml'],
    ],
    [['run', 'n'], []],
    [['run', '--retry'], ['--retry-failed']],
    [
      ['run', 'album.yaml', '--progress', ''],
      ['auto', 'plain', 'quiet', 'tty'],
    ],
    [['run', 'album.yaml', '--env-file', 'n'], ['notes.txt']],
    [['run', 'album.yaml', '--budget', ''], []],
    [['unlock', '--force', 'a'], ['album.yaml']],
    [['lock', ''], ['repair']],
    [['lock', 'repair', 'a'], ['album.yaml']],
    [
      ['completion', ''],
      ['bash', 'fish', 'zsh'],
    ],
  ])('after %j offers %j', (words, offers) => {
    expect(offered(...words)).toEqual(offers);
  });
});
