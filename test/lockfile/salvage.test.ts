import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Attempt } from '../../src/lockfile/attempt.js';
import { attemptLine } from '../../src/lockfile/line.js';
import { parseLock, serialiseLock } from '../../src/lockfile/lock-text.js';
import { type RepairReport, repairLock } from '../../src/lockfile/repair.js';
import { isMissing, isSalvaged, salvage, UNKNOWN_DIGEST, UNREADABLE } from '../../src/lockfile/salvage.js';
import { salvagedJobsError } from '../../src/plan/salvaged-jobs.js';
import { attempt, command, file, header, id } from './build.js';

const queued = attempt({
  rev: 2,
  state: 'queued',
  track: 'opening',
  queue_id: 'q-1',
  attempt: id('opening'),
});
const done = attempt({
  rev: 4,
  state: 'done',
  track: 'ending',
  take: 2,
  queue_id: 'q-2',
  attempt: id('ending'),
  file,
});
const clean = serialiseLock(header, [queued, done]);

function repaired(text: string): { attempts: readonly Attempt[]; report: RepairReport; text: string } {
  const result = repairLock(text);
  if (!result.ok) throw new Error(result.problem.kind);
  const { attempts, problems } = parseLock(result.text);
  expect(problems).toEqual([]);
  return { ...result, attempts: [...attempts.values()] };
}

const replaced = (text: string, at: number, by: string) =>
  text.slice(0, at) + by + text.slice(at + by.length);

describe('one wrong character', () => {
  const printable = fc.integer({ min: 0x20, max: 0x7e }).map((code) => String.fromCharCode(code));
  const places = [...clean].flatMap((char, at) => (char === '\n' ? [] : [at]));

  it('is corrected wherever it is', { timeout: 120_000 }, () => {
    const cases = fc.tuple(fc.constantFrom(...places), fc.oneof(printable, fc.constant('\ufffd')));
    fc.assert(
      fc.property(cases, ([at, char]) => {
        fc.pre(clean[at] !== char);
        const { text, report } = repaired(replaced(clean, at, char));
        expect(text).toBe(clean);
        expect(report.setAside).toEqual([]);
        expect(report.corrected).toHaveLength(1);
      }),
      { numRuns: 60 },
    );
  });

  it('is named by line and column', () => {
    const at = clean.indexOf('"q-1"');
    const lineStart = clean.lastIndexOf('\n', at) + 1;
    expect(repaired(replaced(clean, at, '#')).report).toMatchObject({
      corrected: [{ line: 3, column: at - lineStart + 1 }],
      keptAsRead: [],
      setAside: [],
    });
  });
});

describe('a damaged line feed', () => {
  it.each([
    ['became a letter', (text: string, at: number) => replaced(text, at, 'J')],
    ['was zeroed', (text: string, at: number) => replaced(text, at, '\0')],
    ['is gone', (text: string, at: number) => text.slice(0, at) + text.slice(at + 1)],
  ])('is corrected if it %s', (_, damage) => {
    const feeds = [...clean].flatMap((char, at) => (char === '\n' ? [at] : []));
    for (const at of feeds.slice(0, -1)) {
      const { text, report } = repaired(damage(clean, at));
      expect(text).toBe(clean);
      expect(report).toMatchObject({ setAside: [], corrected: [{}] });
      expect(report.missing).toBeUndefined();
    }
    expect(repaired(clean.replaceAll('\n', '\0')).text).toBe(clean);
  });

  it('is removed if it replaced another character', () => {
    for (const what of ['"queue_id"', '"digest"', '"model"'])
      expect(repaired(replaced(clean, clean.indexOf(what) + 3, '\n')).text).toBe(clean);
  });

  it('is removed if it was inserted', () => {
    for (const what of ['"queue_id"', '"digest"', '"model"'])
      for (const lineFeed of ['\n', '\r\n'])
        expect(repaired(clean.replace(what, `${lineFeed}${what}`)).text).toBe(clean);
  });
});

