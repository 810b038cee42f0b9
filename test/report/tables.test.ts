import { describe, expect, it } from 'vitest';
import { commandLine } from '../../src/core/shell.js';
import type { Attempt } from '../../src/lockfile/attempt.js';
import { decide } from '../../src/plan/decide.js';
import { lastRequested } from '../../src/plan/latest-attempts.js';
import type { PlanRow } from '../../src/plan/plan.js';
import { escapeForeign } from '../../src/report/escape.js';
import { comparePrices, renderModel, renderModels } from '../../src/report/models-text.js';
import { renderInDoubt } from '../../src/report/resolve-text.js';
import { renderStatus, type StatusOptions } from '../../src/report/status-text.js';
import { renderTable } from '../../src/report/table.js';
import { displayWidth } from '../../src/report/width.js';
import type { Evidence } from '../../src/venice/matching-charges.js';
import type { Model } from '../../src/venice/model.js';
import { screenOf } from '../fakes/screen.js';
import { filesOf } from '../plan/builders.js';
import { HOSTILE } from './builders.js';

const plain = { color: false, width: 120 };
const command = 'venice-batch models MODEL --sandbox';

function commandFor(manifest: string) {
  return (verb: string, ...words: string[]) => commandLine(['venice-batch', verb, manifest, ...words]);
}

function linesOf(text: string): string[] {
  expect(text.endsWith('\n')).toBe(true);
  return text.slice(0, -1).split('\n');
}

describe('a table', () => {
  const columns = [
    { header: 'NAME', widthMin: 6 },
    { header: 'PRICE', align: 'right' as const },
    { header: 'NOTE', widthMin: 6, optional: true },
  ];

  it('aligns its columns, even with wide characters', () => {
    expect(
      renderTable(
        columns,
        [
          ['opening', '$0.69', 'first'],
          ['夜想曲', '$12.00', ''],
        ],
        { width: 80 },
      ),
    ).toEqual(['NAME      PRICE  NOTE', 'opening   $0.69  first', '夜想曲   $12.00']);
  });

  it('cuts the longest cells first, then omits optional columns, and never exceeds the width', () => {
    const rows = [
      ['a-very-long-name-of-a-track-that-goes-on', '$0.69', 'a note that is rather long as well'],
    ];
    const cells = (width: number) => renderTable(columns, rows, { width });
    expect(cells(100)[1]).toContain('goes-on');
    expect(cells(60)[1]).toMatch(/^a-very-long-name-\S*… {2}\$0\.69 {2}a note .*…$/);
    for (const width of [40, 41, 55, 79])
      for (const line of cells(width)) expect(displayWidth(line)).toBeLessThanOrEqual(width);
    const wider = [...columns, { header: 'LONG', widthMin: 20, optional: true }];
    const [header] = renderTable(wider, [[...rows[0]!, 'x'.repeat(30)]], { width: 40 });
    expect(header!.split(/ {2,}/)).toEqual(['NAME', 'PRICE', 'NOTE']);
  });

  it('uses at least 40 columns, and escapes its cells', () => {
    const [, line] = renderTable([{ header: 'A', widthMin: 5 }], [[HOSTILE]], { width: 10 });
    expect(displayWidth(line!)).toBe(40);
    expect(line).toMatch(/^evil\\u\{1b\}/);
  });
});

function model(id: string, fields: Partial<Model> = {}): Model {
  return { id, name: id, offline: false, beta: false, traits: [], ...fields };
}

