import { existsSync, mkdirSync, readFileSync, realpathSync, rmSync } from 'node:fs';
import path from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { screenOf } from '../fakes/screen.js';
import { folderWith, writeAlbum } from './album.js';
import { run } from './in-process.js';
import type { Ended } from './launch.js';
import { folder } from './program.js';

const WIDTHS = [80, 120];

describe('the log of a CI job', () => {
  let ended: Ended;
  let cwd: string;
  beforeAll(async () => {
    cwd = folder();
    writeAlbum(cwd, [
      ['night', 'Nocturne for piano'],
      ['broken', 'A waltz [sandbox:fail]'],
    ]);
    const args = ['run', 'album.yaml', '--sandbox', '--yes'];
    const summary = path.join(cwd, 'summary.md');
    ended = await run(args, cwd, { CI: 'true', GITHUB_ACTIONS: 'true', GITHUB_STEP_SUMMARY: summary });
  });

  it('has one line for each change of state, in groups and without cursor codes', () => {
    expect(ended).toMatchObject({ code: 100 });
    expect(ended.stdout + ended.stderr).not.toMatch(/[^\n\P{Cc}]/u);
    const lines = ended.stderr.trimEnd().split('\n');
    const groups = lines.filter((line) => line.startsWith('::group::'));
    expect(groups.slice(0, 3)).toEqual(['::group::Check', '::group::Quote', '::group::Generate']);
    expect(lines.filter((line) => line === '::endgroup::')).toHaveLength(groups.length);
    // Which of the two ends first is random.
    const changes = lines.flatMap((line) => /^\[[01]\/2\] (.+)$/.exec(line)?.[1] ?? []).sort();
    expect(changes).toEqual([
      expect.stringMatching(/^broken failed, http-400: .+ \(refunded \$0\.19(?: as documented)?\)$/),
      'queued broken $0.19',
      'queued night $0.19',
      'stored night album.sandbox/out/01-night.wav $0.19',
    ]);
  });

  it('has an annotation at the track that failed', () => {
    expect(ended.stderr.match(/^::error .+$/gm)).toEqual([
      expect.stringMatching(
        /^::error file=album\.yaml,line=6,col=\d+,title=http-400::broken: failed, http-400/,
      ),
    ]);
  });

  it('names files as the step summary, status and verify do, relative to the working directory', async () => {
    const file = 'album.sandbox/out/01-night.wav';
    expect(existsSync(path.join(cwd, file))).toBe(true);
    expect(ended.stdout).toContain(`\n  ${file}\n`);
    expect(readFileSync(path.join(cwd, 'summary.md'), 'utf8')).toContain(`| ${file} |`);
    const copy = realpathSync(folderWith(cwd));
    expect((await run(['status', 'album.yaml', '--sandbox'], copy)).stdout).toContain(`  ${file}\n`);
    const below = path.join(copy, 'notes');
    mkdirSync(below);
    const whole = path.join(copy, file);
    expect((await run(['status', '../album.yaml', '--sandbox'], below)).stdout).toContain(`  ${whole}\n`);
    rmSync(whole);
    const verified = await run(['verify', '../album.yaml', '--sandbox'], below);
    expect(verified).toMatchObject({ code: 100 });
    expect(verified.stdout).toContain(`missing  ${whole}\n`);
  });

  it.each(WIDTHS)('repeats failures at the end, readable at %i columns', async (columns) => {
    const screen = await screenOf(ended.stdout, columns);
    expect(screen.wrappedRows).toBe(0);
    expect(screen.lines[0]).toBe('✖ 1 of 2 done (sandbox)');
    expect(screen.lines.slice(screen.lines.indexOf('Failed'))).toEqual([
      'Failed',
      '  ✖ broken',
      expect.stringMatching(/^ {4}failed, http-400: /),
      ...screen.lines.slice(screen.lines.indexOf('Failed') + 3, -2),
      'Next',
      '  venice-batch run album.yaml --retry-failed --sandbox',
    ]);
  });
});
