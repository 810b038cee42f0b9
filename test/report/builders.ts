import type { RunEvent, SummaryEvent, TakeEvent } from '../../src/core/events.js';
import { START_MS } from './fakes.js';

export function isoAt(offsetMs: number): string {
  return new Date(START_MS + offsetMs).toISOString();
}

export function takeEvent(
  key: string,
  state: TakeEvent['state'],
  fields: Partial<TakeEvent> = {},
): TakeEvent {
  return {
    type: 'take',
    time: isoAt(0),
    key,
    track: key,
    take: 1,
    state,
    attempt: `attempt-of-${key}`,
    model: 'elevenlabs-music',
    price_micro_usd: 690_000,
    ...fields,
  };
}

export function phaseEvent(phase: Extract<RunEvent, { type: 'phase' }>['phase']): RunEvent {
  return { type: 'phase', time: isoAt(0), phase };
}

export function planEvent(fields: Partial<Extract<RunEvent, { type: 'plan' }>> = {}): RunEvent {
  return {
    type: 'plan',
    time: isoAt(0),
    takes: 40,
    done: 0,
    collect: 0,
    buy: 40,
    in_doubt: 0,
    held: 0,
    total_micro_usd: 27_600_000,
    spent_before_micro_usd: 0,
    budget_micro_usd: 30_000_000,
    ...fields,
  };
}

export function progressEvent(fields: Partial<Extract<RunEvent, { type: 'progress' }>> = {}): RunEvent {
  return {
    type: 'progress',
    time: isoAt(0),
    total: 40,
    done: 0,
    active: 0,
    failed: 0,
    spent_micro_usd: 0,
    approved_micro_usd: 27_600_000,
    remaining_ms_low: null,
    remaining_ms_high: null,
    paused_until: null,
    ...fields,
  };
}

export function noticeEvent(
  message: string,
  fields: Partial<Extract<RunEvent, { type: 'notice' }>> = {},
): RunEvent {
  return { type: 'notice', time: isoAt(0), level: 'warning', code: 'retrying', message, ...fields };
}

export function versionEvent(fields: Partial<Extract<RunEvent, { type: 'version' }>> = {}): RunEvent {
  return {
    type: 'version',
    time: isoAt(0),
    schema: 1,
    program: 'venice-batch',
    version: '0.1.0',
    endpoint: 'https://api.venice.ai/api/v1',
    sandbox: false,
    ...fields,
  };
}

export function summaryEvent(fields: Partial<SummaryEvent> = {}): SummaryEvent {
  return {
    type: 'summary',
    time: isoAt(60_000),
    exit_code: 0,
    total: 40,
    done: 40,
    made: 40,
    in_flight: 0,
    clean_up_owed: 0,
    in_doubt: 0,
    failed: 0,
    missing: 0,
    not_bought: 0,
    spent_micro_usd: 27_600_000,
    spent_total_micro_usd: 27_600_000,
    approved_micro_usd: 27_600_000,
    budget_micro_usd: 30_000_000,
    duration_ms: 252_000,
    next_command: null,
    ...fields,
  };
}

/** What a hostile or careless service may put into any text: cursor moves, overwriting, bidi, a title change. */
export const HOSTILE = 'evil\x1b[2J\x1b[3A\rovertype\u202egnp.exe\x9b1A\x07\n\x1b]0;title\x07end';