describe('a line with more damage', () => {
  /** As if both ended up with nothing bought: the user has to settle the line first. */
  const stops = (attempts: readonly Attempt[]) => salvagedJobsError(attempts, command) !== undefined;

  it('lets nothing be bought, wherever the damage is', () => {
    const lines = clean.split('\n');
    const damage = fc.record({
      line: fc.constantFrom(2, 3),
      start: fc.nat(600),
      with: fc.string({ minLength: 2, maxLength: 300, unit: fc.constantFrom('\0', '#', '"', '{', '}', '0') }),
    });
    fc.assert(
      fc.property(damage, ({ line, start, with: by }) => {
        const whole = lines[line] ?? '';
        const damaged = replaced(whole, Math.min(start, whole.length), by);
        const { attempts, text } = repaired(lines.map((one, at) => (at === line ? damaged : one)).join('\n'));
        expect(text === clean || stops(attempts)).toBe(true);
        for (const { queue_id } of [queued, done])
          if (damaged.includes(`"queue_id":"${queue_id}"`))
            expect(attempts.map((one) => one.queue_id)).toContain(queue_id);
      }),
      { numRuns: 60 },
    );
  });

  it.each([
    ['two letters of the track', 'opening', 'oxxning'],
    ['the digest', '"digest":"v1:00', '"digest":"v1:12'],
    ['the state', '"state":"queued"', '"state":"rejected"'],
    ['the take and the revision', '"take":1,"attempt"', '"take":22,"attempt"'],
    ['the checksum itself', /"sum":"..../, '"sum":"!!!!'],
  ])('is not believed about %s', (_, original, by) => {
    const line = attemptLine(queued);
    const edited = clean.replace(line, line.replace(original, by));
    expect(edited).not.toBe(clean);
    const { attempts } = repaired(edited);
    expect(stops(attempts)).toBe(true);
    expect(attempts.find(({ queue_id }) => queue_id === 'q-1')).toMatchObject({
      state: 'in_doubt',
      digest: UNKNOWN_DIGEST,
    });
  });

  it('never overrules a sound line of the same attempt', () => {
    const forged = attemptLine({ ...queued, rev: 9, state: 'rejected' }).replace(
      /"sum":".{8}/,
      '"sum":"00000000',
    );
    const { attempts } = repaired(`${clean}${forged}\n`);
    expect(attempts).toContainEqual(queued);
    expect(attempts.filter((one) => !isMissing(one))).toHaveLength(2);
  });

  it('is not taken at its word for a job that a sound line was about to get, and names it', () => {
    const intent = attempt({ attempt: queued.attempt, track: 'opening' });
    const line = attemptLine(queued);
    for (const [damaged, named] of [
      [line.slice(0, line.indexOf(',"digest"')), 'q-1'],
      [line.replace('q-1', 'q1'), 'q1'],
    ]) {
      const { attempts, report } = repaired(`${serialiseLock(header, [intent])}${damaged}=======\n`);
      expect(attempts.filter((one) => !isMissing(one))).toEqual([intent]);
      expect(report.setAside).toMatchObject([{ salvaged: [], queueIds: [named] }]);
    }
  });

  it('is not in doubt if a sound line says that the job is another take\u2019s', () => {
    const intent = attempt({ attempt: id('other'), track: 'other' });
    const torn = attemptLine({ ...queued, ...intent, rev: 2, state: 'queued' }).slice(0, -80);
    const { attempts } = repaired(`${serialiseLock(header, [queued, intent])}${torn}=======\n`);
    expect(attempts).toContainEqual(queued);
    expect(attempts).toContainEqual(intent);
    expect(attempts.filter(({ queue_id }) => queue_id === queued.queue_id)).toHaveLength(1);
  });

  it('says nothing more if it is the last one and ran into the end mark', () => {
    const cut = clean.replace(/,"parts[^\n]*\n\{"end"/, '{"end"');
    const [before, end] = [cut.split('\n').slice(0, -2), cut.split('\n').at(-2)];
    expect(end).toContain('{"end"');
    const { attempts } = repaired(`${before.join('\n')}\n${end}\n`);
    expect(attempts.filter(isSalvaged)).toHaveLength(1);
  });

  it('keeps each job and each track that it names', () => {
    const spliced = (attemptLine(queued).slice(0, 200) + attemptLine(done)).replace(
      /"sum":".{8}/,
      '"sum":"00000000',
    );
    const { attempts } = repaired(serialiseLock(header, []).concat(spliced, '\n'));
    expect(attempts.map(({ track, queue_id, state }) => `${track} ${queue_id} ${state}`).sort()).toEqual([
      'ending q-2 in_doubt',
      'opening q-1 in_doubt',
      'unreadable undefined in_doubt',
    ]);
  });

  it.each(['"attempt"', '"queue_id"'])(
    'keeps a take in doubt whose line continues as a sound one at %s',
    (at) => {
      const lost = attemptLine(
        attempt({ ...queued, attempt: id('middle'), track: 'middle', queue_id: 'q-3' }),
      );
      const other = attemptLine(queued);
      const spliced = lost.slice(0, lost.indexOf(at)) + other.slice(other.indexOf(at));
      const { attempts } = repaired(`${clean}${spliced}\n`);
      expect(attempts).toContainEqual(queued);
      expect(attempts.find(({ track }) => track === 'middle')).toMatchObject({ state: 'in_doubt' });
    },
  );

  it('keeps a job whose track cannot be read', () => {
    expect(salvage(['\0\0\0","queue_id":"q-1","mo'], '', () => undefined)).toMatchObject([
      [{ track: UNREADABLE, state: 'in_doubt', queue_id: 'q-1' }],
    ]);
  });

  it('is in doubt, together with others, if nothing in it can be read', () => {
    const { attempts, report } = repaired(clean.replace(/(\{"track".*\n)/g, '\0\0\0\0\n'));
    expect(attempts).toMatchObject([{ track: UNREADABLE, state: 'in_doubt' }]);
    expect(report.setAside.map(({ salvaged }) => salvaged.length)).toEqual([1, 0]);
  });

  it('is about the first take of its track that has no other record, if its take cannot be read', () => {
    const takes = [1, 2].map((take) =>
      attempt({ ...queued, take, attempt: id(`take ${take}`), queue_id: `q-${take}` }),
    );
    const text = serialiseLock(header, takes);
    for (const take of [1, 2]) {
      const from = text.indexOf(`"take":${take}`);
      const { attempts } = repaired(text.slice(0, from) + '\0'.repeat(35) + text.slice(from + 35));
      expect(attempts.map(({ queue_id, take: of }) => `${queue_id} ${of}`)).toEqual(['q-1 1', 'q-2 2']);
    }
  });

  it('is about the take of its attempt, if another line knows that', () => {
    const intent = attempt({ attempt: id('second'), track: 'opening', take: 2 });
    const text =
      serialiseLock(header, [intent]) + attemptLine({ ...intent, rev: 2, state: 'queued', queue_id: 'q-2' });
    const from = text.lastIndexOf('"take":2');
    const { attempts, report } = repaired(
      `${text.slice(0, from)}${'\0'.repeat(8)}${text.slice(from + 8)}\n`.replace(/"sum":"\w+"\}\n$/, '\n'),
    );
    expect(attempts.filter((one) => !isMissing(one))).toEqual([intent]);
    expect(report.setAside).toMatchObject([{ queueIds: ['q-2'] }]);
  });

  it('has no take if characters are missing from it', () => {
    const { attempts } = repaired(clean.replace('"take":1,"attempt":"', '"take":1'));
    expect(attempts).toContainEqual(expect.objectContaining({ track: 'opening', take: 1, queue_id: 'q-1' }));
  });

  it('gives a job to the track before it', () => {
    const both = serialiseLock(header, [
      queued,
      { ...queued, track: 'second', queue_id: 'q-3', attempt: id('second') },
    ]);
    const text = both.replace('"queue_id":"q-1"', '\0'.repeat(16)).replace(/\n(?=\{"track":"second")/, '\0');
    const { attempts } = repaired(text.replace(/"digest":"[^"]+"(?=[^\n]*\n\{"end)/, ''));
    expect(attempts.map(({ track, queue_id }) => [track, queue_id])).toEqual([
      ['opening', undefined],
      ['second', 'q-3'],
    ]);
  });

  it('counts once if it is broken up', () => {
    const lines = serialiseLock(header, [
      queued,
      done,
      { ...queued, track: 'z', queue_id: 'q-3', attempt: id('z') },
    ]);
    const broken = lines.replace(',"rev"', ',\n"rev"').replace(/\n\{"track":"opening".*/, '');
    const { report } = repaired(broken);
    expect(report.missing).toMatchObject({ inDoubt: { track: UNREADABLE } });
  });

  describe('that runs into the next one', () => {
    const intent = attempt({ attempt: id('opening'), track: 'opening' });
    const next = attempt({ rev: 2, state: 'queued', track: 'next', queue_id: 'q-3', attempt: id('next') });
    const killed =
      serialiseLock(header, []) + [intent, queued, next].map((one) => `${attemptLine(one)}\n`).join('');
    const zeroed = (from: string, to: string) => {
      const [start, end] = [
        killed.indexOf(from, killed.indexOf('q-1')),
        killed.indexOf(to, killed.indexOf('"next"')),
      ];
      return killed.slice(0, start) + '\0'.repeat(end - start) + killed.slice(end);
    };

    it('keeps both jobs if both can be read', () => {
      const { attempts, report } = repaired(zeroed('"digest"', '"queue_id"'));
      expect(attempts.map(({ queue_id }) => queue_id)).toContain('q-3');
      expect(report.setAside).toMatchObject([{ queueIds: ['q-1'] }]);
      expect(salvagedJobsError(attempts, command)).toBeDefined();
    });

    it('leaves in doubt what the zeros may hide', () => {
      const { attempts, report } = repaired(zeroed('"digest"', '"stem"'));
      expect(attempts).toMatchObject([
        { track: 'opening', state: 'intent' },
        { track: UNREADABLE, state: 'in_doubt' },
      ]);
      expect(report.setAside).toMatchObject([{ salvaged: [{ track: UNREADABLE }], queueIds: ['q-1'] }]);
    });

    it('leaves in doubt the first record after an end mark that runs into it', () => {
      const [start, end] = [killed.indexOf('"sum"', killed.indexOf('"end"')), killed.indexOf('"rev"')];
      const { attempts } = repaired(killed.slice(0, start) + '\0'.repeat(end - start) + killed.slice(end));
      expect(attempts).toContainEqual(expect.objectContaining({ track: UNREADABLE, state: 'in_doubt' }));
    });

    it('leaves nothing in doubt that a journal has', () => {
      const journals = [{ header, records: [intent, queued, next], whole: true }];
      const result = repairLock(zeroed('"digest"', '"stem"'), journals);
      expect(
        result.ok && salvagedJobsError(parseLock(result.text).attempts.values(), command),
      ).toBeUndefined();
    });
  });

  it('leaves in doubt what a damaged end mark may have run into', () => {
    const { attempts } = repaired(clean.replace(/"lines":\d+,"digest":"..../, '"lines":##########'));
    expect(attempts).toHaveLength(3);
    expect(salvagedJobsError(attempts, command)).toBeDefined();
  });

  it('leaves in doubt the record that lost all but its end to an end mark', () => {
    const intent = attempt({ attempt: queued.attempt, track: 'opening' });
    const killed = `${serialiseLock(header, [])}${attemptLine(intent)}\n`;
    const cut = killed.slice(0, killed.indexOf('"digest"')) + killed.slice(killed.lastIndexOf('"sum"'));
    expect(salvagedJobsError(repaired(cut).attempts, command)).toBeDefined();
  });

  it('adds nothing if another line or a journal has the job', () => {
    const broken = `${attemptLine(queued).slice(0, 300)}\n`;
    expect(repaired(clean.replace(/\{"end"/, `${broken}{"end"`)).attempts).toHaveLength(2);
    const alone = serialiseLock(header, [done]);
    const journals = [{ header, records: [queued], whole: true }];
    const result = repairLock(`${alone}${broken}`, journals);
    expect(result.ok && result.report.setAside).toMatchObject([{ salvaged: [], queueIds: [] }]);
  });
});

describe('a conflict marker', () => {
  it.each(['\0', ' ', '\r'])('is separated from the line that follows it after %j', (by) => {
    const glued = clean.replace(/\n/, `\n<<<<<<< HEAD${by}`);
    expect(repaired(glued)).toMatchObject({ text: clean, report: { markers: 1, setAside: [] } });
  });

  it('does not hide a damaged line', () => {
    const glued = clean.replace(/\n/, '\n>>>>>>> theirs\0').replace('"state":"queued"', '"\0tate":"\0ueued"');
    const { attempts } = repaired(glued);
    expect(attempts).toContainEqual(expect.objectContaining({ queue_id: 'q-1', state: 'in_doubt' }));
  });
});

describe('lines that are missing', () => {
  const lines = clean.split('\n');
  const without = (...numbers: number[]) => lines.filter((_, at) => !numbers.includes(at)).join('\n');
  const missing = { track: UNREADABLE, state: 'in_doubt', reason: { code: 'lockfile-incomplete' } };

  it.each([
    ['is deleted', without(1)],
    ['is overwritten with another', without(1).replace(`${lines[2]}\n`, `${lines[2]}\n`.repeat(2))],
    ['is overwritten with spaces', clean.replace(lines[1] ?? '', ' '.repeat(300))],
    ['is cut off', `${lines.slice(0, 2).join('\n')}\n`],
  ])('are in doubt if one %s', (_, damaged) => {
    const { attempts, report } = repaired(damaged);
    const doubt = attempts.find(({ track }) => track === UNREADABLE);
    expect(doubt).toMatchObject(missing);
    expect(report.missing?.inDoubt).toEqual(doubt);
    expect(salvagedJobsError(attempts, command)).toMatchObject({ code: 'lockfile-incomplete' });
  });

  it('are in doubt also if another line is damaged, which is as many', () => {
    const third = attempt({ ...queued, attempt: id('third'), track: 'third', queue_id: 'q-3' });
    const all = serialiseLock(header, [queued, done, third]);
    const damaged = all
      .replace(attemptLine(third), attemptLine(queued))
      .replace('"state":"done"', '"\0tate":"\0one"');
    expect(repaired(damaged).attempts).toContainEqual(expect.objectContaining(missing));
  });

  it.each([
    ['state', (line: string) => line.replace('"state":"done"', '"\0tate":"\0one"')],
    ['attempt', (line: string) => line.replace('"attempt":"', '"\0ttempt":"\0')],
  ])('are in doubt if one is overwritten with a copy of another whose %s is damaged', (_, damage) => {
    const [first = '', second = ''] = lines.slice(1);
    const { attempts } = repaired(clean.replace(second, damage(first)));
    expect(salvagedJobsError(attempts, command)).toBeDefined();
  });

  it('are in doubt if they precede the end mark, however many follow it', () => {
    const later = ['x', 'y', 'z'].map((track) => attempt({ attempt: id(track), track }));
    const open = clean + later.map((one) => `${attemptLine(one)}\n`).join('');
    const damaged = open.replace(`${lines[1]}\n`, '').replace('"state":"queued"', '"state":"queuee"');
    expect(salvagedJobsError(repaired(damaged).attempts, command)).toBeDefined();
    const lost = attemptLine({ ...queued, rev: 3, state: 'lost' });
    const renewed = `${serialiseLock(header, [queued])}${lost}\n`;
    const older = repaired(renewed.replace('"state":"queued"', '"\0tate":"\0ueued"'));
    expect(older.report.missing).toBeUndefined();
    expect(older.attempts).toMatchObject([{ track: 'opening', state: 'lost' }]);
  });

  it('are in doubt if another lockfile follows a cut one', () => {
    const other = serialiseLock({ ...header, lineage: id('other') }, [queued]);
    for (const count of [1, 2]) {
      const { attempts } = repaired(`${lines.slice(0, count).join('\n')}\n${other}`);
      expect(salvagedJobsError(attempts, command), `${count} lines`).toBeDefined();
    }
    expect(salvagedJobsError(repaired(clean + other).attempts, command)).toBeUndefined();
  });

  it('are in doubt if a sound lockfile follows, whose end mark does not count them', () => {
    const other = serialiseLock({ ...header, lineage: id('other') }, [queued]);
    for (const first of ['\0'.repeat(900), clean.toUpperCase().trimEnd(), '\0\n'.repeat(4)])
      expect(salvagedJobsError(repaired(`${first}\n${other}`).attempts, command), first).toBeDefined();
  });

  it('are in doubt if a damaged line behind the end mark may have swallowed them', () => {
    const later = ['x', 'y'].map((track) => attemptLine(attempt({ attempt: id(track), track })));
    const [first = '', second = ''] = later;
    const cut = first.slice(0, first.indexOf('"digest"')) + second.slice(second.indexOf('"parts"'));
    expect(repaired(`${clean}${cut}\n`).attempts.some(isMissing)).toBe(true);
    expect(
      repaired(clean.replace('"digest"', '###').replace('"parts"', '###')).attempts.some(isMissing),
    ).toBe(false);
  });

  it('are not in doubt if the end mark proves that all are there', () => {
    const [head, first, second, end] = lines;
    const { text, report } = repaired([head, second, first, second, end, ''].join('\n'));
    expect(text).toBe(clean);
    expect(report.missing).toBeUndefined();
  });

  it('are not in doubt if a journal has them', () => {
    const whole = [{ header, records: [queued, done], whole: true }];
    for (const damaged of [without(1), `${lines.slice(0, 2).join('\n')}\n`]) {
      const result = repairLock(damaged, whole);
      expect(result.ok && result.report.missing?.inDoubt).toBeUndefined();
    }
    const older = repairLock(`${lines.slice(0, 2).join('\n')}\n`, [
      { header, records: [queued], whole: true },
    ]);
    expect(older.ok && older.report.missing?.inDoubt).toMatchObject(missing);
  });

  it('are in doubt again if the same is lost again', () => {
    const zeroed = clean.replace(lines[1] ?? '', '\0'.repeat(300));
    const [first] = repaired(zeroed).attempts.filter(({ state }) => state === 'in_doubt');
    const settled: Attempt = { ...(first as Attempt), rev: 2, state: 'rejected' };
    const again = serialiseLock(header, [queued, done, settled]);
    const line = attemptLine(queued);
    const { attempts } = repaired(again.replace(line, '\0'.repeat(300)));
    expect(salvagedJobsError(attempts, command)).toBeDefined();
  });
});

describe('a lockfile without its header', () => {
  it('is not taken for another file if its other lines are sound', () => {
    const other = attempt({ ...queued, attempt: id('pulled'), track: 'pulled', queue_id: 'q-9' });
    const all = serialiseLock(header, [queued, done, other]);
    const damaged = all.replace(/^.*\n/, '\0\n').replace(attemptLine(other), '\0'.repeat(300));
    const copy = [{ header, records: [queued, done], whole: true }];
    const result = repairLock(damaged, copy);
    expect(result.ok && salvagedJobsError(parseLock(result.text).attempts.values(), command)).toBeDefined();
    const same = repairLock(damaged, [{ header, records: [queued, done, other], whole: true }]);
    expect(same).toMatchObject({ ok: true, text: all });
  });

  it('adds nothing if its lines were lost with it and a journal has them', () => {
    const running = `${serialiseLock(header, [])}${attemptLine(queued)}\n${attemptLine(done)}\n`;
    const damaged = '\0'.repeat(800) + running.slice(800);
    const journals = [{ header, records: [queued, done], whole: true }];
    expect(repairLock(damaged, journals)).toMatchObject({ ok: true, text: clean });
    expect(repairLock(damaged, [{ header, records: [done], whole: true }])).not.toMatchObject({
      text: clean,
    });
  });

  const zeroed = clean.replace(/^.*\n/, '\0\0\0\n');
  const HOME = 'https://api.example/v1';

  it('gets a new one for the service in use, if nothing else has one', () => {
    expect(repairLock(zeroed)).toMatchObject({ ok: false, problem: { kind: 'not_a_lockfile' } });
    const result = repairLock(zeroed, [], HOME);
    if (!result.ok) throw new Error(result.problem.kind);
    expect(result.report).toMatchObject({ headerFor: HOME, setAside: [{ salvaged: [] }] });
    expect(result.report.missing).toBeUndefined();
    const { header: made, attempts, problems } = parseLock(result.text);
    expect(problems).toEqual([]);
    expect(made?.endpoint).toBe(HOME);
    expect([...attempts.values()]).toEqual([done, queued]);
  });

  it('keeps its lineage if that can be read', () => {
    const result = repairLock(clean.replace('"version":2', '"ver\0\0\0'), [], HOME);
    expect(result.ok && parseLock(result.text).header?.lineage).toBe(header.lineage);
  });

  it.each([
    ['another file', 'shopping list\nmilk\n'],
    ['a copy of a shared log', zeroed.replace(attemptLine(queued), attemptLine({ ...queued, log_rev: 3 }))],
    ['a header that names a log', clean.replace('"format":"venice', '"log":"s3://\0","for\0at":"venice')],
  ])('gets none if it is %s', (_, text) => {
    expect(repairLock(text, [], HOME)).toMatchObject({ ok: false, problem: { kind: 'not_a_lockfile' } });
  });

  it('is reported as one that can be repaired, unlike another file', () => {
    expect(parseLock(zeroed).problems[0]).toEqual({ kind: 'not_a_lockfile', line: 1, records: true });
    expect(parseLock('shopping list\n').problems[0]).toEqual({ kind: 'not_a_lockfile', line: 1 });
  });
});
