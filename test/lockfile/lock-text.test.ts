import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Attempt } from '../../src/lockfile/attempt.js';
import { attemptLine, headerLine } from '../../src/lockfile/line.js';
import { parseLock, serialiseLock } from '../../src/lockfile/lock-text.js';
import { attempt, file, header, id, records, soundAttempt } from './build.js';

const text = (...lines: string[]) => lines.map((line) => `${line}\n`).join('');
/** Of version 1, without checksums and end marks. */
const head = JSON.stringify({ ...header, version: 1 });
const intent = attemptLine(attempt());
const raw = (fields: Record<string, unknown>) => JSON.stringify({ ...attempt(), ...fields });
/** Two paid jobs for one take are reported in a note. */
const sameTake = (a: Attempt, b: Attempt) =>
  a.attempt === b.attempt || (a.track === b.track && a.take === b.take);
const problems = (content: string) => parseLock(content).problems;

describe('a lockfile', () => {
  it('is read as it was written', () => {
    fc.assert(
      fc.property(fc.uniqueArray(soundAttempt, { comparator: sameTake }), (all) => {
        const written = serialiseLock(header, all);
        const parsed = parseLock(written);
        expect(parsed.problems).toEqual([]);
        expect(parsed.notes).toEqual([]);
        expect(parsed.header).toEqual(header);
        expect(new Map(parsed.attempts)).toEqual(new Map(all.map((one) => [one.attempt, one])));
        expect(serialiseLock(header, parsed.attempts.values())).toBe(written);
      }),
    );
  });

  it('has one form for the same content, sorted by track, take and id', () => {
    const all = [
      attempt({ attempt: id('x'), track: 'b' }),
      attempt({ attempt: id('y'), track: 'a', take: 10 }),
      attempt({ attempt: id('z'), track: 'a', take: 2 }),
    ];
    const written = serialiseLock(header, all);
    expect(serialiseLock(header, [...all].reverse())).toBe(written);
    const places = [...parseLock(written).attempts.values()].map((one) => `${one.track}${one.take}`);
    expect(places).toEqual(['a2', 'a10', 'b1']);
    expect(written.endsWith('}\n')).toBe(true);
    expect(written).not.toContain('\r');
  });

  it('means the same after lines were shuffled and repeated', () => {
    fc.assert(
      fc.property(records, fc.infiniteStream(fc.nat()), (all, picks) => {
        const lines = all.map(attemptLine);
        const mixed = [...lines, ...lines].sort(() => ((picks.next().value ?? 0) % 3) - 1);
        const a = parseLock(text(head, ...lines)).attempts.values();
        const b = parseLock(text(head, ...mixed)).attempts.values();
        expect(serialiseLock(header, b)).toBe(serialiseLock(header, a));
      }),
    );
  });

  it('may have carriage returns, a byte order mark and blank lines', () => {
    const parsed = parseLock(`\ufeff${head}\r\n\r\n${intent}\r\n`);
    expect(parsed.problems).toEqual([]);
    expect([...parsed.attempts.values()]).toEqual([attempt()]);
  });
});

describe('the last line without its line feed', () => {
  const queued = attemptLine(attempt({ rev: 2, state: 'queued', queue_id: 'q1' }));

  it('is dropped if it is torn anywhere', () => {
    for (let length = 1; length < queued.length; length += 1) {
      const parsed = parseLock(text(head, intent) + queued.slice(0, length));
      expect(parsed.problems).toEqual([]);
      expect(parsed.notes).toEqual([{ kind: 'unterminated', line: 3, dropped: true }]);
      expect([...parsed.attempts.values()]).toEqual([attempt()]);
    }
  });

  it('is kept if it is complete', () => {
    const parsed = parseLock(text(head, intent) + queued);
    expect(parsed.notes).toEqual([{ kind: 'unterminated', line: 3, dropped: false }]);
    expect(parsed.attempts.get(id('a'))?.queue_id).toBe('q1');
  });

  it('is dropped if a crash left zeros', () => {
    expect(parseLock(`${text(head, intent)}${'\0'.repeat(50)}`).problems).toEqual([]);
  });

  it('is a problem if it is complete but wrong', () => {
    expect(problems(text(head) + raw({ rev: 0 }))).toMatchObject([{ kind: 'bad_line', line: 2 }]);
  });
});

