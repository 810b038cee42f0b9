import type { Code } from './codes.js';
import type { Diagnostic } from './diagnostic.js';
import type { Money } from './money.js';

/**
 * The events of a run: the only way from the run to a reporter, and also the lines of `--events ndjson`
 * (`schemas/events.schema.json`). Fields keep this order. Readers must ignore unknown fields.
 */
export type RunEvent =
  | {
      readonly type: 'version';
      readonly time: string;
      readonly schema: 1;
      readonly program: 'venice-batch';
      readonly version: string;
      readonly endpoint: string;
      readonly sandbox: boolean;
    }
  | { readonly type: 'phase'; readonly time: string; readonly phase: Phase }
  | {
      readonly type: 'plan';
      readonly time: string;
      readonly takes: number;
      readonly done: number;
      readonly collect: number;
      readonly buy: number;
      readonly in_doubt: number;
      readonly held: number;
      readonly total_micro_usd: number;
      readonly spent_before_micro_usd: number;
      readonly budget_micro_usd: number | null;
    }
  | ({ readonly type: 'diagnostic'; readonly time: string } & Diagnostic)
  | TakeEvent
  | QcEvent
  | {
      readonly type: 'notice';
      readonly time: string;
      readonly level: 'info' | 'warning' | 'error';
      readonly code: Code;
      readonly message: string;
      readonly hint?: string | undefined;
    }
  | ProgressEvent
  | SummaryEvent;

export type Phase = 'check' | 'quote' | 'approve' | 'generate' | 'clean_up';

/** A take changed its state. */
export interface TakeEvent {
  readonly type: 'take';
  readonly time: string;
  /** Name of the take: `opening`, `opening#2`. */
  readonly key: string;
  readonly track: string;
  readonly take: number;
  readonly state:
    | 'submitting'
    | 'queued'
    /** Sent once per job, when its expected run time is first known. */
    | 'running'
    | 'downloading'
    | 'stored'
    | 'done'
    | 'rejected'
    | 'waiting'
    | 'in_doubt'
    | 'failed'
    | 'lost'
    | 'unverified'
    | 'missing'
    /** Done, but its file is not here: the manifest says that it is kept somewhere else, or another machine has it. */
    | 'elsewhere';
  readonly attempt: string;
  readonly model: string;
  readonly price_micro_usd: number;
  readonly queue_id?: string;
  /** When it was submitted; with `queued` if that was in an earlier run. */
  readonly queued_at?: string;
  /** Expected total run time in ms; with `queued` or `running`, if known. */
  readonly expected_ms?: number;
  /** Relative to the output root (the folder of the manifest, of the sandbox, or of `--out-dir`), separated by `/`. */
  readonly path?: string;
  readonly bytes?: number;
  readonly status?: number;
  /** Stable. */
  readonly code?: string;
  /** The API's own wording: untrusted, escape it. */
  readonly message?: string;
  /** With `elsewhere` and `missing`: name of the machine that has the file. Untrusted, escape it. */
  readonly machine?: string;
  /** What happened to the price. */
  readonly money?: Money;
  readonly suggested_prompt?: string;
  /** Set if the take reached this state in an earlier run; included for completeness. */
  readonly earlier?: true;
}

/** The sound of a take's file. Sent near the end of a run, once for each take whose file could be measured. */
export interface QcEvent {
  readonly type: 'qc';
  readonly time: string;
  readonly key: string;
  readonly track: string;
  readonly take: number;
  readonly attempt: string;
  /** Relative to the output root. */
  readonly path: string;
  readonly duration_seconds: number;
  /** EBU R128 integrated loudness; `null` if shorter than 400 ms or silent. */
  readonly loudness_lufs: number | null;
  /** `null`: all samples are 0. */
  readonly true_peak_dbtp: number | null;
  /** Findings worth a listen. Codes are stable. */
  readonly findings: readonly { readonly code: string; readonly message: string }[];
}

export interface ProgressEvent {
  readonly type: 'progress';
  readonly time: string;
  readonly total: number;
  readonly done: number;
  readonly active: number;
  readonly failed: number;
  readonly spent_micro_usd: number;
  readonly approved_micro_usd: number;
  readonly remaining_ms_low: number | null;
  readonly remaining_ms_high: number | null;
  readonly paused_until: string | null;
  /** Present while this run has nothing left to do itself. */
  readonly other_runs?: OtherRunsWaitedFor;
}

/** What a run of a shared log waits for. */
export interface OtherRunsWaitedFor {
  /** Takes that other runs are buying, or bought and have not stored yet. */
  readonly takes: number;
  /** When one of those that bought them last showed that it is alive; `null`: not known, or nothing is bought yet. */
  readonly heard_at: string | null;
  /** When this run collects the takes if the others stay silent. */
  readonly collects_at: string | null;
}

export interface SummaryEvent {
  readonly type: 'summary';
  readonly time: string;
  readonly exit_code: number;
  readonly total: number;
  readonly done: number;
  readonly made: number;
  readonly in_flight: number;
  readonly clean_up_owed: number;
  readonly in_doubt: number;
  readonly failed: number;
  readonly missing: number;
  readonly not_bought: number;
  /** Quoted prices of what this run bought. */
  readonly spent_micro_usd: number;
  /** `null`: the lockfile could not be read. */
  readonly spent_total_micro_usd: number | null;
  readonly approved_micro_usd: number;
  readonly budget_micro_usd: number | null;
  readonly duration_ms: number;
  /** Ready to paste. */
  readonly next_command: string | null;
  /** Files with sound findings; absent if there are none. */
  readonly qc_warnings?: number;
  /** Files that are done but kept elsewhere, as the manifest says; absent if zero. */
  readonly elsewhere?: number;
  /** Takes that `--only`, `--except` or `--only-unpicked` left out; absent if there are none. */
  readonly left_out?: number;
  /** Takes with more than one live purchase; absent if there are none. */
  readonly bought_twice?: readonly BoughtTwiceTake[];
}

/** A take bought more than once for the same request, unintentionally. */
export interface BoughtTwiceTake {
  readonly key: string;
  readonly track: string;
  readonly take: number;
  /** The first purchase comes first. */
  readonly attempts: readonly {
    readonly attempt: string;
    readonly state: string;
    readonly queue_id?: string;
    readonly price_micro_usd: number;
  }[];
  readonly total_micro_usd: number;
  /** Price of all purchases but the first. */
  readonly extra_micro_usd: number;
}
