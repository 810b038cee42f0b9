import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { Attempt } from '../../src/lockfile/attempt.js';
import { boughtTwice } from '../../src/lockfile/bought-twice.js';
import { foldAttempts } from '../../src/lockfile/fold-attempts.js';
import { attemptLine, headerLine } from '../../src/lockfile/line.js';
import { parseLock, serialiseLock } from '../../src/lockfile/lock-text.js';
import { type RepairReport, repairLock } from '../../src/lockfile/repair.js';
import { attempt, file, header, id, records } from './build.js';

const text = (...lines: string[]) => lines.map((line) => `${line}\n`).join('');
/** Of version 1, without checksums and end marks. */
const head = JSON.stringify({ ...header, version: 1 });
const queued = (name: string, queueId: string, rev = 2): Attempt =>
  attempt({ attempt: id(name), track: name, rev, state: 'queued', queue_id: queueId });
const canonical = (all: readonly Attempt[]) => serialiseLock(header, foldAttempts(all).values());

function repaired(damaged: string): { text: string; report: RepairReport } {
  const result = repairLock(damaged);
  if (!result.ok) throw new Error(result.problem.kind);
  expect(parseLock(result.text).problems).toEqual([]);
  return result;
}

describe('repair', () => {
  it('does not change a sound lockfile', () => {
    fc.assert(
      fc.property(records, (all) => {
        expect(repaired(canonical(all)).text).toBe(canonical(all));
      }),
    );
  });

  it('keeps both sides of a conflict', () => {
    const conflict = text(
      '<<<<<<< HEAD',
      head,
      attemptLine(queued('a', 'q1')),
      '||||||| base',
      attemptLine(attempt({ attempt: id('a'), track: 'a' })),
      '=======',
      head,
      attemptLine(queued('b', 'q2')),
      '>>>>>>> other branch',
    );
    const { text: repairedText, report } = repaired(conflict);
    expect(repairedText).toBe(canonical([queued('a', 'q1'), queued('b', 'q2')]));
    expect(report).toEqual({
      markers: 4,
      headers: 1,
      lockfiles: 1,
      attempts: 2,
      boughtTwice: [],
      keptAsRead: [],
      corrected: [],
      setAside: [],
    });
  });

  it('gives the same result as merging both sides, however they are mixed', () => {
    fc.assert(
      fc.property(records, records, fc.infiniteStream(fc.boolean()), (ours, theirs, coin) => {
        const lines = [...canonical(ours).split('\n'), ...canonical(theirs).split('\n')];
        const [left, right]: [string[], string[]] = [[], []];
        for (const line of lines) (coin.next().value ? left : right).push(line);
        const mixed = text('<<<<<<< a', ...left, '=======', ...right, '>>>>>>> b');
        const kept = [...parseLock(canonical(ours)).attempts.values()].concat([
          ...parseLock(canonical(theirs)).attempts.values(),
        ]);
        expect(repaired(mixed).text).toBe(canonical(kept));
      }),
    );
  });

  it('keeps both jobs of one attempt and reports it', () => {
    const { text: repairedText, report } = repaired(
      text(
        head,
        '<<<<<<< a',
        attemptLine(queued('a', 'q1')),
        '=======',
        attemptLine(queued('a', 'q2')),
        '>>>>>>> b',
      ),
    );
    expect(repairedText).toContain('"q1"');
    expect(repairedText).toContain('"q2"');
    expect(report.boughtTwice).toMatchObject([
      { track: 'a', attempts: [{ queue_id: 'q1' }, { queue_id: 'q2' }], extraMicroUsd: 690_000 },
    ]);
  });

  it('sets aside what it does not understand and keeps the jobs in it', () => {
    const line = attemptLine(queued('b', 'q2'));
    const twice = line.replace('{', '{"queue_id":"q3",');
    const cut = line.slice(0, -3);
    const { report } = repaired(text(head, attemptLine(queued('a', 'q1')), cut, twice));
    expect(report.setAside).toMatchObject([
      {
        line: 3,
        why: 'is not JSON',
        text: cut,
        queueIds: [],
        salvaged: [{ track: 'b', state: 'in_doubt', queue_id: 'q2' }],
      },
      {
        line: 4,
        why: 'has "queue_id" twice',
        text: twice,
        queueIds: [],
        salvaged: [{ track: 'b', state: 'in_doubt', queue_id: 'q3' }],
      },
    ]);
  });

  it('does not name a job that is also in a sound line', () => {
    const line = attemptLine(queued('a', 'q1'));
    const cut = line.slice(0, -20);
    expect(repaired(text(head, line, cut)).report.setAside).toMatchObject([{ queueIds: [], salvaged: [] }]);
  });

  it.each([
    ['two endpoints', text(head, headerLine({ ...header, endpoint: 'https://x.org' })), 'other_endpoint'],
    ['a newer version', text(head.replace('"version":1', '"version":4')), 'newer_version'],
    ['no header', text(attemptLine(attempt())), 'not_a_lockfile'],
  ])('refuses %s', (_, damaged, kind) => {
    expect(repairLock(damaged)).toMatchObject({ ok: false, problem: { kind } });
  });
});

