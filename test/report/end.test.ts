import { describe, expect, it } from 'vitest';
import type { RunEvent, SummaryEvent, TakeEvent } from '../../src/core/events.js';
import { adviceFor } from '../../src/report/advice.js';
import { renderJunit } from '../../src/report/junit.js';
import { createNdjson } from '../../src/report/ndjson.js';
import { createRecorder, type RunOutcome } from '../../src/report/outcome.js';
import { failureReason } from '../../src/report/phrases.js';
import { renderJson } from '../../src/report/run-json.js';
import { renderMarkdown } from '../../src/report/step-summary.js';
import { renderSummary } from '../../src/report/summary.js';
import { screenOf } from '../fakes/screen.js';
import { HOSTILE, noticeEvent, planEvent, summaryEvent, takeEvent, versionEvent } from './builders.js';
import { recordingTerminal } from './fakes.js';

const command = (verb: string, ...words: string[]) =>
  ['venice-batch', verb, 'album.yaml', ...words].join(' ');
const SCREEN = { color: false, width: 80, command };

function outcomeOf(...events: RunEvent[]): RunOutcome {
  const recorder = createRecorder();
  for (const event of events) recorder.event(event);
  return recorder.outcome();
}

const policy = takeEvent('bridge', 'rejected', {
  status: 422,
  code: 'CONTENT_POLICY',
  message: 'The prompt names a living artist, which the policy of this service does not allow.',
  money: 'not charged',
  suggested_prompt: 'In the style of the seventies',
});
const doubtful = takeEvent('outro', 'in_doubt', { status: 502, code: 'html', money: 'unknown' });

function hadProblems(): RunOutcome {
  const stored = Array.from({ length: 13 }, (_, index) =>
    takeEvent(`track-${index + 1}`, 'stored', { path: `out/track-${index + 1}.flac`, bytes: 1000 }),
  );
  return outcomeOf(
    versionEvent(),
    planEvent(),
    ...stored,
    policy,
    takeEvent('finale', 'failed', { code: 'INFERENCE', message: 'worker died', money: 'charged' }),
    doubtful,
    summaryEvent({
      done: 13,
      made: 13,
      failed: 2,
      in_doubt: 1,
      exit_code: 8,
      next_command: 'venice-batch resolve album.yaml',
    }),
  );
}

it('a take that still waits when the run is stopped counts as not bought', () => {
  const waiting = takeEvent('bridge', 'waiting', { status: 429, code: 'http-429', money: 'not charged' });
  const outcome = outcomeOf(waiting, summaryEvent({ not_bought: 1, exit_code: 130 }));
  expect(outcome).toMatchObject({ takes: [], failures: [] });
  const junit = renderJunit(outcome, [{ key: 'bridge', model: 'stable-audio-25' }]);
  expect(junit).toContain('<skipped message="not bought: ended with exit code 130"/>');
  expect(junit).toContain('failures="0"');
});

