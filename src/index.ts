/**
 * The steps of `venice-batch` as a library: load, plan, run. The same code as the command line, without its
 * terminal: nothing is printed, no signal is caught, no exit code is set.
 *
 * @module
 */

import { runBatch } from './app/run-batch.js';
import type { RunReport } from './app/summarise.js';
import { batchSettings } from './commands/batch-settings.js';
import { type Planned, planBatch } from './commands/plan-batch.js';
import { openSession, type Session } from './commands/session.js';
import type { Flags } from './commands/settings.js';
import type { RunEvent } from './core/events.js';
import { redactIn } from './core/redact.js';
import type { LoadedManifest } from './manifest/take.js';
import type { Plan } from './plan/plan.js';
import type { Balance } from './venice/client.js';

export type { Prepared } from './app/price.js';
export type { RunReport } from './app/summarise.js';
export type { Planned } from './commands/plan-batch.js';
export type { AudioRequest } from './core/audio-request.js';
export type { Diagnostic, Span } from './core/diagnostic.js';
export { BatchError, EXIT, type ExitCode } from './core/errors.js';
export type { ProgressEvent, RunEvent, SummaryEvent, TakeEvent } from './core/events.js';
export type { Attempt, AttemptState, StoredFile } from './lockfile/attempt.js';
export type { LoadedManifest, Manifest, Take } from './manifest/take.js';
export type { BuyReason, Decision, Plan, PlanRow, Purchase, QuotedPrice } from './plan/plan.js';
export type { Balance } from './venice/client.js';

/** Where to find things. What is left out is as on the command line. */
export interface BatchOptions {
  /** Path of the manifest. */
  readonly manifest: string;
  /** Default: `VENICE_API_KEY` of the environment. */
  readonly apiKey?: string;
  /** Default: `VENICE_BASE_URL`, or the Venice API. */
  readonly baseUrl?: string;
  /** Use the built-in simulator: no key, no network, no money. */
  readonly sandbox?: boolean;
  /** Default: beside the manifest. */
  readonly lockfile?: string;
  /** Output root. Default: the manifest's folder. */
  readonly outDir?: string;
  /** Ceiling over the lockfile's whole life, US dollars. The manifest's own wins where it is lower. */
  readonly budgetUsd?: number;
  /** Jobs in flight at most, 1 to 64. Default: as many as the request budget can keep fed. */
  readonly concurrency?: number;
  /** Ids or patterns of what may be bought; `[]` is nothing. Collecting is never restricted. */
  readonly only?: readonly string[];
  readonly except?: readonly string[];
  /** Made again although done. */
  readonly force?: readonly string[];
  /** Buy again what failed, is lost, was refused, or whose file is missing. */
  readonly retryFailed?: boolean;
}

export interface RunOptions extends BatchOptions {
  /**
   * Asked once, when anything is to be bought, with the priced plan; nothing is bought unless it says `true`.
   * The plan's total is a ceiling on what this run submits. Left out: nothing is bought, what is in flight is collected.
   * Prices far under the declared ones (`quote.suspicious`) need `acceptPrice` as well.
   */
  readonly approve?: (plan: Plan, balance: Balance | undefined) => boolean | Promise<boolean>;
  /** Buy also at prices of 0 or far under what the catalogue declares; see the warnings `price-suspicious` of the plan. */
  readonly acceptPrice?: boolean;
  /** Told everything that happens, in order. Must not throw. */
  readonly onEvent?: (event: RunEvent) => void;
  /** Aborting stops submitting, records the answers under way, and ends the run. */
  readonly signal?: AbortSignal;
  /** Leave the remote media where they are. */
  readonly keep?: boolean;
  readonly failFast?: boolean;
  /** Submit, and leave the collecting to a later run. */
  readonly detach?: boolean;
}

/** Reads and checks a manifest, offline. Bad input is told in `diagnostics`, never thrown. */
export async function load(manifest: string): Promise<LoadedManifest> {
  return (await openSession(manifest, {})).load();
}

/**
 * What a run would do and cost. Spends nothing and writes nothing.
 *
 * @throws BatchError for a lockfile that cannot be used (9) or settings that make no sense (2, 4)
 */
export async function plan(options: BatchOptions): Promise<Planned> {
  return withSession(options, async (session) => redactIn(await planBatch(session), session.redact));
}

/**
 * Collects what is in flight, and buys, makes and downloads what is approved. Resumes by itself. How it ended is
 * in the report; its `exitCode` is that of the command line.
 *
 * @throws BatchError where it cannot begin: locked (7), lockfile unusable (9), settings (2, 4), storage (12)
 */
export async function run(options: RunOptions): Promise<RunReport> {
  return withSession(options, async (session) => {
    const emit = (event: RunEvent) => options.onEvent?.(redactIn(event, session.redact));
    return runBatch(
      {
        ports: session.ports,
        transport: await session.connect(),
        account: session.account,
        redact: session.redact,
        load: session.load,
        emit,
        show: (diagnostics) => {
          for (const diagnostic of diagnostics)
            emit({
              type: 'diagnostic',
              time: new Date(session.ports.clock.nowMs()).toISOString(),
              ...diagnostic,
            });
        },
        approve: async (planned, balance) =>
          (await options.approve?.(planned, balance)) === true ? 'unattended' : 'declined',
        stop: options.signal ?? new AbortController().signal,
      },
      batchSettings(session, 'run'),
    );
  });
}

async function withSession<T>(options: RunOptions, act: (session: Session) => Promise<T>): Promise<T> {
  const env = options.apiKey === undefined ? process.env : { ...process.env, VENICE_API_KEY: options.apiKey };
  const session = await openSession(options.manifest, flagsOf(options), env);
  try {
    return await act(session);
  } finally {
    await session.close();
  }
}

function flagsOf(options: RunOptions): Flags {
  const { baseUrl, sandbox, lockfile, outDir, only, except, force, retryFailed, keep, failFast, detach } =
    options;
  return {
    ...(baseUrl === undefined ? {} : { baseUrl }),
    ...(sandbox === undefined ? {} : { sandbox }),
    ...(lockfile === undefined ? {} : { lockfile }),
    ...(outDir === undefined ? {} : { outDir }),
    ...(only === undefined ? {} : { only }),
    ...(except === undefined ? {} : { except }),
    ...(force === undefined ? {} : { force }),
    ...(retryFailed === undefined ? {} : { retryFailed }),
    ...(options.acceptPrice === undefined ? {} : { acceptPrice: options.acceptPrice }),
    ...(keep === undefined ? {} : { keep }),
    ...(failFast === undefined ? {} : { failFast }),
    ...(detach === undefined ? {} : { detach }),
    ...(options.budgetUsd === undefined ? {} : { budget: String(options.budgetUsd) }),
    ...(options.concurrency === undefined ? {} : { concurrency: String(options.concurrency) }),
  };
}