describe('a lockfile that is refused', () => {
  it.each([
    ['empty', ''],
    ['of blank lines', '\n\n'],
    ['not JSON', 'tracks: []\n'],
    ['without header', text(intent)],
    ['with a torn header', head.slice(0, 40)],
    ['of another format', text('{"format":"other"}')],
    ['with a header that lacks its lineage', text('{"format":"venice-batch-lock","version":1}')],
    ['with an unknown header field', text(JSON.stringify({ ...header, more: 1 }))],
  ])('is not a lockfile if it is %s', (_, content) => {
    const parsed = parseLock(content);
    expect(parsed.problems[0]).toMatchObject({ kind: 'not_a_lockfile', line: 1 });
    expect(parsed.header).toBeUndefined();
  });

  it('may be of a newer version, whatever else is in it', () => {
    const newer = JSON.stringify({ ...header, version: 4, more: true });
    expect(problems(text(newer, 'anything'))).toEqual([{ kind: 'newer_version', version: 4 }]);
  });

  it.each(['<<<<<<< HEAD', '||||||| base', '=======', '>>>>>>> branch', '======='])(
    'may contain the conflict marker %s',
    (marker) => {
      expect(problems(text(head, marker, intent))).toEqual([{ kind: 'conflict_markers', line: 2 }]);
      expect(problems(text(head, intent) + marker)).toEqual([{ kind: 'conflict_markers', line: 3 }]);
      expect(problems(text(marker, head, intent))).toEqual([{ kind: 'conflict_markers', line: 1 }]);
    },
  );

  it('may contain a second header', () => {
    expect(problems(text(head, intent, head))).toEqual([{ kind: 'second_header', line: 3, related: true }]);
    const other = headerLine({ ...header, lineage: id('other') });
    expect(problems(text(head, other))).toEqual([{ kind: 'second_header', line: 2, related: false }]);
  });

  it('may contain any number of bad lines, while the good ones are still read', () => {
    const parsed = parseLock(text(head, '{"attempt":', intent, 'x'));
    expect(parsed.problems.map((problem) => 'line' in problem && problem.line)).toEqual([2, 4]);
    expect(parsed.attempts.size).toBe(1);
    expect(problems(text(head, ...Array<string>(1000).fill('x'))).length).toBe(100);
  });

  it('may repeat a key in a line, also escaped or nested', () => {
    const twice = (line: string) => problems(text(head, line));
    const queued = raw({ rev: 2, state: 'queued', queue_id: 'q1' });
    expect(twice(queued.replace('{', '{"queue_id":"q2",'))).toEqual([
      { kind: 'duplicate_key', line: 2, key: 'queue_id' },
    ]);
    expect(twice(queued.replace('{', '{"queue\\u005fid" : "q2",'))).toMatchObject([{ key: 'queue_id' }]);
    expect(
      twice(intent.replace('"intent":"20', '"intent":"2026-01-01T00:00:00Z","intent":"20')),
    ).toMatchObject([{ kind: 'duplicate_key', key: 'intent' }]);
  });

  it('is accepted if a value only looks like a key, or white space differs', () => {
    const odd = raw({ stem: 'out/"a":"a":{"a":' }).replace(',', ' ,  ');
    expect(problems(text(head, odd))).toEqual([]);
  });

  it.each<[string, Record<string, unknown>]>([
    ['an unknown field', { prompt: 'x' }],
    ['a key of the prototype', JSON.parse('{"__proto__":{}}') as Record<string, unknown>],
    ['an id that is not hex', { attempt: 'G'.repeat(32) }],
    ['rev 0', { rev: 0 }],
    ['a fractional rev', { rev: 1.5 }],
    ['a rev as text', { rev: '1' }],
    ['an unknown state', { state: 'toString' }],
    ['a track with a slash', { track: '../x' }],
    ['take 0', { take: 0 }],
    ['an absolute stem', { stem: '/etc/passwd' }],
    ['a stem that leaves the folder', { stem: 'out/../../x' }],
    ['a stem that ends in ..', { stem: 'out/..' }],
    ['a stem with a backslash', { stem: 'out\\x' }],
    ['a stem with NUL', { stem: 'out/\0' }],
    ['a stem on a drive', { stem: 'C:x' }],
    ['an empty stem', { stem: '' }],
    ['a stem with an empty part', { stem: 'out//x' }],
    ['a digest without version', { digest: '0'.repeat(64) }],
    ['a part for an unknown field', { parts: { title: '11111111' } }],
    ['parts as a list', { parts: [] }],
    ['negative money', { quote_micro_usd: -1 }],
    ['fractional money', { quote_micro_usd: 0.5 }],
    ['money beyond bounds', { quote_micro_usd: 1e12 + 1 }],
    ['no money', { quote_micro_usd: undefined }],
    ['a key fingerprint that is a key', { key: 'sk-secret' }],
    ['a time without zone', { at: { intent: '2026-01-02T03:04:05' } }],
    ['an invalid time', { at: { intent: '2026-13-02T03:04:05Z' } }],
    ['a time of an unknown state', { at: { begun: '2026-01-02T03:04:05Z' } }],
    ['a queue id with bidi controls', { state: 'queued', queue_id: 'q\u202e1' }],
    ['a queue id in two lines', { state: 'queued', queue_id: 'q\n1' }],
    ['a queue id with an escape', { state: 'queued', queue_id: '\u001b[2J' }],
    ['an empty queue id', { state: 'queued', queue_id: '' }],
    ['a queue id beyond bounds', { state: 'queued', queue_id: 'q'.repeat(1_001) }],
    ['queued without queue id', { state: 'queued' }],
    ['stored without file', { state: 'stored', queue_id: 'q1' }],
    ['an intent that was answered', { queue_id: 'q1' }],
    [
      'a file path that leaves the folder',
      { state: 'done', queue_id: 'q1', file: { ...file, path: '../x' } },
    ],
    ['a short hash', { state: 'done', queue_id: 'q1', file: { ...file, sha256: 'aa' } }],
    ['a file without bytes', { state: 'done', queue_id: 'q1', file: { ...file, bytes: undefined } }],
    ['a move that leaves the folder', { move_to: '..' }],
    ['a reason in words', { reason: { code: 'no more money' } }],
    ['a reason without code', { reason: { status: 400 } }],
    ['an invalid status', { reason: { code: 'x', status: 1000 } }],
    ['refunded as text', { refunded: 'yes' }],
  ])('may contain %s', (_, fields) => {
    const line = JSON.stringify(Object.assign(Object.create(null), { ...attempt(), ...fields }));
    expect(problems(text(head, line))).toMatchObject([{ kind: 'bad_line', line: 2 }]);
  });

  it('may contain bytes that are not UTF-8', () => {
    expect(problems(text(head, raw({ stem: 'out/\ufffd' })))).toMatchObject([{ kind: 'bad_line' }]);
  });

  it('may contain endlessly nested JSON', () => {
    const deep = '['.repeat(200_000) + ']'.repeat(200_000);
    expect(problems(text(head, deep, `{"a":${deep}}`))).toMatchObject([
      { kind: 'bad_line' },
      { kind: 'bad_line' },
    ]);
  });

  it.each(['null', '1', '"x"', '[]', '[{}]', 'true'])('may contain the JSON line %s', (line) => {
    expect(problems(text(head, line))).toMatchObject([{ kind: 'bad_line', line: 2 }]);
  });
});

describe('any text at all', () => {
  it('is read without an exception', () => {
    const piece = fc.oneof(
      fc.string({ unit: 'binary' }),
      fc.constantFrom('\n', '{', '}', '"', head, intent, '<<<<<<< a'),
    );
    fc.assert(
      fc.property(
        fc.array(piece).map((pieces) => pieces.join('')),
        (content) => {
          const parsed: { attempts: ReadonlyMap<string, Attempt> } = parseLock(content);
          expect(parsed.attempts).toBeInstanceOf(Map);
        },
      ),
    );
  });
});
