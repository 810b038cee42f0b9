import { describe, expect, it } from 'vitest';
import type { RunEvent } from '../../src/core/events.js';
import { createLive } from '../../src/report/live.js';
import { noticeLines } from '../../src/report/phrases.js';
import { screenOf } from '../fakes/screen.js';
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
import { fakeClock, type RecordedTerminal, recordingTerminal } from './fakes.js';

function started(size: { columns?: number; rows?: number; color?: boolean } = {}) {
  const terminal = recordingTerminal(size);
  const clock = fakeClock();
  const live = createLive({ terminal, clock });
  for (const phase of ['check', 'quote'] as const) live.event(phaseEvent(phase));
  live.event(planEvent());
  live.event(phaseEvent('approve'));
  live.event(phaseEvent('generate'));
  return { terminal, clock, live };
}

/** So many takes in flight: the first is queued first. */
function queue(live: ReturnType<typeof createLive>, number: number, expectedMs = 60_000): void {
  for (let index = 0; index < number; index++)
    live.event(
      takeEvent(`track-${index + 1}`, 'queued', { time: isoAt(index * 10), expected_ms: expectedMs }),
    );
}

async function seen(terminal: RecordedTerminal) {
  return screenOf(terminal.text(), terminal.columns, terminal.rows);
}

