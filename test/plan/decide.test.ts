import { describe, expect, it } from 'vitest';
import type { Attempt } from '../../src/lockfile/attempt.js';
import { createKeySignature } from '../../src/lockfile/key-signature.js';
import type { Take } from '../../src/manifest/take.js';
import { type Decided, type DecideInput, decide, mayPass } from '../../src/plan/decide.js';
import type { Decision } from '../../src/plan/plan.js';
import { classifySubmit } from '../../src/venice/submit-outcome.js';
import { type AttemptSketch, filesOf, makeAttempt, makeTake } from './builders.js';

const LINEAGE = '0'.repeat(32);

type Situation = Partial<Omit<DecideInput, 'selection'>> & { selection?: Partial<DecideInput['selection']> };

function settle(takes: readonly Take[], attempts: readonly Attempt[], situation: Situation = {}): Decided {
  const { selection, ...rest } = situation;
  return decide({
    takes,
    attempts,
    files: filesOf(attempts),
    occupied: () => undefined,
    selection: { retryFailed: false, force: [], ...selection },
    ...rest,
  });
}

function only(decided: Decided): Decision {
  expect(decided.rows).toHaveLength(1);
  return decided.rows[0]!.decision;
}

/** `buy changed`, `held failed`, `collect`, …, and the attempt it is based on. */
function words(decision: Decision): string {
  switch (decision.kind) {
    case 'buy':
    case 'excluded':
      return `${decision.kind} ${decision.why.kind}`;
    case 'held':
      return `held ${decision.because}`;
    default:
      return decision.kind;
  }
}

const take = makeTake();
const OLD = { request: { prompt: 'an older wish' } };
const retry = { selection: { retryFailed: true } };
const force = { selection: { force: ['opening'] } };
const gone = { files: new Map() };

type Row = [name: string, attempts: AttemptSketch[], situation: Situation, expected: string];

const STATES: Row[] = [
  ['nothing so far', [], {}, 'buy new'],
  ['an intent without an outcome', [{ state: 'intent' }], {}, 'in_doubt'],
  ['in doubt', [{ state: 'in_doubt' }], {}, 'in_doubt'],
  ['in doubt, retried', [{ state: 'in_doubt' }], retry, 'in_doubt'],
  ['in doubt, forced', [{ state: 'in_doubt' }], force, 'in_doubt'],
  ['in doubt with another request', [{ state: 'in_doubt', ...OLD }], force, 'in_doubt'],
  ['in doubt, then done', [{ name: 'a', state: 'in_doubt' }, { name: 'b' }], {}, 'in_doubt'],
  ['queued', [{ state: 'queued' }], {}, 'collect'],
  ['queued, forced', [{ state: 'queued' }], force, 'collect'],
  ['stored', [{ state: 'stored' }], {}, 'collect'],
  ['stored, its file gone', [{ state: 'stored' }], gone, 'collect'],
  ['unverified', [{ state: 'unverified' }], {}, 'collect'],
  ['queued with another request', [{ state: 'queued', ...OLD }], {}, 'buy changed'],
  ['done', [{}], {}, 'done'],
  ['done, retried', [{}], retry, 'done'],
  ['done, forced', [{}], force, 'buy forced'],
  ['done with another request', [OLD], {}, 'buy changed'],
  ['done, changed and changed back', [{ name: 'a' }, { name: 'b', ...OLD, path: 'out/b.wav' }], {}, 'done'],
  ['done, then made anew', [{ name: 'a' }, { name: 'b', state: 'queued' }], {}, 'collect'],
  [
    'done, then refused anew',
    [{ name: 'a' }, { name: 'b', state: 'rejected', reason: { code: 'x', status: 422 } }],
    {},
    'done',
  ],
  ['done, then failed anew', [{ name: 'a' }, { name: 'b', state: 'failed' }], {}, 'done'],
  ['done, its file gone', [{}], gone, 'held missing'],
  ['done, its file gone, retried', [{}], { ...gone, ...retry }, 'buy retry'],
  ['done, its file gone, forced', [{}], { ...gone, ...force }, 'buy forced'],
  ['done, its file changed', [{}], { files: new Map([['out/opening.wav', 'changed']]) }, 'done'],
  ['done, a move under way, not begun', [{ moveTo: 'out/new.wav' }], {}, 'done'],
  [
    'done, a move under way, made',
    [{ moveTo: 'out/new.wav' }],
    { files: new Map([['out/new.wav', 'present']]) },
    'done',
  ],
  ['failed', [{ state: 'failed' }], {}, 'held failed'],
  ['failed, retried', [{ state: 'failed' }], retry, 'buy retry'],
  ['failed, forced', [{ state: 'failed' }], force, 'buy forced'],
  ['failed and refunded', [{ state: 'failed', refunded: true }], {}, 'held failed'],
  ['failed with another request', [{ state: 'failed', ...OLD }], {}, 'buy changed'],
  ['lost', [{ state: 'lost' }], {}, 'held lost'],
  ['lost, retried', [{ state: 'lost' }], retry, 'buy retry'],
  ['lost, a person allows another', [{ state: 'lost', reason: { code: 'requeued' } }], {}, 'buy retry'],
  [
    'failed, then refused for want of money',
    [
      { name: 'a', state: 'failed' },
      { name: 'b', state: 'rejected', reason: { code: 'x', status: 402 } },
    ],
    {},
    'held failed',
  ],
  [
    'allowed again, then refused for want of money',
    [
      { name: 'a', state: 'lost', reason: { code: 'requeued' } },
      { name: 'b', state: 'rejected', reason: { code: 'x', status: 402 } },
    ],
    {},
    'buy retry',
  ],
  [
    'allowed again, then failed',
    [
      { name: 'a', state: 'lost', reason: { code: 'requeued' } },
      { name: 'b', state: 'failed' },
    ],
    {},
    'held failed',
  ],
  [
    'refused for its request, then with another request too',
    [{ state: 'rejected', reason: { code: 'x', status: 400 }, ...OLD }],
    {},
    'buy changed',
  ],
  [
    'refused in passing with another request',
    [{ state: 'rejected', reason: { code: 'x', status: 429 }, ...OLD }],
    {},
    'buy new',
  ],
];

