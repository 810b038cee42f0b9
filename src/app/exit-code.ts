import type { ExitCode } from '../core/errors.js';
import { EXIT } from '../core/errors.js';
import type { StopReason } from '../run/stop-reason.js';

/** The facts that decide the exit code of a finished run. */
export interface EndState {
  readonly signal?: 'SIGINT' | 'SIGTERM' | undefined;
  readonly stopReasons: ReadonlySet<StopReason>;
  /** Why nothing was bought, if that was refused before the run began. */
  readonly refusal?: ExitCode | undefined;
  readonly inDoubt: number;
  /** Queued, or stored with a remote copy to delete. */
  readonly inFlight: number;
  /** Failed, lost, unverified, rejected or missing. */
  readonly notMade: number;
  /** Takes to buy that were not bought; the reason, if any, has its own code. */
  readonly notBought: number;
  /** Whether files have findings and `--qc-fail` is set. */
  readonly qcFailed?: boolean;
}

const EXIT_BY_REASON: Readonly<Record<StopReason, ExitCode | undefined>> = {
  lockfile: EXIT.unavailable,
  lock_lost: EXIT.locked,
  lockfile_displaced: EXIT.lockfile,
  lockfile_grown: undefined,
  log_unavailable: EXIT.unavailable,
  log_refused: EXIT.authentication,
  log_broken: EXIT.lockfile,
  storage: EXIT.unavailable,
  unavailable: EXIT.unavailable,
  responses_lost: EXIT.inDoubt,
  authentication: EXIT.authentication,
  balance: EXIT.balance,
  price_rose: EXIT.budget,
  over_budget: EXIT.budget,
  fail_fast: EXIT.tracks,
  timeout: EXIT.inFlight,
  detached: undefined,
  interrupted: undefined,
};

/** If several apply, the first in this list wins: what the user has to settle before anything else. */
const PRECEDENCE: readonly ExitCode[] = [
  EXIT.lockfile,
  EXIT.locked,
  EXIT.inDoubt,
  EXIT.balance,
  EXIT.budget,
  EXIT.authentication,
  EXIT.invalid,
  EXIT.usage,
  EXIT.changes,
  EXIT.unavailable,
  EXIT.tracks,
  EXIT.inFlight,
];

/** The exit code of `run` and `collect`. Pure. */
export function exitCodeOf(end: EndState): ExitCode {
  if (end.signal !== undefined) return end.signal === 'SIGINT' ? EXIT.sigint : EXIT.sigterm;
  const codes = new Set<ExitCode | undefined>([...end.stopReasons].map((reason) => EXIT_BY_REASON[reason]));
  codes.add(end.refusal);
  if (end.inDoubt > 0) codes.add(EXIT.inDoubt);
  if (end.notMade > 0 || end.qcFailed === true) codes.add(EXIT.tracks);
  if (end.inFlight > 0) codes.add(EXIT.inFlight);
  const found = PRECEDENCE.find((code) => codes.has(code));
  return found ?? (end.notBought > 0 ? EXIT.tracks : EXIT.ok);
}