describe('git', () => {
  let folder = '';
  const lockfile = () => join(folder, 'album.lock.jsonl');
  const git = (...args: string[]) =>
    execFileSync('git', ['-c', 'user.name=a', '-c', 'user.email=a@example.com', ...args], {
      cwd: folder,
      encoding: 'utf8',
      stdio: 'pipe',
      env: { PATH: process.env.PATH, HOME: folder, GIT_CONFIG_NOSYSTEM: '1' },
    });
  const commit = (all: readonly Attempt[]) => {
    writeFileSync(lockfile(), canonical(all));
    git('add', '.');
    git('commit', '-q', '-m', 'songs');
  };

  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'venice-batch-git-'));
    git('init', '-q', '-b', 'main');
  });
  afterEach(() => rmSync(folder, { recursive: true, force: true }));

  /** Two branches continue from one lockfile; returns what `git merge` leaves in the file. */
  function merged(base: readonly Attempt[], ours: readonly Attempt[], theirs: readonly Attempt[]): string {
    commit(base);
    git('checkout', '-q', '-b', 'other');
    commit(theirs);
    git('checkout', '-q', 'main');
    commit(ours);
    try {
      git('merge', '-q', '-m', 'merge', 'other');
    } catch (failed) {
      expect((failed as { stdout: string }).stdout).toContain('CONFLICT');
    }
    return readFileSync(lockfile(), 'utf8');
  }

  const base = [queued('a', 'q1'), queued('m', 'q2'), attempt({ attempt: id('z'), track: 'z' })];
  const ours = [
    { ...queued('a', 'q1', 4), state: 'done' as const, file },
    queued('b', 'q3'),
    queued('m', 'q2', 3),
    queued('z', 'q4'),
  ];
  const theirs = [queued('a', 'q1', 3), queued('c', 'q5'), queued('m', 'q2'), queued('z', 'q6')];

  it('with merge=union leaves a readable lockfile', () => {
    writeFileSync(join(folder, '.gitattributes'), '*.lock.jsonl merge=union\n');
    const parsed = parseLock(merged(base, ours, theirs));
    expect(parsed.problems).toEqual([]);
    expect(boughtTwice(parsed.attempts.values())).toMatchObject([{ track: 'z', attempts: [{}, {}] }]);
    expect(serialiseLock(header, parsed.attempts.values())).toBe(canonical([...ours, ...theirs]));
  });

  it.each(['merge', 'diff3'])(
    'with conflict markers (%s) leaves a lockfile that can be repaired',
    (style) => {
      git('config', 'merge.conflictStyle', style);
      const left = merged(base, ours, theirs);
      expect(parseLock(left).problems).toContainEqual(expect.objectContaining({ kind: 'conflict_markers' }));
      expect(repaired(left).text).toBe(canonical([...ours, ...theirs]));
    },
  );

  it('with merge=union keeps two last lines without a line feed', () => {
    writeFileSync(join(folder, '.gitattributes'), '*.lock.jsonl merge=union\n');
    git('config', 'core.autocrlf', 'false');
    writeFileSync(lockfile(), text(head));
    git('add', '.');
    git('commit', '-q', '-m', 'base');
    git('checkout', '-q', '-b', 'other');
    writeFileSync(lockfile(), text(head) + attemptLine(queued('b', 'q2')));
    git('commit', '-q', '-a', '-m', 'theirs');
    git('checkout', '-q', 'main');
    writeFileSync(lockfile(), text(head) + attemptLine(queued('a', 'q1')));
    git('commit', '-q', '-a', '-m', 'ours');
    git('merge', '-q', '-m', 'merge', 'other');
    const parsed = parseLock(readFileSync(lockfile(), 'utf8'));
    expect(parsed.problems).toEqual([]);
    expect([...parsed.attempts.values()]).toEqual([queued('a', 'q1'), queued('b', 'q2')]);
  });

  it('with merge=union of two independent lockfiles leaves one that can be repaired', () => {
    writeFileSync(join(folder, '.gitattributes'), '*.lock.jsonl merge=union\n');
    git('add', '.');
    git('commit', '-q', '-m', 'base');
    git('checkout', '-q', '-b', 'other');
    writeFileSync(lockfile(), serialiseLock({ ...header, lineage: id('other') }, [queued('b', 'q2')]));
    git('add', '.');
    git('commit', '-q', '-m', 'theirs');
    git('checkout', '-q', 'main');
    commit([queued('a', 'q1')]);
    git('merge', '-q', '-m', 'merge', 'other');
    const left = readFileSync(lockfile(), 'utf8');
    expect(parseLock(left).problems).toContainEqual(expect.objectContaining({ kind: 'second_header' }));
    const { text: repairedText, report } = repaired(left);
    expect(report).toMatchObject({ lockfiles: 2, headers: 0, attempts: 2, setAside: [], keptAsRead: [] });
    const { header: joined, attempts } = parseLock(repairedText);
    expect(joined?.was).toEqual([header.lineage, id('other')].sort());
    expect([...attempts.values()].map(({ queue_id }) => queue_id)).toEqual(['q1', 'q2']);
  });
});