describe('the decision about a take', () => {
  it.each(STATES)('is right: %s', (_, sketches, situation, expected) => {
    const attempts = sketches.map((sketch) => makeAttempt({ of: take, ...sketch }));
    expect(words(only(settle([take], attempts, situation)))).toBe(expected);
  });

  it.each([
    [401, 'buy retry'],
    [402, 'buy retry'],
    [403, 'buy retry'],
    [429, 'buy retry'],
    [503, 'buy retry'],
    [undefined, 'buy retry'],
    [400, 'held rejected'],
    [404, 'held rejected'],
    [413, 'held rejected'],
    [415, 'held rejected'],
    [422, 'held rejected'],
  ])('is right after a refusal with %s', (status, expected) => {
    const reason = status === undefined ? { code: 'ECONNREFUSED' } : { code: 'x', status };
    const attempts = [makeAttempt({ of: take, state: 'rejected', reason })];
    expect(words(only(settle([take], attempts)))).toBe(expected);
    expect(words(only(settle([take], attempts, retry)))).toBe('buy retry');
  });

  it('holds exactly the refusals that a submit calls final, and those that it once did', () => {
    const statuses = Array.from({ length: 500 }, (_, index) => 100 + index);
    const final = statuses.filter((status) => {
      const outcome = classifySubmit({
        ok: false,
        kind: 'refused',
        sent: true,
        code: 'x',
        message: '',
        rate: {},
        status,
      });
      return outcome.kind === 'refused' && outcome.next === 'reject';
    });
    const held = statuses.filter(
      (status) => !mayPass(makeAttempt({ of: take, state: 'rejected', reason: { code: 'x', status } })),
    );
    expect(held.filter((status) => !final.includes(status))).toEqual([409, 451]);
    expect(final.filter((status) => !held.includes(status))).toEqual([]);
    expect(final).toContain(422);
  });

  it('is made for each take of a track separately', () => {
    const [first, second] = [1, 2].map((number) => makeTake({ take: number, takes: 2 })) as [Take, Take];
    const { rows } = settle([first, second], [makeAttempt({ of: second })]);
    expect(rows.map(({ decision }) => words(decision))).toEqual(['buy new', 'done']);
  });

  it('assigns a file to the newer attempt if both have the same name', () => {
    const attempts = [makeAttempt({ name: 'a' }), makeAttempt({ name: 'b' })];
    const decision = only(settle([take], attempts));
    expect(decision).toMatchObject({ kind: 'done', attempt: { attempt: attempts[1]!.attempt } });
  });

  it('assigns a file that replaced a missing one to its own take, even if it is older', () => {
    const [closing, opening] = [makeTake({ track: 'closing' }), makeTake()];
    const older = makeAttempt({ name: 'a', of: closing, path: 'out/shared.mp3' });
    const newer = makeAttempt({ name: 'b', of: opening, path: 'out/shared.mp3' });
    const owners = new Map([['out/shared.mp3', older.attempt]]);
    const decided = settle([closing, opening], [older, newer], { owners });
    expect(decided.rows.map(({ decision }) => words(decision))).toEqual(['done', 'held missing']);
    expect(decided.moves.map(({ attempt }) => attempt)).toEqual([older.attempt]);
  });
});