describe('the table of models', () => {
  const song = model('song', {
    pricing: {
      kind: 'durations',
      tiers: [
        { minSeconds: 1, maxSeconds: 60, microUsd: 30_000 },
        { minSeconds: 61, maxSeconds: 120, microUsd: 50_000 },
      ],
    },
    supports_lyrics: true,
    lyrics_required: true,
    duration_options: [60, 120],
    min_prompt_length: 10,
    prompt_character_limit: 512,
  });
  const voice = model('voice', {
    pricing: { kind: 'per_thousand_characters', microUsd: 300_000 },
    voices: ['Ada', 'Ben'],
    supports_speed: true,
    min_speed: 0.5,
    max_speed: 2,
    beta: true,
  });
  const noise = model('noise', {
    pricing: { kind: 'per_second', microUsd: 2300 },
    supports_loop: true,
    min_duration: 1,
    max_duration: 30,
    offline: true,
    deprecationDate: '2026-09-01T00:00:00Z',
    replacementModelId: 'noise-2',
  });

  it('shows capabilities, limits, price rule and state of each', () => {
    const [header, ...lines] = linesOf(renderModels([song, voice, noise], { ...plain, command, width: 160 }));
    expect(header!.split(/ {2,}/)).toEqual(['MODEL', 'PRICE', 'SECONDS', 'CAN', 'PROMPT', 'STATE']);
    expect(lines.map((line) => line.split(/ {2,}/))).toEqual([
      ['song', '$0.03–$0.05', '60/120', 'lyrics (required)', '10–512'],
      ['voice', '$0.30/1,000 chars', '2 voices, speed 0.5–2', 'beta'],
      ['noise', '$0.0023/s', '1–30', 'loop', 'offline, ends 2026-09-01, use noise-2'],
    ]);
  });

  it('shows the price of a requested duration, and models that do not support it', () => {
    const lines = linesOf(renderModels([song, voice, noise], { ...plain, command, durationSeconds: 120 }));
    expect(lines.map((line) => line.split(/ {2,}/).slice(0, 2))).toEqual([
      ['MODEL', 'COST OF 120 S'],
      ['song', '$0.05'],
      ['voice', '$0.30/1,000 chars'],
      ['noise', '—'],
    ]);
  });

  it.each<[string, number, string]>([
    ['a minute', 60, 'tiers $0.03, each $0.04, second $0.06, NARRATION, short —, untold ?'],
    ['half a minute', 30, 'second $0.03, short $0.03, each $0.04, NARRATION, tiers —, untold ?'],
    ['two', 120, 'each $0.04, tiers $0.05, second $0.12, NARRATION, short —, untold ?'],
  ])(
    'is sorted by its prices for %s, then narration, then models without a price',
    (_, seconds, expected) => {
      const priced = (id: string, pricing: Model['pricing'], fields: Partial<Model> = {}) =>
        model(id, { ...fields, ...(pricing === undefined ? {} : { pricing }) });
      const models = [
        priced('untold', undefined),
        priced('prose', { kind: 'per_thousand_characters', microUsd: 300_000 }),
        priced('words', { kind: 'per_thousand_characters', microUsd: 20_000 }),
        priced('short', { kind: 'per_second', microUsd: 1_000 }, { max_duration: 30 }),
        priced('second', { kind: 'per_second', microUsd: 1_000 }),
        priced('each', { kind: 'generation', microUsd: 40_000 }),
        priced('tiers', song.pricing, { duration_options: [60, 120] }),
      ];
      const shown = linesOf(
        renderModels(models.sort(comparePrices(seconds)), { ...plain, command, durationSeconds: seconds }),
      );
      const [header, ...rows] = shown.map((line) => line.split(/ {2,}/).slice(0, 2).join(' '));
      expect(header).toBe(`MODEL COST OF ${seconds} S`);
      expect(rows.join(', ').replace('words $0.02/1,000 chars, prose $0.30/1,000 chars', 'NARRATION')).toBe(
        expected,
      );
    },
  );

  it('cuts no price and no duration at 80 columns, and wraps capabilities', () => {
    const id = 'a-model-with-a-name-as-long-as'.padEnd(30, '-');
    const able = {
      ...voice,
      id,
      supports_lyrics: true,
      supports_lyrics_optimizer: true,
      supports_loop: true,
    };
    const lines = linesOf(
      renderModels([able, { ...song, duration_options: [60, 90, 120, 150, 180, 210] }], {
        color: false,
        width: 80,
        command,
      }),
    );
    expect(lines[0]).toContain('CAN');
    expect(lines.join(' ')).toContain('60–210 by 30');
    expect(lines[1]).toMatch(new RegExp(`^${id} {2}\\$0\\.30/1,000 chars `));
    expect(lines.join(' ')).not.toContain('…');
    expect(lines.slice(1, -1).join(' ').replace(/ +/g, ' ')).toContain('2 voices, speed 0.5–2');
  });

  it('shows one model in full, with its voices and tiers', () => {
    expect(linesOf(renderModel({ ...song, voices: ['Ada', HOSTILE] }, { color: false, width: 200 }))).toEqual(
      [
        'song',
        'Name     song',
        'Price    $0.03 for 1–60 s, $0.05 for 61–120 s',
        'Seconds  60/120',
        'Can      lyrics (required), 2 voices',
        'Prompt   10–512 characters',
        expect.stringMatching(/^Voices {3}Ada, evil\\u/),
      ],
    );
  });

  it.each([40, 80])('fits %i columns', async (width) => {
    const text = renderModels([song, voice, noise], { color: true, width, command });
    expect((await screenOf(text, width)).wrappedRows).toBe(0);
  });
});