describe('the last screen', () => {
  it('of a successful run shows cost and files and no next command', () => {
    const outcome = outcomeOf(
      versionEvent(),
      takeEvent('opening', 'stored', { path: 'out/opening.flac' }),
      takeEvent('opening', 'done'),
      summaryEvent({
        total: 1,
        done: 1,
        made: 1,
        spent_micro_usd: 690_000,
        spent_total_micro_usd: 690_000,
        approved_micro_usd: 690_000,
      }),
    );
    expect(renderSummary(outcome, SCREEN)).toBe(
      [
        '✔ 1 of 1 done',
        '  1 downloaded now · 4 min 12 s',
        '  $0.69 spent of $0.69 approved; $0.69 in total of a budget of $30.00',
        '',
        'Files',
        '  out/opening.flac',
        '',
      ].join('\n'),
    );
  });

  it('lists files with usable paths in the order of the manifest', () => {
    const recorder = createRecorder();
    for (const key of ['removed', 'b', 'a'])
      recorder.event(takeEvent(key, 'stored', { path: `out/${key}.flac` }));
    recorder.event(summaryEvent());
    const text = renderSummary(recorder.outcome(['a', 'b']), {
      ...SCREEN,
      placeOf: (path) => `album.sandbox/${path}`,
    });
    expect(text.split('\n').slice(-5)).toEqual([
      'Files',
      '  album.sandbox/out/a.flac',
      '  album.sandbox/out/b.flac',
      '  album.sandbox/out/removed.flac',
      '',
    ]);
  });

  const moneyOf = (...events: RunEvent[]) => renderSummary(outcomeOf(...events), SCREEN).split('\n')[2];

  it('shows refunds, and no approval if nothing was to be bought', () => {
    const refunded = takeEvent('a', 'failed', { money: 'refunded' });
    const spent = { spent_micro_usd: 1_380_000, approved_micro_usd: 1_380_000, budget_micro_usd: null };
    expect(moneyOf(refunded, summaryEvent({ ...spent, spent_total_micro_usd: 690_000 }))).toBe(
      '  $1.38 spent of $1.38 approved, $0.69 refunded; $0.69 in total',
    );
    const idle = { spent_micro_usd: 0, approved_micro_usd: 0, spent_total_micro_usd: 690_000 };
    expect(moneyOf({ ...refunded, earlier: true }, summaryEvent(idle))).toBe(
      '  $0.69 spent in total of a budget of $30.00',
    );
  });

  it('shows each failure with reason, cost and fix, what is in doubt, and the next command last', () => {
    const lines = renderSummary(hadProblems(), { ...SCREEN, width: 120 }).split('\n');
    expect(lines[0]).toBe('✖ 13 of 40 done');
    expect(lines).toContain('  13 downloaded now · 1 in doubt · 2 failed · 4 min 12 s');
    expect(lines).toContain('  … 3 more');
    expect(lines).toContain('  ✖ bridge');
    expect(lines.join(' ').replace(/ +/g, ' ')).toContain(
      'rejected, 422 CONTENT_POLICY: The prompt names a living artist, which the policy of this service does not allow. (not charged)',
    );
    expect(lines).toContain('    failed, INFERENCE: worker died (charged $0.69)');
    expect(lines).toContain('    To buy it again, run with `--force finale#1`.');
    expect(lines).toContain('  ? outro');
    expect(lines).toContain('    in doubt, 502 html (may have been charged $0.69)');
    expect(lines.slice(-3)).toEqual(['Next', '  venice-batch resolve album.yaml', '']);
  });

  it.each([40, 80, 120])('fits %i columns, even in colour', async (width) => {
    const screen = await screenOf(renderSummary(hadProblems(), { ...SCREEN, color: true, width }), width, 60);
    expect(screen.wrappedRows).toBe(0);
    expect(screen.lines.map((line) => line.trim())).toContain('Failed');
  });

  it.each<[string, string, Partial<SummaryEvent>]>([
    ['collect found nothing', '✔ nothing in flight: 0 of 3 done', { not_bought: 3 }],
    ['collect', '✔ nothing left in flight: 1 of 3 done', { done: 1, made: 1, not_bought: 2 }],
    ['--only', '✔ 1 of 3 done, 2 left out', { done: 1, made: 1, left_out: 2 }],
    ['a plan that was used', '✖ nothing bought: 3 of 3 already done', { done: 3, exit_code: 2 }],
    ['a broken disk', '✖ 3 of 3 done', { done: 3, made: 1, exit_code: 12 }],
    ['a budget that is too low', '✖ 1 of 3 done', { done: 1, not_bought: 2, exit_code: 5 }],
  ])('has a suitable headline: %s', (_, first, fields) => {
    const outcome = outcomeOf(summaryEvent({ total: 3, done: 0, made: 0, ...fields }));
    const text = renderSummary(outcome, SCREEN);
    expect(text.split('\n')[0]).toBe(first);
    expect(renderMarkdown(outcome, { command }).split('\n')[0]).toBe(`## venice-batch: ${first.slice(2)}`);
  });

  it('says why valid takes were not bought, and only then', () => {
    const why = noticeEvent('three answers were lost', { level: 'error', hint: 'to settle it: resolve' });
    const screen = (not_bought: number) => {
      const outcome = outcomeOf(noticeEvent('a pause'), why, summaryEvent({ not_bought, exit_code: 8 }));
      return [renderSummary(outcome, SCREEN), renderMarkdown(outcome, { command })] as const;
    };
    const [text, markdown] = screen(5);
    expect(text).toContain('\n\nNot bought\n  error: three answers were lost (to settle it: resolve)\n');
    expect(markdown).toContain('\nthree answers were lost\n');
    expect(text + markdown).not.toContain('a pause');
    expect(screen(0).join()).not.toContain('three answers');
  });

  it('keeps the next command in one piece at any length', () => {
    const next_command = `venice-batch run ${'very-long-name/'.repeat(10)}album.yaml`;
    const text = renderSummary(outcomeOf(summaryEvent({ next_command, exit_code: 11 })), {
      ...SCREEN,
      width: 40,
    });
    expect(text).toContain(`\n  ${next_command}\n`);
  });

  it('limits what it lists of a long run', () => {
    const events = Array.from({ length: 5000 }, (_, index) => takeEvent(`t${index}`, 'failed'));
    const text = renderSummary(outcomeOf(...events, summaryEvent({ exit_code: 100, failed: 5000 })), SCREEN);
    expect(text.split('\n').length).toBeLessThan(80);
    expect(text).toContain('  … 4980 more\n');
  });

  it('says that it was the sandbox', () => {
    const text = renderSummary(outcomeOf(versionEvent({ sandbox: true }), summaryEvent()), SCREEN);
    expect(text).toMatch(/^✔ 40 of 40 done \(sandbox\)\n/);
  });

  it('contains no control sequences', () => {
    const hostile = outcomeOf(
      takeEvent(HOSTILE, 'failed', { code: HOSTILE, message: HOSTILE }),
      takeEvent('a', 'stored', { path: HOSTILE }),
      summaryEvent(),
    );
    expect(renderSummary(hostile, SCREEN)).not.toMatch(/[\x00-\x09\x0b-\x1f\x7f-\x9f\u202e]/);
  });
});