describe('a finished file that is behind a link', () => {
  it('is reported with the name of the link', () => {
    const files = new Map([['out/opening.wav', 'changed']]) as DecideInput['files'];
    const add = (links: DecideInput['links']) =>
      settle([take], [makeAttempt()], { files, ...(links && { links }) }).diagnostics;
    expect(add(new Map([['out/opening.wav', 'out']]))).toMatchObject([
      {
        code: 'file-changed',
        message:
          'out/opening.wav cannot be checked: out is a symbolic link, a pipe or a device, and is not followed',
        hint: 'replace out with the real file or folder',
      },
    ]);
    expect(add(undefined)).toMatchObject([
      { code: 'file-changed', message: expect.stringContaining('was changed since') },
    ]);
  });
});

describe('a changed request', () => {
  it('shows which fields differ from the newest earlier one', () => {
    const attempts = [
      makeAttempt({ name: 'a', request: { prompt: 'x', voice: 'Aria' } }),
      makeAttempt({ name: 'b', request: { prompt: 'y', loop: true } }),
    ];
    expect(only(settle([take], attempts))).toMatchObject({
      kind: 'buy',
      why: { kind: 'changed', fields: ['prompt', 'loop'], earlier: { attempt: attempts[1]!.attempt } },
    });
  });

  it('is compared with what was paid for rather than with a later refusal', () => {
    const attempts = [
      makeAttempt({ name: 'a', ...OLD }),
      makeAttempt({
        name: 'b',
        state: 'rejected',
        reason: { code: 'x', status: 400 },
        request: { voice: 'Zoe' },
      }),
    ];
    expect(only(settle([take], attempts))).toMatchObject({ why: { fields: ['prompt'] } });
  });

  it('is bought while the earlier one in flight is collected too', () => {
    const earlier = makeAttempt({ state: 'queued', ...OLD });
    const decided = settle([take], [earlier]);
    expect(words(only(decided))).toBe('buy changed');
    expect(decided.orphans).toEqual([earlier]);
  });
});

describe('a job in flight', () => {
  it.each(['queued', 'stored', 'unverified'] as const)(
    'is collected even if its track is gone: %s',
    (state) => {
      const attempt = makeAttempt({ state, of: makeTake({ track: 'removed' }) });
      expect(settle([take], [attempt]).orphans).toEqual([attempt]);
    },
  );

  it.each(['done', 'failed', 'lost', 'rejected', 'in_doubt', 'intent'] as const)('is not %s', (state) => {
    expect(settle([], [makeAttempt({ state })]).orphans).toEqual([]);
  });

  it('is collected once, by its row or as an orphan', () => {
    const attempts = ['a', 'b'].map((name) => makeAttempt({ name, state: 'queued' }));
    const decided = settle([take], attempts);
    expect(only(decided)).toEqual({ kind: 'collect', attempt: attempts[1] });
    expect(decided.orphans).toEqual([attempts[0]]);
  });

  it('is collected for any selection', () => {
    const attempts = [
      makeAttempt({ state: 'queued' }),
      makeAttempt({ name: 'b', state: 'stored', of: makeTake({ track: 'gone' }) }),
    ];
    const decided = settle([take], attempts, { selection: { except: ['*'] } });
    expect(words(only(decided))).toBe('collect');
    expect(decided.orphans).toEqual([attempts[1]]);
  });

  it('is reported if another key submitted it', () => {
    const theirs = createKeySignature(LINEAGE, 'theirs');
    const sealed = (attempt: Attempt): Attempt => ({ ...attempt, key: theirs.of(attempt) });
    const attempts = [sealed(makeAttempt({ state: 'queued' })), sealed(makeAttempt({ name: 'b' }))];
    const { diagnostics } = settle([take], attempts, { keySignature: createKeySignature(LINEAGE, 'ours') });
    expect(diagnostics).toMatchObject([{ code: 'other-key', severity: 'warning' }]);
    expect(diagnostics[0]?.message).toMatch(/^1 take in flight was /);
    expect(settle([take], attempts, { keySignature: theirs }).diagnostics).toEqual([]);
  });
});

