import { isDeepStrictEqual } from 'node:util';
import { describe, expect, it } from 'vitest';
import type { Attempt } from '../../src/lockfile/attempt.js';
import { foldAttempts } from '../../src/lockfile/fold-attempts.js';
import { attemptLine, headerLine } from '../../src/lockfile/line.js';
import { parseLock, serialiseLock } from '../../src/lockfile/lock-text.js';
import { decode } from '../../src/lockfile/read.js';
import { repairLock } from '../../src/lockfile/repair.js';
import { sealLine } from '../../src/lockfile/seal.js';
import { attempt, file, header, id } from './build.js';

const made = (name: string, fields: Partial<Attempt> = {}): Attempt =>
  attempt({ attempt: id(name), track: name, rev: 4, state: 'done', queue_id: `q-${name}`, file, ...fields });
const songs = ['a', 'b', 'c', 'd', 'e'].map((name) => made(name));
const clean = serialiseLock(header, songs);
const bytes = Buffer.from(clean);
/** As a killed run leaves it: two songs of an earlier run, then appended lines. */
const appended = [
  attempt({ attempt: id('c'), track: 'c' }),
  attempt({ attempt: id('c'), track: 'c', rev: 2, state: 'queued', queue_id: 'q-c' }),
  attempt({ attempt: id('d'), track: 'd' }),
];
const early = serialiseLock(header, songs.slice(0, 2));
const open = early + appended.map((one) => `${attemptLine(one)}\n`).join('');

const kinds = (text: string) => parseLock(text).problems.map(({ kind }) => kind);
const attemptsIn = (text: string) => [...parseLock(text).attempts.values()];

describe('a lockfile after a clean end', () => {
  it('is refused if it is cut anywhere', () => {
    for (let length = 0; length < bytes.length - 1; length += 1)
      expect(kinds(decode(bytes.subarray(0, length))), `${length} bytes`).not.toEqual([]);
  });

  it('is complete without its last line feed', () => {
    expect(kinds(clean.slice(0, -1))).toEqual([]);
  });

  it('is refused if any part of its end is zeroed', () => {
    for (let zeros = 1; zeros < 300; zeros += 1) {
      const damaged = Buffer.concat([bytes.subarray(0, bytes.length - zeros), Buffer.alloc(zeros)]);
      if (zeros > 1) expect(kinds(decode(damaged)), `${zeros} zeros`).not.toEqual([]);
    }
  });

  it('is refused if any line is missing or two are swapped', () => {
    const lines = clean.trimEnd().split('\n');
    for (let at = 0; at < lines.length; at += 1)
      expect(kinds(`${lines.toSpliced(at, 1).join('\n')}\n`), `line ${at + 1}`).not.toEqual([]);
    expect(kinds(`${[lines[0], lines[2], lines[1], ...lines.slice(3)].join('\n')}\n`)).toEqual([
      'incomplete',
    ]);
  });

  it('is never misread with a flipped bit', () => {
    const silent: number[] = [];
    for (let bit = 0; bit < bytes.length * 8; bit += 1) {
      const flipped = Buffer.from(bytes);
      flipped[bit >> 3]! ^= 1 << (bit & 7);
      const { problems, attempts, header: read } = parseLock(decode(flipped));
      if (problems.length === 0 && !isDeepStrictEqual([[...attempts.values()], read], [songs, header]))
        silent.push(bit);
    }
    expect(silent).toEqual([]);
  });
});

describe('a lockfile after a killed run', () => {
  it('is read with everything that was appended', () => {
    expect(kinds(open)).toEqual([]);
    expect(attemptsIn(open)).toEqual([...foldAttempts([...songs.slice(0, 2), ...appended]).values()]);
  });

  it('loses only an unfinished last line if it is cut after its end mark', () => {
    const all = Buffer.from(open);
    const lines = appended.map(attemptLine);
    for (let length = Buffer.byteLength(early); length < all.length; length += 1) {
      const cut = decode(all.subarray(0, length));
      expect(kinds(cut), `${length} bytes`).toEqual([]);
      const whole = cut.slice(Buffer.byteLength(early)).split('"}\n').length - 1;
      const kept = appended.slice(0, lines.some((one) => cut.endsWith(one)) ? whole + 1 : whole);
      expect(attemptsIn(cut)).toEqual([...foldAttempts([...songs.slice(0, 2), ...kept]).values()]);
    }
  });

  it('is refused if it is cut before its end mark', () => {
    for (let length = 0; length < Buffer.byteLength(early) - 1; length += 1)
      expect(kinds(decode(Buffer.from(early).subarray(0, length))), `${length} bytes`).not.toEqual([]);
  });

  it.each([
    ['text that no append begins with', 'x'],
    ['a mark, which is never appended', '{"end":true,"li'],
    ['a whole line and more', `${attemptLine(appended[0]!)}\u000b`],
    ['zeros between', '{"track":"a\0\0","take":1'],
    ['a line of another program', '{"name":"a","ver'],
  ])('is refused with %s at its end', (_, tail) => {
    expect(kinds(open + tail)).not.toEqual([]);
  });

  it('never hides a record with a flipped bit', () => {
    const all = Buffer.from(open);
    const expected = attemptsIn(open);
    const silent: number[] = [];
    for (let bit = Buffer.byteLength(early) * 8; bit < all.length * 8; bit += 1) {
      const flipped = Buffer.from(all);
      flipped[bit >> 3]! ^= 1 << (bit & 7);
      const { problems, attempts } = parseLock(decode(flipped));
      if (problems.length === 0 && !isDeepStrictEqual([...attempts.values()], expected)) silent.push(bit);
    }
    expect(silent).toEqual([]);
  });
});