describe('the record of a run', () => {
  it('keeps the last event of each take, and details of earlier events of the attempt', () => {
    const { takes, files, failures } = outcomeOf(
      takeEvent('a', 'queued', { queue_id: 'q-1' }),
      takeEvent('a', 'stored', { path: 'out/a.flac', bytes: 10 }),
      takeEvent('a', 'done'),
      takeEvent('b', 'failed', { attempt: 'first', queue_id: 'q-2' }),
      takeEvent('b', 'queued', { attempt: 'second', queue_id: 'q-3' }),
    );
    expect(takes).toMatchObject([
      { key: 'a', state: 'done', queue_id: 'q-1', path: 'out/a.flac', bytes: 10 },
      { key: 'b', state: 'queued', attempt: 'second', queue_id: 'q-3' },
    ]);
    expect(files).toEqual([{ path: 'out/a.flac', bytes: 10 }]);
    expect(failures).toEqual([]);
  });
});

describe('--json', () => {
  it('is one document with the head, the end, each take and the diagnostics', () => {
    const document = JSON.parse(
      renderJson(
        outcomeOf(
          versionEvent(),
          { type: 'diagnostic', time: 'now', code: 'voice-not-listed', severity: 'warning', message: 'm' },
          takeEvent('a', 'stored', { path: 'out/a.flac' }),
          takeEvent('a', 'done'),
          summaryEvent(),
        ),
        '/music/album.sandbox',
      ),
    );
    expect(document).toMatchObject({
      output_root: '/music/album.sandbox',
      version: { type: 'version', schema: 1 },
      summary: { type: 'summary', exit_code: 0 },
      takes: [{ key: 'a', state: 'done', path: 'out/a.flac' }],
      diagnostics: [{ code: 'voice-not-listed', severity: 'warning', message: 'm' }],
    });
    expect(Object.keys(document.takes[0]).slice(0, 4)).toEqual(['key', 'track', 'take', 'state']);
  });
});

describe('--events ndjson', () => {
  it('has one line for each unchanged event, in order', () => {
    const terminal = recordingTerminal({ isTty: false });
    const reporter = createNdjson(terminal);
    const events = [versionEvent(), takeEvent('a', 'queued'), summaryEvent()];
    for (const event of events) reporter.event(event);
    const lines = terminal.text().split('\n');
    expect(lines.pop()).toBe('');
    expect(lines).toEqual(events.map((event) => JSON.stringify(event)));
  });

  it('escapes control characters without changing the meaning', () => {
    const terminal = recordingTerminal({ isTty: false });
    const event = takeEvent(HOSTILE, 'failed', { message: `${HOSTILE}\u2028\ufeff\u200b` });
    createNdjson(terminal).event(event);
    expect(terminal.text()).toMatch(/^[^\x00-\x09\x0b-\x1f\x7f-\x9f\u200b\u202e\u2028\ufeff]*\n$/);
    expect(JSON.parse(terminal.text())).toEqual(event);
  });
});

describe('the reason for a take that is not made', () => {
  const reason = (state: TakeEvent['state'], fields: Partial<TakeEvent>) =>
    failureReason(takeEvent('a', state, fields));

  it('reports the cost of a failure as the event does', () => {
    expect(reason('failed', { money: 'charged' })).toBe('failed (charged $0.69)');
    expect(reason('failed', { money: 'refunded' })).toBe('failed (refunded $0.69)');
    expect(reason('failed', { money: 'refunded (as documented)' })).toBe(
      'failed (refunded $0.69 as documented)',
    );
  });

  it('is what the user said, without mentioning the service', () => {
    const reported = takeEvent('a', 'lost', { code: 'resolved_refunded', money: 'refunded' });
    expect(failureReason(reported)).toBe('resolved as refunded');
    expect(adviceFor(reported, command)).not.toContain('service');
    expect(adviceFor(takeEvent('a', 'lost', { code: 'not_found' }), command)).toContain(
      'no longer has the audio',
    );
  });
});

