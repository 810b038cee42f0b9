import { describe, expect, it } from 'vitest';
import { createLines } from '../../src/report/lines.js';
import {
  HOSTILE,
  isoAt,
  noticeEvent,
  phaseEvent,
  planEvent,
  progressEvent,
  summaryEvent,
  takeEvent,
} from './builders.js';
import { fakeClock, recordingTerminal } from './fakes.js';

function started(options: { groups?: boolean; color?: boolean; placeOf?: (file: string) => string } = {}) {
  const terminal = recordingTerminal({ isTty: false, color: options.color ?? false });
  const clock = fakeClock();
  const { groups = false, placeOf = String } = options;
  const lines = createLines({ terminal, clock, groups, placeOf });
  return { terminal, clock, lines };
}

describe('progress in lines', () => {
  it('has a line for each lasting change of state, and nothing in between', async () => {
    const { terminal, lines } = started();
    lines.event(phaseEvent('check'));
    lines.event(planEvent({ buy: 2, takes: 2 }));
    lines.event(phaseEvent('generate'));
    lines.event(progressEvent({ total: 2 }));
    for (const state of ['submitting', 'queued', 'running', 'downloading'] as const)
      lines.event(takeEvent('opening', state));
    lines.event(takeEvent('opening', 'stored', { path: 'out/01-opening.flac', bytes: 1000 }));
    lines.event(takeEvent('opening', 'done'));
    lines.event(takeEvent('bridge', 'waiting', { status: 429, code: 'rate-limit' }));
    lines.event(takeEvent('bridge', 'submitting'));
    lines.event(takeEvent('bridge', 'waiting', { status: 429, code: 'rate-limit' }));
    lines.event(
      takeEvent('bridge', 'rejected', {
        status: 422,
        code: 'policy',
        message: 'not\nallowed',
        money: 'not charged',
      }),
    );
    lines.event(noticeEvent('the price rose', { hint: 'run again' }));
    lines.event(summaryEvent());
    await lines.end();
    expect(terminal.text()).toBe(
      [
        'Check',
        'Generate',
        '[0/2] queued opening $0.69',
        '[1/2] stored opening out/01-opening.flac $0.69',
        '[1/2] bridge waiting, 429 rate-limit',
        '[1/2] bridge rejected, 422 policy: not allowed (not charged)',
        'warning: the price rose (run again)',
        '',
      ].join('\n'),
    );
  });

  it('omits what the run had already done', async () => {
    const { terminal, lines } = started();
    lines.event(takeEvent('a', 'stored'));
    lines.event(progressEvent({ total: 40, done: 12 }));
    lines.event(takeEvent('b', 'stored'));
    expect(terminal.writes.at(-1)).toMatch(/^\[2\/29\] stored b /);
    await lines.end();
  });

  it('counts no take twice when a run cleans up what an earlier one stored', async () => {
    const { terminal, lines } = started();
    lines.event(progressEvent({ total: 3, done: 2 }));
    lines.event(takeEvent('a', 'done'));
    lines.event(takeEvent('c', 'stored'));
    lines.event(takeEvent('c', 'done'));
    lines.event(takeEvent('b', 'done'));
    expect(terminal.text().match(/^\[\d+\/\d+\] \w+ \w/gm)).toEqual([
      '[0/1] done a',
      '[1/1] stored c',
      '[1/1] done b',
    ]);
    await lines.end();
  });

  it('counts and prices nothing when a run only cleans up what an earlier one stored', async () => {
    const { terminal, lines } = started();
    lines.event(progressEvent({ total: 1, done: 1 }));
    lines.event(takeEvent('a', 'done', { path: 'out/a.wav' }));
    expect(terminal.writes.at(-1)).toBe('done a out/a.wav\n');
    await lines.end();
  });

  it('has a line every 30 seconds if nothing else happens', async () => {
    const { terminal, clock, lines } = started();
    lines.event(phaseEvent('generate'));
    lines.event(
      progressEvent({
        total: 4,
        spent_micro_usd: 690_000,
        remaining_ms_low: 600_000,
        remaining_ms_high: 700_000,
      }),
    );
    lines.event(takeEvent('opening', 'queued'));
    await clock.advance(29_000);
    lines.event(takeEvent('bridge', 'queued'));
    const before = terminal.writes.length;
    await clock.advance(29_000);
    expect(terminal.writes.slice(before)).toEqual([]);
    await clock.advance(62_000);
    expect(terminal.writes.slice(before)).toEqual(
      ['11', '10', '10'].map(
        (left) => `[0/4] still working: 2 in flight, 0 failed, $0.69 of $27.60, about ${left} min left\n`,
      ),
    );
    await lines.end();
    await clock.advance(120_000);
    expect(terminal.writes).toHaveLength(before + 3);
    expect(clock.sleeping).toBe(0);
  });

  it('says what it waits for when it has nothing left to do itself, with no estimate', async () => {
    const { terminal, clock, lines } = started();
    lines.event(phaseEvent('generate'));
    lines.event(
      progressEvent({
        total: 0,
        approved_micro_usd: 0,
        other_runs: { takes: 2, heard_at: isoAt(-40_000), collects_at: isoAt(260_000) },
      }),
    );
    const before = terminal.writes.length;
    await clock.advance(30_000);
    expect(terminal.writes.slice(before)).toEqual([
      'waiting for 2 takes of other runs, silent for 1 min 10 s; collects them in 3 min 50 s unless they respond\n',
    ]);
    await lines.end();
  });

  it('counts what is in flight from an earlier run without a line for each', async () => {
    const { terminal, clock, lines } = started();
    lines.event(phaseEvent('generate'));
    const before = terminal.writes.length;
    const queued_at = '2026-03-01T11:00:00.000Z';
    for (const key of ['opening', 'bridge']) lines.event(takeEvent(key, 'queued', { queued_at }));
    expect(terminal.writes.slice(before)).toEqual([]);
    await clock.advance(30_000);
    expect(terminal.writes.slice(before).join('')).toContain('still working: 2 in flight');
    await lines.end();
  });

  it('reports each long wait for the request limit once, and no short one', async () => {
    const { terminal, clock, lines } = started();
    const before = terminal.writes.length;
    const report = (atMs: number, untilMs: number | null) =>
      lines.event(
        progressEvent({
          total: 4,
          time: isoAt(atMs),
          paused_until: untilMs === null ? null : isoAt(untilMs),
        }),
      );
    report(0, 4_000);
    report(200, null);
    report(400, 38_400);
    await clock.advance(20_000);
    report(20_000, 38_500);
    report(39_000, null);
    await clock.advance(40_000);
    report(60_000, 70_000);
    expect(terminal.writes.slice(before)).toEqual([
      '[0/4] waiting until the service accepts requests again, 38 s\n',
      '[0/4] waiting until the service accepts requests again, 10 s\n',
    ]);
    await lines.end();
  });

  it('quotes file names for pasting', async () => {
    const { terminal, lines } = started({ placeOf: (file) => `../album/${file}` });
    lines.event(takeEvent('opening', 'stored', { path: "out/01 It's late.wav" }));
    expect(terminal.writes.at(-1)).toBe("[1/0] stored opening '../album/out/01 It'\\''s late.wav' $0.69\n");
    await lines.end();
  });

  it('folds phases for GitHub, except for the approval, and closes the last', async () => {
    const { terminal, lines } = started({ groups: true });
    for (const phase of ['check', 'quote', 'approve', 'generate'] as const) lines.event(phaseEvent(phase));
    lines.event(takeEvent('opening', 'queued'));
    await lines.end();
    expect(terminal.text().split('\n')).toEqual([
      '::group::Check',
      '::endgroup::',
      '::group::Quote',
      '::endgroup::',
      'Approve',
      '::group::Generate',
      '[0/0] queued opening $0.69',
      '::endgroup::',
      '',
    ]);
  });

  it('never contains control sequences or workflow commands from texts', async () => {
    const { terminal, lines } = started({ groups: true });
    lines.event(takeEvent(HOSTILE, 'queued'));
    lines.event(takeEvent('a', 'stored', { path: HOSTILE }));
    lines.event(takeEvent('b', 'failed', { message: `${HOSTILE}\n::error::gotcha` }));
    lines.event(noticeEvent(`::error::gotcha\n::error::${HOSTILE}`));
    await lines.end();
    const text = terminal.text();
    expect(text.split('\n')).toHaveLength(5);
    expect(text).not.toMatch(/[\x00-\x09\x0b-\x1f\x7f-\x9f\u202e]/);
    expect(text).not.toMatch(/^::error/m);
  });

  it('uses colour only if it is wanted, line by line', async () => {
    const { terminal, lines } = started({ color: true });
    lines.event(takeEvent('a', 'stored'));
    lines.event(takeEvent('b', 'failed'));
    await lines.end();
    expect(terminal.writes).toEqual([
      expect.stringMatching(/^\x1b\[32m\[1\/0\].*\x1b\[39m\n$/),
      expect.stringMatching(/^\x1b\[31m\[1\/0\].*\x1b\[39m\n$/),
    ]);
  });
});