describe('the live view', () => {
  it('paints nothing until something is generated', async () => {
    const { terminal, clock, live } = started();
    await clock.advance(5000);
    const before = terminal.text();
    expect((await seen(terminal)).lines).toEqual([]);
    await live.end();
    expect(terminal.text()).toBe(before);
  });

  it('counts what this run makes, not what an earlier one stored and this one cleans up', async () => {
    const { terminal, clock, live } = started();
    live.event(progressEvent({ total: 44, done: 35 }));
    for (let number = 1; number <= 35; number++) live.event(takeEvent(`old-${number}`, 'done'));
    for (let number = 1; number <= 7; number++) live.event(takeEvent(`new-${number}`, 'stored'));
    live.event(takeEvent('doubtful', 'in_doubt'));
    live.event(progressEvent({ total: 44, done: 42 }));
    await clock.advance(1000);
    expect((await seen(terminal)).lines[3]).toMatch(/^\S Generate {2}7\/9 · 1 in doubt · /);
    await live.end();
  });

  it('says what it waits for when it has nothing left to do itself', async () => {
    const { terminal, clock, live } = started({ columns: 100 });
    const others = { takes: 1, heard_at: isoAt(-40_000), collects_at: isoAt(260_000) };
    live.event(progressEvent({ total: 0, approved_micro_usd: 0, other_runs: others }));
    await clock.advance(1000);
    expect((await seen(terminal)).lines.slice(3, 5)).toEqual([
      expect.stringMatching(/^\S Generate$/),
      '  waiting for 1 take of other runs, silent for 41 s; collects it in 4 min 19 s unless they respond',
    ]);
    await live.end();
  });

  it('shows its phase, and erases it before an error or the plan', async () => {
    const linesAfter = async (...events: readonly RunEvent[]) => {
      const terminal = recordingTerminal();
      const live = createLive({ terminal, clock: fakeClock() });
      for (const event of [phaseEvent('check'), ...events]) live.event(event);
      const { lines, cursorColumn } = await seen(terminal);
      return [...lines, cursorColumn];
    };
    expect(await linesAfter()).toEqual(['… Check', 7]);
    expect(await linesAfter(noticeEvent('a rescue'))).toEqual(['warning: a rescue', '… Check', 7]);
    expect(await linesAfter(phaseEvent('quote'))).toEqual(['… Quote', 7]);
    expect(await linesAfter(phaseEvent('quote'), planEvent())).toEqual([0]);
    const refused: RunEvent = {
      type: 'diagnostic',
      time: isoAt(0),
      code: 'bad-id',
      severity: 'error',
      message: 'no',
    };
    expect(await linesAfter(refused)).toEqual([0]);
  });

  for (const columns of [80, 120]) {
    it(`shows each of 5 takes with its share of the expected time at ${columns} columns`, async () => {
      const { terminal, clock, live } = started({ columns });
      queue(live, 5);
      live.event(
        progressEvent({ spent_micro_usd: 3_450_000, remaining_ms_low: 90_000, remaining_ms_high: 100_000 }),
      );
      await clock.advance(30_000);
      const { lines, wrappedRows, cursorVisible } = await seen(terminal);
      expect(lines.slice(0, 3)).toEqual(['✔ Check', '✔ Quote', '✔ Approve']);
      expect(lines[3]).toMatch(/^\S Generate {2}0\/40 · 5 active · \$3\.45 of \$27\.60 · about 70 s left$/);
      expect(lines.slice(4, 9).map((line) => line.split(/\s+/)[1])).toEqual([
        'track-1',
        'track-2',
        'track-3',
        'track-4',
        'track-5',
      ]);
      expect(lines[4]).toMatch(/elevenlabs-music +30 s {2}of ~1 min 00 s {2}█{6}░{6} +50%$/);
      expect(lines[9]).toBe('  Clean up');
      expect(lines).toHaveLength(10);
      expect(wrappedRows).toBe(0);
      expect(cursorVisible).toBe(false);
      await live.end();
    });

    it(`shows the longest of 1,000 takes and counts the rest at ${columns} columns`, async () => {
      const { terminal, clock, live } = started({ columns });
      live.event(progressEvent({ total: 1000 }));
      queue(live, 1000);
      await clock.advance(20_000);
      const { lines, wrappedRows } = await seen(terminal);
      const window = lines.slice(4, -1);
      expect(window).toHaveLength(24 - 10);
      expect(window[0]).toContain('track-1 ');
      expect(window[12]).toContain('track-13 ');
      expect(window[13]).toBe('  … 987 more');
      expect(lines[3]).toContain('0/1000 · 1000 active');
      expect(wrappedRows).toBe(0);
      await live.end();
    });
  }

  it('shows the last three of many failures with their reasons', async () => {
    const { terminal, clock, live } = started();
    queue(live, 50);
    for (const number of [10, 11, 12, 13])
      live.event(
        takeEvent(`track-${number}`, 'rejected', {
          status: 422,
          code: 'policy',
          message: 'not allowed',
          money: 'not charged',
        }),
      );
    await clock.advance(1000);
    const { lines } = await seen(terminal);
    expect(lines.slice(4, -1)).toHaveLength(14);
    expect(lines.slice(-4, -1)).toEqual(
      [11, 12, 13].map((number) => `  ✖ track-${number}  rejected, 422 policy: not allowed (not charged)`),
    );
    expect(lines[3]).toContain('46 active · 4 failed');
    await live.end();
  });

  it('counts what is stored and removes it from the list of active takes', async () => {
    const { terminal, clock, live } = started();
    live.event(progressEvent({ total: 3 }));
    queue(live, 3);
    await clock.advance(1000);
    live.event(takeEvent('track-2', 'stored', { path: 'out/track-2.flac' }));
    await clock.advance(1000);
    const { lines } = await seen(terminal);
    expect(lines[3]).toContain('1/3 · 2 active');
    expect(lines.join('\n')).not.toContain('track-2');
    await live.end();
  });

  it('says that a take is past its expected time', async () => {
    const { terminal, clock, live } = started();
    queue(live, 1, 10_000);
    await clock.advance(30_000);
    expect((await seen(terminal)).lines[4]).toMatch(/ █{12} +over$/);
    await live.end();
  });

  it('shows an interrupted run as interrupted, a detached one as in flight, and a complete clean-up as done', async () => {
    const ends = async (fields: Parameters<typeof summaryEvent>[0]) => {
      const { terminal, clock, live } = started();
      queue(live, 1);
      await clock.advance(1000);
      live.event(summaryEvent(fields));
      await live.end();
      return (await seen(terminal)).lines.slice(3).map((line) => line.trim());
    };
    expect(await ends({ exit_code: 130 })).toEqual([
      expect.stringMatching(/^… Generate .* · interrupted$/),
      '… Clean up',
    ]);
    expect(await ends({ exit_code: 11, in_flight: 1 })).toEqual([
      expect.stringMatching(/^… Generate .* · left in flight$/),
      '… Clean up',
    ]);
    expect(await ends({})).toEqual([expect.stringMatching(/^✔ Generate/), '✔ Clean up']);
  });

  it('breaks a long notice between words', async () => {
    const { terminal, clock, live } = started({ columns: 40 });
    const message = 'the service answers slowly, so that requests are made one after the other';
    live.event(noticeEvent(message));
    queue(live, 2);
    live.event(noticeEvent(message));
    await clock.advance(1000);
    const { lines, wrappedRows } = await seen(terminal);
    expect(wrappedRows).toBe(0);
    expect(lines.join(' ').split(message)).toHaveLength(3);
    await live.end();
  });

  it('says how long the whole run waits for the request limit', async () => {
    const { terminal, clock, live } = started();
    live.event(progressEvent({ paused_until: isoAt(21_000) }));
    await clock.advance(1000);
    expect((await seen(terminal)).lines.slice(4)).toEqual([
      '  waiting until the service accepts requests again, 20 s',
      '  Clean up',
    ]);
    live.event(progressEvent({ time: isoAt(1_000), paused_until: isoAt(21_000) }));
    await clock.advance(17_000);
    expect((await seen(terminal)).lines[4]).toBe('  waiting until the service accepts requests again, 3 s');
    await clock.advance(4_000);
    expect((await seen(terminal)).lines.slice(4)).toEqual(['  Clean up']);
    await live.end();
  });

  it('says what waits for a busy service, and why, until it is tried again', async () => {
    const { terminal, clock, live } = started();
    const busy = {
      status: 503,
      code: 'MODEL_AT_CAPACITY',
      message: 'try later',
      money: 'not charged',
    } as const;
    live.event(progressEvent({ total: 3 }));
    queue(live, 1);
    for (const key of ['a', 'b']) live.event(takeEvent(key, 'waiting', busy));
    await clock.advance(200);
    const { lines } = await seen(terminal);
    expect(lines[3]).toContain('0/3 · 1 active · 2 waiting · ');
    expect(lines[4]).toBe('  b  waiting, 503 MODEL_AT_CAPACITY: try later (not charged)');
    for (const key of ['a', 'b']) live.event(takeEvent(key, 'queued'));
    await clock.advance(200);
    expect((await seen(terminal)).lines.join('\n')).not.toContain('waiting');
    await live.end();
  });

  it('does not show a short wait', async () => {
    const { terminal, clock, live } = started();
    live.event(progressEvent({ paused_until: isoAt(4_500) }));
    await clock.advance(1000);
    expect((await seen(terminal)).lines.slice(4)).toEqual(['  Clean up']);
    await live.end();
  });

  it('keeps time left and failures visible if the line is too short for everything', async () => {
    const { terminal, clock, live } = started({ columns: 60 });
    live.event(progressEvent({ total: 1000, remaining_ms_low: 5_500_000, remaining_ms_high: 9_000_000 }));
    queue(live, 20);
    live.event(takeEvent('broken', 'failed'));
    await clock.advance(200);
    expect((await seen(terminal)).lines[3]).toMatch(
      /^\S Generate {2}0\/1000 · 1 failed · 1\.5 to 2\.5 h left$/,
    );
    await live.end();
  });

  it('shows no time left when all is done', async () => {
    const { terminal, clock, live } = started();
    live.event(progressEvent({ total: 1, remaining_ms_low: 5_000, remaining_ms_high: 8_000 }));
    live.event(takeEvent('opening', 'stored'));
    await clock.advance(200);
    live.event(summaryEvent());
    await live.end();
    expect((await seen(terminal)).lines[3]).toBe('✔ Generate  1/1 · $0.00 of $27.60');
  });

  it('ends with the result, without the list, with the cursor visible at the start of a line', async () => {
    const { terminal, clock, live } = started();
    live.event(progressEvent({ total: 5, spent_micro_usd: 3_450_000 }));
    queue(live, 5);
    await clock.advance(2000);
    for (const number of [1, 2, 3, 4, 5]) live.event(takeEvent(`track-${number}`, 'stored'));
    live.event(phaseEvent('clean_up'));
    await clock.advance(1000);
    expect((await seen(terminal)).lines.slice(3)).toEqual([
      '✔ Generate  5/5 · $3.45 of $27.60',
      expect.stringMatching(/^\S Clean up$/),
    ]);
    live.event(summaryEvent());
    await live.end();
    const { lines, cursorVisible, cursorColumn } = await seen(terminal);
    expect(lines).toEqual([
      '✔ Check',
      '✔ Quote',
      '✔ Approve',
      '✔ Generate  5/5 · $3.45 of $27.60',
      '✔ Clean up',
    ]);
    expect({ cursorVisible, cursorColumn }).toEqual({ cursorVisible: true, cursorColumn: 0 });
  });

  it('does not tick off an approval that was refused, and counts a take that ends as it was before', async () => {
    const { terminal, clock, live } = started();
    const refused = { code: 'not-approved', severity: 'error', message: 'not approved' } as const;
    live.event({ type: 'diagnostic', time: isoAt(0), ...refused });
    live.event(takeEvent('track-1', 'downloading'));
    await clock.advance(1000);
    live.event(takeEvent('track-1', 'unverified', { earlier: true }));
    live.event(takeEvent('track-2', 'failed', { earlier: true }));
    live.event(summaryEvent());
    await live.end();
    expect((await seen(terminal)).lines.slice(2, 4)).toEqual([
      '… Approve  not approved',
      expect.stringMatching(/^✖ Generate {2}0\/\d+ · 1 failed/),
    ]);
  });

  it('marks the phase as failed if a take failed, and still shows the clean-up', async () => {
    const { terminal, clock, live } = started();
    queue(live, 2);
    await clock.advance(1000);
    live.event(takeEvent('track-1', 'failed', { code: 'FAILED' }));
    live.event(takeEvent('track-2', 'stored'));
    live.event(phaseEvent('clean_up'));
    live.event(summaryEvent({ exit_code: 100, failed: 1 }));
    await live.end();
    const { lines } = await seen(terminal);
    expect(lines.slice(3)).toEqual(['✖ Generate  1/40 · 1 failed', '✔ Clean up']);
  });

  it('shows the cursor before `end` returns, for a process that exits at once', async () => {
    const { terminal, clock, live } = started();
    queue(live, 5);
    await clock.advance(1000);
    const ended = live.end();
    expect((await seen(terminal)).cursorVisible).toBe(true);
    await ended;
  });

  it('can be ended twice, and stops its timer', async () => {
    const { terminal, clock, live } = started();
    queue(live, 5);
    await clock.advance(1000);
    await live.end();
    const once = terminal.text();
    await live.end();
    await clock.advance(60_000);
    expect(terminal.text()).toBe(once);
    expect(clock.sleeping).toBe(0);
  });

  it('does not listen to signals', async () => {
    const before = process.listenerCount('SIGINT');
    const { clock, live } = started();
    queue(live, 5);
    await clock.advance(1000);
    expect(process.listenerCount('SIGINT')).toBe(before);
    await live.end();
  });

  it('repaints at most five times a second with 1,000 changing takes', async () => {
    const { terminal, clock, live } = started();
    live.event(progressEvent({ total: 1000 }));
    queue(live, 1000);
    await clock.advance(0);
    const before = terminal.writes.length;
    for (let step = 0; step < 200; step++) {
      for (let number = 0; number < 5; number++)
        live.event(takeEvent(`track-${step * 5 + number + 1}`, 'stored'));
      await clock.advance(50);
    }
    const repaints = terminal.writes.length - before;
    expect(repaints).toBeGreaterThan(20);
    expect(repaints).toBeLessThanOrEqual(50);
    await live.end();
  });

  it('writes little when little changes: the lines that differ, not the block', async () => {
    const { terminal, clock, live } = started();
    queue(live, 1000, 600_000);
    await clock.advance(2000);
    const before = terminal.text().length;
    await clock.advance(200);
    expect(terminal.text().length - before).toBeLessThan(200);
    await live.end();
  });

  it('prints notices above the block, complete and once', async () => {
    const { terminal, clock, live } = started();
    queue(live, 5);
    await clock.advance(1000);
    live.event(noticeEvent('the price rose', { hint: 'run again' }));
    await clock.advance(1000);
    const { lines } = await seen(terminal);
    expect(lines.slice(0, 5)).toEqual([
      'warning: the price rose (run again)',
      '✔ Check',
      '✔ Quote',
      '✔ Approve',
      expect.stringContaining('Generate'),
    ]);
    expect(lines.filter((line) => line.includes('Generate'))).toHaveLength(1);
    await live.end();
  });

  it('contains no control sequences from texts', async () => {
    const calm = started();
    const steered = started();
    const texts = [
      [calm, 'harmless', 'harmless'],
      [steered, HOSTILE, HOSTILE],
    ] as const;
    const screens = [];
    for (const [{ terminal, clock, live }, key, message] of texts) {
      queue(live, 3);
      live.event(takeEvent(key, 'queued', { model: key }));
      live.event(takeEvent('broken', 'failed', { message, code: key }));
      live.event(noticeEvent(message));
      await clock.advance(1000);
      screens.push(await seen(terminal));
      await live.end();
    }
    const [calmScreen, steeredScreen] = screens;
    const notice = noticeEvent(HOSTILE) as Extract<RunEvent, { type: 'notice' }>;
    const more = noticeLines(notice, 79).length - 1;
    expect(steeredScreen!.wrappedRows).toBe(0);
    expect(steeredScreen!.lines.length - more).toBe(calmScreen!.lines.length);
    expect(steeredScreen!.lines.slice(more + 1, more + 4)).toEqual(calmScreen!.lines.slice(1, 4));
    expect(steered.terminal.text()).not.toMatch(/[\x07\u202e\x9b]|\x1b\[2J|\x1b\[3A/);
    expect(steeredScreen!.lines.join('\n')).toContain('evil\\u{1b}[2J');
  });

  it('fits any size, even with wide characters', async () => {
    for (const [columns, rows] of [
      [40, 24],
      [20, 12],
      [10, 5],
      [200, 60],
    ] as const) {
      const { terminal, clock, live } = started({ columns, rows });
      for (let index = 0; index < 60; index++)
        live.event(takeEvent(`夜想曲第${index}番`, 'queued', { time: isoAt(index), expected_ms: 90_000 }));
      live.event(takeEvent('終曲', 'failed', { message: '音'.repeat(200) }));
      await clock.advance(30_000);
      const { lines, wrappedRows } = await seen(terminal);
      expect(wrappedRows, `${columns} columns`).toBe(0);
      expect(
        lines.filter((line) => line.includes('Gene')),
        `${columns} columns`,
      ).toHaveLength(1);
      await live.end();
    }
  });

  it('keeps one block when the terminal is resized', async () => {
    const { terminal, clock, live } = started({ columns: 120 });
    queue(live, 5);
    await clock.advance(1000);
    terminal.resize(60, 20);
    const before = terminal.writes.length;
    await clock.advance(1000);
    const after = terminal.writes.slice(before).join('');
    const { lines } = await screenOf(after, 60, 20);
    expect(lines.filter((line) => line.includes('Generate'))).toHaveLength(1);
    expect(lines.every((line) => line.length < 60)).toBe(true);
    await live.end();
  });
});
