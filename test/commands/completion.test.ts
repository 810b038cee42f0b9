import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { completionCommand } from '../../src/commands/completion-command.js';
import { createProgram } from '../../src/commands/program.js';

async function scriptFor(shell: string): Promise<string> {
  let script = '';
  const write = vi.spyOn(process.stdout, 'write').mockImplementation((text) => {
    script += String(text);
    return true;
  });
  await completionCommand(
    createProgram(() => {}),
    shell,
  );
  write.mockRestore();
  return script;
}

describe('completion in a plain bash', () => {
  const cwd = mkdtempSync(path.join(os.tmpdir(), 'venice-batch-'));
  afterAll(() => rmSync(cwd, { recursive: true, force: true }));

  beforeAll(async () => {
    for (const name of ['album.yaml', 'my jingles.yml', 'notes.txt']) writeFileSync(path.join(cwd, name), '');
    mkdirSync(path.join(cwd, 'more'));
    writeFileSync(path.join(cwd, '.completion'), await scriptFor('bash'));
  });

  /** What is offered for the last word. */
  function offered(...words: string[]): string[] {
    const ask = `source ./.completion; COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); _venice_batch; printf "%s\\n" "\${COMPREPLY[@]}"`;
    const args = ['--norc', '--noprofile', '-c', ask, 'bash', 'venice-batch', ...words];
    const specs = execFileSync('bash', args, { cwd, encoding: 'utf8', timeout: 20_000 });
    return specs
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
    [
      ['lock', ''],
      ['merge', 'repair'],
    ],
    [['lock', 'repair', 'a'], ['album.yaml']],
    [
      ['completion', ''],
      ['bash', 'fish', 'zsh'],
    ],
  ])('after %j offers %j', (words, offers) => {
    expect(offered(...words)).toEqual(offers);
  });
});

/** zsh and fish are not installed everywhere, so their scripts are compared with what was seen to work in them. */
describe('the script for zsh', () => {
  const line = async (command: string) =>
    (await scriptFor('zsh')).split('\n').find((text) => text.startsWith(`    ${command}) `)) ?? '';

  it('offers the commands and the options of each', async () => {
    expect(await scriptFor('zsh')).toContain("    'status:show the state of every take; offline'\n");
    expect(await line('run')).toMatch(/ '\*:manifest:_files -g "\*\.\(yaml\|yml\)"' ;;$/);
    expect(await line('lock')).toContain("'1:word:(repair merge)'");
    expect(await line('completion')).toContain("'1:word:(bash zsh fish)'");
    expect(await line('models')).not.toContain(':manifest:');
  });

  it('offers files for a path, the choices of an option, and otherwise nothing', async () => {
    const run = await line('run');
    expect(run).toMatch(/'--env-file\[[^\]]*\]:value:_files'/);
    expect(run).toMatch(/'--progress\[[^\]]*\]:value:\(auto tty plain quiet\)'/);
    expect(run).toMatch(/'--budget\[[^\]]*\]:value: '/);
    expect(run).toMatch(/'--yes\[[^\]]*\]'/);
    expect(run).toMatch(/'\*--only\[/);
  });

  it('works sourced and from $fpath', async () => {
    const script = await scriptFor('zsh');
    expect(script).toMatch(/^#compdef venice-batch\n/);
    expect(script).toContain('compdef _venice_batch venice-batch');
  });
});

describe('the script for fish', () => {
  const lines = async (start: string) =>
    (await scriptFor('fish'))
      .split('\n')
      .filter((text) => text.startsWith(`complete -c venice-batch ${start}`));

  it('offers only manifests where a manifest is expected', async () => {
    expect(await lines('-f')).toHaveLength(1);
    const run = await lines("-n '__fish_seen_subcommand_from run' -a");
    expect(run).toEqual([expect.stringContaining("-a '(__venice_batch_manifests)'")]);
    expect(await lines("-n '__fish_seen_subcommand_from models' -a")).toEqual([]);
  });

  it('offers a subcommand once, then its options', async () => {
    const of = "-n '__fish_seen_subcommand_from lock; and";
    expect(await lines(`${of} not __fish_seen_subcommand_from repair merge' -a 'repair merge'`)).toHaveLength(
      1,
    );
    expect(await lines(`${of} __fish_seen_subcommand_from repair merge' -a '(__venice`)).toHaveLength(1);
  });

  it('offers files for a path, the choices of an option, and otherwise nothing', async () => {
    const of = "-n '__fish_seen_subcommand_from run' -l";
    expect(await lines(`${of} env-file -r -F -d`)).toHaveLength(1);
    expect(await lines(`${of} progress -x -a 'auto tty plain quiet' -d`)).toHaveLength(1);
    expect(await lines(`${of} budget -x -d`)).toHaveLength(1);
    expect(await lines(`${of} yes -d`)).toHaveLength(1);
  });
});