describe('an untracked file', () => {
  const occupied = (stem: string) => (stem === take.stem ? 'out/opening.flac' : undefined);

  it.each<[string, AttemptSketch[], Situation]>([
    ['new', [], {}],
    ['changed', [OLD], {}],
    ['retried', [{ state: 'failed' }], retry],
    ['forced', [{}], force],
  ])('prevents the purchase of its take: %s', (_, sketches, situation) => {
    const attempts = sketches.map((sketch) => makeAttempt({ of: take, ...sketch }));
    const decided = settle([take], attempts, { ...situation, occupied });
    expect(only(decided)).toEqual({ kind: 'occupied', path: 'out/opening.flac' });
    expect(decided.diagnostics).toContainEqual(
      expect.objectContaining({ code: 'output-occupied', severity: 'error', span: take.span }),
    );
  });

  it('does not prevent collecting', () => {
    expect(words(only(settle([take], [makeAttempt({ state: 'queued' })], { occupied })))).toBe('collect');
  });

  it('does not matter for a take outside of the selection', () => {
    const decided = settle([take], [], { occupied, selection: { except: ['opening'] } });
    expect(words(only(decided))).toBe('excluded new');
    expect(decided.diagnostics).toEqual([]);
  });
});

describe('the selection', () => {
  const album = ['intro', 'verse', 'outro'].map((track) => makeTake({ track }));
  const kinds = (selection: Partial<DecideInput['selection']>, attempts: Attempt[] = []) =>
    settle(album, attempts, { selection }).rows.map(({ decision }) => words(decision));

  it('allows only what --only names', () => {
    expect(kinds({ only: ['verse'] })).toEqual(['excluded new', 'buy new', 'excluded new']);
  });

  it('excludes what --except names, even if --only names it', () => {
    expect(kinds({ only: ['*tro'], except: ['outro'] })).toEqual(['buy new', 'excluded new', 'excluded new']);
  });

  it('excludes failed takes outside of it even with --retry-failed', () => {
    const failed = album.map((of, index) => makeAttempt({ name: `${index}`, of, state: 'failed' }));
    expect(kinds({ retryFailed: true, only: ['verse'] }, failed)).toEqual([
      'held failed',
      'buy retry',
      'held failed',
    ]);
  });

  it('does not allow buying a file again that is in the audio store but could not be downloaded', () => {
    const done = makeAttempt({});
    const decided = (notPulled: ReadonlySet<string>) =>
      words(only(settle([take], [done], { ...gone, ...retry, notPulled })));
    expect(decided(new Set([done.attempt]))).toBe('held missing');
    expect(decided(new Set())).toBe('buy retry');
  });

  it('forces only what may be bought', () => {
    const done = album.map((of, index) => makeAttempt({ name: `${index}`, of }));
    expect(kinds({ force: ['*'], except: ['verse'] }, done)).toEqual(['buy forced', 'done', 'buy forced']);
  });

  it('says why a forced take is not bought', () => {
    const attempts = [makeAttempt({ of: album[0]!, state: 'queued' })];
    const { diagnostics } = settle(album, attempts, { selection: { force: ['intro'] } });
    expect(diagnostics).toMatchObject([{ code: 'force-blocked', severity: 'warning' }]);
  });
});

describe('a stored file', () => {
  it('that was changed is reported and counts as done', () => {
    const attempts = [makeAttempt()];
    const { diagnostics } = settle([take], attempts, {
      files: filesOf(attempts, { 'out/opening.wav': 'changed' }),
    });
    expect(diagnostics).toMatchObject([{ code: 'file-changed', severity: 'warning', span: take.span }]);
  });
});