describe('the advice for a take that is not made', () => {
  it('names the machine that has the file, and never offers to buy it again', () => {
    const advice = adviceFor(takeEvent('a', 'missing', { code: 'no-file-here', machine: 'studio' }), command);
    expect(advice).toContain('It is on studio: copy it from there');
    expect(advice).toContain('--allow-single-copy');
    expect(advice).not.toContain('--retry-failed');
  });

  it.each(['empty', 'too_long'])('never offers to accept a download that was not kept: %s', (code) => {
    expect(adviceFor(takeEvent('a', 'unverified', { code }), command)).not.toContain('accept');
    expect(adviceFor(takeEvent('a', 'unverified', { code: 'not_audio' }), command)).toContain('accept');
  });

  it.each(['stopped', 'price-stale', 'ECONNREFUSED'])(
    'does not blame the manifest for a request that was never sent: %s',
    (code) => {
      expect(adviceFor(takeEvent('a', 'rejected', { code }), command)).toBe(
        'It was not sent. Run the same command again.',
      );
      expect(adviceFor(takeEvent('a', 'rejected', { status: 400, code }), command)).toContain('manifest');
    },
  );

  it('says how to see the reason of a refusal again where it is no longer known', () => {
    const refused = { status: 400, code: 'http-400', track: 'a', take: 1 };
    const later = adviceFor(takeEvent('a', 'rejected', refused), command);
    expect(later).toContain(command('run', '--retry-failed', '--only', 'a#1'));
    const now = adviceFor(takeEvent('a', 'rejected', { ...refused, message: 'no lyrics' }), command);
    expect(now).toBe('Correct the track in the manifest, then run again.');
  });

  it.each(['charged', 'refunded', 'refunded (as documented)'] as const)(
    'names the flag that buys it again: %s',
    (money) => {
      const advice = adviceFor(takeEvent('a', 'failed', { status: 500, code: 'http-500', money }), command);
      expect(advice).toContain('To buy it again, run with `--force a#1`.');
    },
  );

  it('distinguishes an offline model from a busy one', () => {
    const refused = (code: string) => adviceFor(takeEvent('a', 'rejected', { status: 503, code }), command);
    expect(refused('MODEL_OFFLINE')).toMatch(/offline.*venice-batch models/);
    expect(refused('MODEL_OFFLINE')).toContain(command('models'));
    expect(refused('MODEL_OFFLINE')).not.toMatch(/busy/);
    expect(refused('MODEL_AT_CAPACITY')).toMatch(/busy/);
  });
});