function attempt(track: string, state: Attempt['state'], fields: Partial<Attempt> = {}): Attempt {
  return {
    attempt: `id-of-${track}`,
    rev: 1,
    state,
    track,
    take: 1,
    stem: track,
    digest: 'v1:0',
    parts: {},
    model: 'elevenlabs-music',
    quote_micro_usd: 690_000,
    key: 'k',
    at: { intent: '2026-03-01T12:00:00.000Z' },
    ...fields,
  };
}

describe('the table of status', () => {
  const options = { ...plain, command: commandFor('my album.yaml') };
  const file = { path: 'out/a.flac', bytes: 1, sha256: '0', media_type: 'audio/flac' };

  /** With every file in its place. `wanted`: the tracks that the manifest names. */
  function statusOf(
    attempts: readonly Attempt[],
    other: Partial<StatusOptions> = {},
    wanted?: readonly string[],
    files = filesOf(attempts),
  ): string {
    const takes = lastRequested(attempts);
    const selection = { force: [], retryFailed: false };
    const { rows } = decide({ takes, attempts, files, occupied: () => undefined, selection });
    const isWanted = ({ take }: PlanRow) => wanted === undefined || wanted.includes(take.track);
    const input = { attempts, rows: rows.filter(isWanted), removed: rows.filter((row) => !isWanted(row)) };
    return renderStatus(input, { ...options, ...other });
  }

  it('shows the latest attempt of each take with cost and file, totals and the next command', () => {
    const text = statusOf([
      attempt('b', 'queued', { queue_id: 'q-1' }),
      attempt('a', 'failed', { attempt: 'old', at: { intent: '2026-02-01T12:00:00.000Z' } }),
      attempt('a', 'done', { file }),
      attempt('a', 'rejected', { take: 2, reason: { code: 'policy', status: 422 } }),
    ]);
    expect(linesOf(text)).toEqual([
      'TAKE  STATE            COST  FILE OR JOB',
      'a     done            $0.69  out/a.flac',
      'a#2   rejected (422)  $0.00',
      'b     queued          $0.69  q-1',
      '',
      '1 done, 1 queued, 1 rejected; $2.07 spent in total, $0.69 of it on earlier attempts',
      "Next: venice-batch collect 'my album.yaml'",
    ]);
  });

  it('shows what the next run makes: takes of a changed request, new ones, and what it downloads', () => {
    const attempts = ['a', 'b', 'c'].map((track) =>
      attempt(track, 'done', { file: { ...file, path: `out/${track}.flac` }, parts: { prompt: track } }),
    );
    const [a, b, c] = lastRequested(attempts);
    const takes = [
      { ...a!, digest: 'v1:1', parts: { prompt: 'another' } },
      b!,
      c!,
      { ...a!, key: 'd', track: 'd', stem: 'out/d' },
    ];
    const files = filesOf(attempts.slice(0, 2));
    const inStore = new Set(['id-of-c']);
    const selection = { force: [], retryFailed: false };
    const { rows } = decide({ takes, attempts, files, inStore, occupied: () => undefined, selection });
    const shown = (of: readonly PlanRow[]) =>
      linesOf(renderStatus({ attempts, rows: of, removed: [] }, options));
    expect(shown(rows)).toEqual([
      'TAKE  STATE                      COST  FILE OR JOB',
      'a     prompt changed            $0.69  out/a.flac',
      'b     done                      $0.69  out/b.flac',
      'c     done, in the audio store  $0.69  out/c.flac',
      'd     new',
      '',
      '1 done, 1 in the audio store, 1 changed, 1 new; $2.07 spent in total',
      "Next: venice-batch run 'my album.yaml'",
    ]);
    expect(shown(rows.slice(1, 3)).at(-1)).toBe("Next: venice-batch pull 'my album.yaml'");
    const running = 'pid 7 on studio, for 5 s';
    expect(linesOf(renderStatus({ attempts, rows, removed: [], running }, options)).at(-1)).toBe(
      'A run is in progress (pid 7 on studio, for 5 s): this is the state so far',
    );
  });

  it("keeps the manifest's order", () => {
    const attempts = ['b', 'a', 'c'].map((track) => attempt(track, 'done', { file }));
    const takes = ['c', 'a', 'b'].flatMap((id) =>
      lastRequested(attempts).filter(({ track }) => track === id),
    );
    const selection = { force: [], retryFailed: false };
    const { rows } = decide({
      takes,
      attempts,
      files: filesOf(attempts),
      occupied: () => undefined,
      selection,
    });
    const lines = linesOf(renderStatus({ attempts, rows, removed: [] }, options));
    expect(lines.slice(1, 4).map((line) => line[0])).toEqual(['c', 'a', 'b']);
  });

  it.each([
    ['in_doubt', 'resolve'],
    ['intent', 'collect'],
    ['queued', 'collect'],
    ['stored', 'collect'],
    ['unverified', 'collect'],
    ['failed', 'run --retry-failed'],
    ['rejected', 'run'],
  ] as const)('has the right next step for a take that is %s: %s', (state, command) => {
    const text = statusOf([attempt('a', 'done', { file }), attempt('b', state)]);
    const [verb = '', ...words] = command.split(' ');
    expect(linesOf(text).at(-1)).toBe(`Next: ${options.command(verb, ...words)}`);
  });

  it('shows complete paths relative to the working directory, below the rows if they do not fit', () => {
    const attempts = [attempt('a', 'done', { file }), attempt('b', 'queued', { queue_id: HOSTILE })];
    const placeOf = (path: string) => `albums/night drive/${path}`;
    const shown = (width: number) => linesOf(statusOf(attempts, { width, placeOf }));
    expect(shown(250)[1]).toBe("a     done    $0.69  'albums/night drive/out/a.flac'");
    const narrow = shown(44);
    expect(narrow.slice(0, 3)).toEqual([
      'TAKE  STATE    COST',
      'a     done    $0.69',
      "  'albums/night drive/out/a.flac'",
    ]);
    expect(narrow[4]).toBe(`  ${escapeForeign(HOSTILE)}`);
  });

  it('shows what the user resolved as such, and nothing that no longer matters', () => {
    const reported = (state: Attempt['state'], code: string) => {
      const text = statusOf([attempt('a', state, { file, reason: { code } })]);
      return linesOf(text)[1]?.replace(/^a +/, '').split(/ {2,}/)[0];
    };
    expect(reported('rejected', 'resolved_not_charged')).toBe('resolved as not charged');
    expect(reported('lost', 'resolved_charged')).toBe('resolved as charged');
    expect(reported('lost', 'resolved_refunded')).toBe('resolved as refunded');
    expect(reported('failed', 'resolved_refunded')).toBe('failed, resolved as refunded');
    expect(reported('lost', 'not_found')).toBe('lost (not_found)');
    expect(reported('done', 'ECONNRESET')).toBe('done');
  });

  it('lists what was removed from the manifest last, under a heading', () => {
    const attempts = [attempt('a', 'done', { file }), attempt('b', 'queued', { queue_id: 'q-1' })];
    const known = linesOf(statusOf(attempts, {}, ['b']));
    expect(known.slice(1, 6).map((line) => line.split(/ {2,}/)[0])).toEqual([
      'b',
      '',
      'No longer in the manifest',
      'TAKE',
      'a',
    ]);
    expect(known).toContain('1 done, 1 queued; $1.38 spent in total');
    expect(statusOf(attempts)).not.toContain('Not in the manifest');
  });

  it('includes an earlier attempt that is still in flight, but not one that failed', () => {
    const later = attempt('a', 'done', {
      file,
      attempt: 'later',
      at: { intent: '2026-03-02T12:00:00.000Z' },
    });
    expect(statusOf([attempt('a', 'queued'), later])).toContain('venice-batch collect');
    expect(statusOf([attempt('a', 'failed'), later])).not.toContain('Next');
  });

  it('says to fix what was rejected first', () => {
    const refused = attempt('b', 'rejected', { reason: { code: 'policy', status: 422 } });
    expect(linesOf(statusOf([attempt('a', 'done', { file }), refused])).at(-1)).toBe(
      "Next: fix the rejected tracks in the manifest, then: venice-batch run 'my album.yaml'",
    );
    expect(statusOf([refused, attempt('c', 'failed')])).toContain('--retry-failed');
    expect(statusOf([refused], {}, [])).not.toContain('Next');
  });

  it('shows the current file, and mentions a newer attempt that failed', () => {
    const newer = attempt('a', 'failed', {
      attempt: 'newer',
      at: { intent: '2026-03-02T12:00:00.000Z' },
      reason: { code: 'GENERATION_FAILED' },
    });
    const text = statusOf([attempt('a', 'done', { file }), newer]);
    expect(linesOf(text)[1]).toMatch(
      /^a +done; a newer one failed \(GENERATION_FAILED\) +\$0.69 +out\/a.flac$/,
    );
    expect(text).not.toContain('Next');
  });

  it('shows what is missing, and asks for the output folder if nothing is there', () => {
    const attempts = [
      attempt('a', 'done', { file }),
      attempt('b', 'done', { file: { ...file, path: 'out/b.flac' } }),
    ];
    const one = statusOf(attempts, {}, undefined, new Map([['out/a.flac', 'present']]));
    expect(linesOf(one).slice(2)).toEqual([
      'b     missing  $0.69  out/b.flac',
      '',
      '1 done, 1 missing; $1.38 spent in total',
      "Next: put the missing files back, or buy them again: venice-batch run 'my album.yaml' --retry-failed",
    ]);
    const none = statusOf(attempts, {}, undefined, new Map());
    expect(linesOf(none).at(-1)).toMatch(/^Next: .*--out-dir/);
    expect(none).not.toContain('venice-batch');
  });

  it('has no next command when all is done, and says if nothing was bought', () => {
    expect(statusOf([attempt('a', 'done', { file })])).not.toContain('Next');
    expect(statusOf([])).toBe('Nothing has been bought yet.\n');
  });
});