describe('a line of the lockfile', () => {
  const withLine = (line: string) => `${early}${line}\n`;

  it('without a checksum is refused', () => {
    const { sum: _, ...unsealed } = JSON.parse(attemptLine(appended[0]!)) as Record<string, unknown>;
    expect(kinds(withLine(JSON.stringify(unsealed)))).toEqual(['checksum']);
  });

  it('of a newer release is read and written back unchanged, unknown fields included', () => {
    const newer = {
      ...made('n', { parts: { model: '11111111', seed: '22222222' } as Attempt['parts'] }),
      file: { ...file, loudness: -14.2 },
      receipt: { kind: 'quoted', lines: [1, { more: null }] },
      seed: 7,
    };
    const text = serialiseLock({ ...header, writer: [id('earlier')] } as typeof header, [newer]);
    const parsed = parseLock(text);
    expect(parsed.problems).toEqual([]);
    expect(serialiseLock(parsed.header!, parsed.attempts.values())).toBe(text);
    expect(text).toContain('"seed":"22222222"');
  });

  it.each([
    ['a name that no release uses', '"__proto__":1'],
    ['an endless value', `"deep":${'['.repeat(5000)}${']'.repeat(5000)}`],
    ['too many unknown fields', Array.from({ length: 40 }, (_, n) => `"x${n}":1`).join()],
  ])('is refused with %s', (_, fields) => {
    const json = JSON.stringify(appended[0]);
    expect(kinds(withLine(sealLine(`${json.slice(0, -1)},${fields}}`)))).toEqual(['bad_line']);
  });

  it('with an implausible rev is refused, and lowered by repair', () => {
    const high = attempt({
      attempt: id('c'),
      track: 'c',
      rev: 1_000_000_000,
      state: 'queued',
      queue_id: 'q-c',
    });
    const text = withLine(`${attemptLine(appended[0]!)}\n${attemptLine(high)}`);
    expect(kinds(text)).toEqual(['bad_line']);
    const repaired = repairLock(text);
    if (!repaired.ok) throw new Error(repaired.problem.kind);
    expect(repaired.report.keptAsRead).toMatchObject([{ line: 6, loweredTo: 500_000 }]);
    expect(attemptsIn(repaired.text)).toContainEqual({ ...high, rev: 500_000 });
  });

  it.each([900_001, 1_000_000])('with a rev of %i is read as one that can be counted on', (rev) => {
    const high = attempt({ attempt: id('c'), track: 'c', rev, state: 'queued', queue_id: 'q-c' });
    const text = withLine(`${attemptLine(appended[0]!)}\n${attemptLine(high)}`);
    expect(kinds(text)).toEqual([]);
    expect(parseLock(text).attempts.get(id('c'))).toEqual({ ...high, rev: 500_000 });
    const repaired = repairLock(text);
    if (!repaired.ok) throw new Error(repaired.problem.kind);
    expect(repaired.report.keptAsRead).toMatchObject([{ line: 6, loweredTo: 500_000 }]);
  });
});

describe('repair of a damaged lockfile', () => {
  it('keeps the job of a line that does not match its checksum in doubt, and names the line', () => {
    const damaged = clean.replace('"queue_id":"q-b"', '"queue_id":"p-x"');
    const repaired = repairLock(damaged);
    if (!repaired.ok) throw new Error(repaired.problem.kind);
    expect(repaired.report.setAside).toMatchObject([
      { line: 3, why: 'does not match its checksum', salvaged: [{ state: 'in_doubt', queue_id: 'p-x' }] },
    ]);
    expect(repaired.report.missing).toBeUndefined();
    expect(attemptsIn(repaired.text).map(({ queue_id }) => queue_id)).toEqual([
      'q-a',
      'p-x',
      'q-c',
      'q-d',
      'q-e',
    ]);
    expect(kinds(repaired.text)).toEqual([]);
  });

  it('keeps a header that does not match its checksum, and lists it', () => {
    const repaired = repairLock(clean.replace(header.lineage, id('flipped')));
    expect(repaired).toMatchObject({ ok: true, report: { keptAsRead: [{ line: 1 }], attempts: 5 } });
  });

  it('says how many lines are missing', () => {
    const lines = clean.split('\n');
    const repaired = repairLock([...lines.slice(0, 2), ...lines.slice(4)].join('\n'));
    expect(repaired).toMatchObject({
      ok: true,
      report: { attempts: 4, missing: { lines: 3, linesMarked: 5, inDoubt: { state: 'in_doubt' } } },
    });
    const cut = repairLock(lines.slice(0, 3).join('\n'));
    expect(cut).toMatchObject({
      ok: true,
      report: { attempts: 3, missing: { inDoubt: { state: 'in_doubt' } } },
    });
    if (cut.ok) expect(kinds(cut.text)).toEqual([]);
  });

  it('accepts lines without checksums from the older side of a merge', () => {
    const old = JSON.stringify({ ...header, version: 1 });
    const { sum: _, ...line } = JSON.parse(attemptLine(made('old'))) as Record<string, unknown>;
    const conflict = `<<<<<<< a\n${old}\n${JSON.stringify(line)}\n=======\n${clean}>>>>>>> b\n`;
    const repaired = repairLock(conflict);
    expect(repaired).toMatchObject({ ok: true, report: { attempts: 6, keptAsRead: [] } });
    expect(headerLine(header)).toContain('"version":2');
  });
});