describe('the Markdown summary', () => {
  it('has the counts, the cost, the next command, failures, doubts and every track', () => {
    const text = renderMarkdown(hadProblems(), { command });
    const lines = text.split('\n');
    expect(lines[0]).toBe('## venice-batch: 13 of 40 done');
    expect(text).toContain('```sh\nvenice-batch resolve album.yaml\n```');
    expect(lines.filter((line) => line.startsWith('### '))).toEqual([
      '### Failed',
      '### In doubt',
      '### Tracks',
    ]);
    expect(lines).toContain('| track-13 | stored | elevenlabs-music | $0.69 | out/track-13.flac |');
    expect(lines.find((line) => line.startsWith('| finale | failed,'))).toBe(
      '| finale | failed, INFERENCE: worker died (charged \\$0.69) | To buy it again, run with `--force finale#1`. |',
    );
  });

  it('stays below its limit and says what it omits', () => {
    const events = Array.from({ length: 5000 }, (_, index) =>
      takeEvent(`音${index}`, 'failed', { message: '音'.repeat(250) }),
    );
    const outcome = outcomeOf(...events, summaryEvent({ failed: 5000 }));
    for (const bytesMax of [2000, 100_000, undefined]) {
      const text = renderMarkdown(outcome, bytesMax === undefined ? { command } : { command, bytesMax });
      const bound = bytesMax ?? 1024 * 1024;
      expect(Buffer.byteLength(text)).toBeLessThanOrEqual(bound);
      expect(Buffer.byteLength(text)).toBeGreaterThan(bound * 0.5);
      expect(text).toMatch(/… \d+ more\n/);
    }
  });

  it('escapes text that could become markup or leave its cell', () => {
    const evil = '| <img src=x> **b** [l](u) `c` \n# h ~~s~~ $m$ &lt;';
    const failed = takeEvent('x', 'failed', { message: evil });
    const advice = adviceFor(failed, command);
    const whole = renderMarkdown(outcomeOf(failed, summaryEvent()), { command })
      .split('\n')
      .find((one) => one.startsWith('| x | failed'))!;
    expect(whole.endsWith(` ${advice} |`)).toBe(true);
    const line = whole.replace(advice, '');
    expect(line.replace(/\\[\\`*_[\]<>|~#&$!]/g, '').match(/[`*_[\]<>~#&$]/g)).toBeNull();
    expect(line.match(/(?<!\\)\|/g)).toHaveLength(4);
  });
});

describe('the JUnit report', () => {
  it('has a test case for each take: failed, in doubt, in flight, done', () => {
    const text = renderJunit(
      outcomeOf(takeEvent('a', 'stored'), takeEvent('b', 'queued'), policy, doubtful, summaryEvent()),
    );
    const lines = text.split('\n').map((line) => line.trim());
    expect(lines[1]).toBe(
      '<testsuites name="venice-batch" tests="4" failures="1" errors="1" skipped="1" time="252.000">',
    );
    expect(lines).toContain('<testcase name="a" classname="elevenlabs-music"/>');
    expect(lines).toContain(
      '<testcase name="b" classname="elevenlabs-music"><skipped message="queued"/></testcase>',
    );
    expect(lines.find((line) => line.includes('"bridge"'))).toContain(
      '<failure type="CONTENT_POLICY" message="rejected, 422',
    );
    expect(lines.find((line) => line.includes('"outro"'))).toContain('<error type="html" message="in doubt');
  });

  const notBought = '<skipped message="not bought: over the budget (raise it)"/>';
  const refused: RunEvent = {
    type: 'diagnostic',
    time: 'now',
    code: 'over-budget',
    severity: 'error',
    message: 'over the budget',
    hint: 'raise it',
  };

  it.each([
    ['refused before it bought', refused],
    [
      'stopped early',
      noticeEvent('over the budget', { level: 'error', code: 'over-budget', hint: 'raise it' }),
    ],
  ])('has an error if the run was %s, and names what was not bought', (_, why) => {
    const recorder = createRecorder();
    for (const event of [takeEvent('a', 'done'), why, summaryEvent({ exit_code: 5 })]) recorder.event(event);
    const text = renderJunit(
      recorder.outcome(),
      ['a', 'b'].map((key) => ({ key, model: 'stable-audio-25' })),
    );
    expect(text).toContain('tests="3" failures="0" errors="1" skipped="1"');
    expect(text).toContain(`<testcase name="b" classname="stable-audio-25">${notBought}</testcase>`);
    expect(text).toContain(
      '<testcase name="venice-batch" classname="venice-batch"><error type="over-budget" message="over the budget (raise it)"/>',
    );
  });

  it('has every error of a run that could not begin', () => {
    const recorder = createRecorder();
    for (const message of ['no model', 'no prompt'])
      recorder.event({ type: 'diagnostic', time: '', code: 'missing-field', severity: 'error', message });
    recorder.event(summaryEvent({ exit_code: 3 }));
    const text = renderJunit(recorder.outcome());
    expect(text).toContain('<error type="missing-field" message="no model; no prompt"/>');
  });

  it('has no error of the run if a take has it, or if all went well', () => {
    const failed = renderJunit(outcomeOf(policy, refused, summaryEvent({ exit_code: 100 })), [
      { key: 'bridge', model: 'x' },
    ]);
    expect(failed).toContain('tests="1" failures="1" errors="0" skipped="0"');
    const well = renderJunit(outcomeOf(takeEvent('a', 'done'), summaryEvent()), [{ key: 'a', model: 'x' }]);
    expect(well).toContain('tests="1" failures="0" errors="0" skipped="0"');
    const ended = renderJunit(outcomeOf(summaryEvent({ exit_code: 11 })));
    expect(ended).toContain('<error type="exit" message="ended with exit code 11"/>');
  });

  it('escapes text and omits what XML cannot represent', () => {
    const text = renderJunit(
      outcomeOf(
        takeEvent(`a<b>&"'\x00\x1b\ud800\uffff`, 'failed', { code: ']]>', message: HOSTILE }),
        summaryEvent(),
      ),
    );
    expect(text).toContain('name="a&lt;b&gt;&amp;&quot;&apos;"');
    expect(text).not.toMatch(/[\x00-\x09\x0b-\x1f\ud800\uffff]|]]>/);
  });
});