describe('the list of attempts in doubt', () => {
  const doubtful = attempt('outro', 'in_doubt', {
    take: 2,
    duration_seconds: 60,
    reason: { code: 'html', status: 502 },
  });
  const options = {
    ...plain,
    command: commandFor('album.yaml'),
    idOf: (one: { attempt: string }) => one.attempt.slice(0, 8),
  };

  const charge = {
    timestampMs: Date.parse('2026-03-01T12:00:02.000Z'),
    sku: 'music',
    spentMicroUsd: 690_000,
    currency: 'USD',
    requestId: 'r-1',
  };
  const nothing: Evidence = {
    fits: [],
    near: [],
    accounted: 0,
    rivals: [],
    fromMs: Date.parse('2026-03-01T11:59:00.000Z'),
    toMs: Date.parse('2026-03-01T12:10:00.000Z'),
  };

  it('shows what is known and the commands that resolve it', () => {
    const near =
      'A similar charge may be this attempt\u2019s: the service may rename and round charges. Rule it out before --not-charged.';
    const lines = linesOf(
      renderInDoubt(
        [
          {
            attempt: doubtful,
            evidence: {
              ...nothing,
              fits: [charge],
              near: [{ entry: { ...charge, spentMicroUsd: 760_000 }, difference: 'another amount' }],
            },
          },
        ],
        options,
      ),
    );
    expect(lines.slice(0, 9)).toEqual([
      '? outro#2',
      '  sent 2026-03-01 12:00:00 UTC: elevenlabs-music, 60 s, $0.69; 502 html',
      '  billing history:',
      '    2026-03-01 12:00:02 UTC $0.69 music request r-1',
      '    similar: 2026-03-01 12:00:02 UTC $0.76 music request r-1 (another amount)',
      `  ${near}`,
      '  venice-batch resolve album.yaml id-of-ou --charged',
      '  venice-batch resolve album.yaml id-of-ou --not-charged',
      '  venice-batch resolve album.yaml id-of-ou --refunded',
    ]);
  });

  it('says where it searched, what it left out, and what may still appear if it found nothing', () => {
    const history = { cut: true, clockOffsetMs: -300_000, askedAtMs: nothing.toMs - 1 };
    const item = { attempt: doubtful, evidence: { ...nothing, accounted: 2 } };
    const soon = renderInDoubt([item], { ...options, width: 400, history });
    expect(soon).toContain(
      'no other charge so far since 2026-03-01 11:59:00 UTC (2 charges belong to other takes); one may still appear until 2026-03-01 12:10:00 UTC',
    );
    expect(soon).not.toMatch(/resolve .* --not-charged/);
    expect(soon).toContain('clock is 300 s behind');
    expect(soon).toContain('too long');
    const later = { cut: false, clockOffsetMs: 0, askedAtMs: nothing.toMs };
    const then = renderInDoubt([item], { ...options, history: later });
    expect(then).toContain('no other charge from 2026-03-01 11:59:00 UTC to 2026-03-01 12:10:00 UTC');
    expect(then).not.toMatch(/still come|so far|clock|too long|DIEM/);
    expect(then).toMatch(/resolve .* --not-charged/);
  });

  it('says that an entry which cannot be read may be the charge', () => {
    const history = { cut: false, unread: 2, clockOffsetMs: 0, askedAtMs: nothing.toMs };
    const item = { attempt: doubtful, evidence: nothing };
    expect(renderInDoubt([item], { ...options, width: 400, history })).toContain(
      '2 entries of the billing history could not be read, and may be this charge: see the dashboard before you use --not-charged',
    );
  });

  it('says what the history of a wallet does not list', () => {
    const history = { cut: false, clockOffsetMs: 0, askedAtMs: nothing.toMs, withoutDiem: true } as const;
    const item = { attempt: doubtful, evidence: nothing };
    expect(renderInDoubt([item], { ...options, width: 400, history })).toContain(
      'spends DIEM first, and this history does not show DIEM charges. Rule one out before you use --not-charged.',
    );
  });

  it('counts matching charges next to known jobs with the same charge', () => {
    const evidence = { ...nothing, fits: [charge], accounted: 7 };
    expect(renderInDoubt([{ attempt: doubtful, evidence }], { ...options, width: 200 })).toContain(
      'billing history: 8 matching charges, 7 of them from other jobs of this lockfile; 1 left:\n',
    );
  });

  it('distinguishes an unavailable history from an empty one, and limits a long one', () => {
    const entry = { ...charge, sku: HOSTILE };
    expect(renderInDoubt([{ attempt: doubtful }], options)).toContain('not available with this key');
    expect(renderInDoubt([{ attempt: doubtful }], { ...options, unread: HOSTILE })).toMatch(
      /billing history: could not be read\s+\(.+\); try again later/s,
    );
    const evidence = { ...nothing, fits: Array(9).fill(entry), near: [] };
    const long = renderInDoubt([{ attempt: doubtful, evidence }], options);
    expect(long).toContain('… 4 more that match');
    expect(long).not.toMatch(/[\x00-\x09\x0b-\x1f\x7f-\x9f\u202e]/);
    expect(renderInDoubt([], options)).toBe('Nothing is in doubt.\n');
  });
});
