import path from 'node:path';
import { versionEvent } from '../app/emit.js';
import type { ExitCode } from '../core/errors.js';
import type { RunEvent } from '../core/events.js';
import { createRedactor } from '../core/redact.js';
import { shownBaseUrl } from '../node/base-url.js';
import { createClock } from '../node/clock.js';
import { systemFiles } from '../node/files.js';
import { programVersion } from '../node/version.js';
import { asBatchError, reportError } from '../report/error.js';
import { renderJunit } from '../report/junit.js';
import { createNdjson } from '../report/ndjson.js';
import { createRecorder, type Recorder, type RunOutcome } from '../report/outcome.js';
import { fanOut, type Reporter } from '../report/reporter.js';
import { renderJson } from '../report/run-json.js';
import type { Terminal } from '../report/terminal.js';
import { DEFAULT_BASE_URL } from '../session/batch-place.js';
import { nextCommandLine } from '../session/next-command-line.js';
import { writeReport } from '../session/reports.js';
import { secretsAround } from '../session/secrets.js';
import { processTerminals } from '../session/terminals.js';
import { type LooseFlags, looseFlags } from './flags.js';
import { diagnosticOf, endedEarly, redactError } from './refusal.js';

/** Where a failed command reports its error, besides stderr. */
export interface FailureReport {
  readonly stdout: Terminal;
  readonly stderr: Terminal;
  redact(text: string): string;
  /** The command that shows what is recorded, if the manifest is known. */
  readonly status: string | undefined;
  /** Whether `--json` is requested; paths in it are relative to `outputRoot`. */
  readonly json: boolean;
  readonly outputRoot: string;
  /** Holds all events so far. It is one of the receivers of `reporter`. */
  readonly recorder: Recorder;
  readonly reporter: Reporter;
  /** The event that must come first, if there was none yet. */
  first?(): RunEvent;
  readonly nowMs: number;
  /** From the lockfile; `null` if it could not be read. */
  readonly spentTotalMicroUsd: number | null;
  writeFiles(outcome: RunOutcome, code: string): Promise<void>;
}

/**
 * How every command that throws ends: with the last events, the `--json` document, an error on stderr, and the reports.
 */
export async function reportFailure(error: unknown, to: FailureReport): Promise<ExitCode> {
  const failure = redactError(asBatchError(error, to.status), to.redact);
  if (to.first !== undefined && to.recorder.outcome().version === undefined) to.reporter.event(to.first());
  const last = endedEarly([diagnosticOf(failure)], failure.exitCode, to.nowMs, to.spentTotalMicroUsd);
  for (const event of last) to.reporter.event(event);
  await to.reporter.end();
  if (to.json) to.stdout.write(renderJson(to.recorder.outcome(), to.outputRoot));
  reportError(failure, to.stderr);
  await to.writeFiles(to.recorder.outcome(), failure.code);
  return failure.exitCode;
}

/** Reports an error of a command that had no session yet or wrote nothing itself. */
export async function failedCommand(error: unknown, argv: readonly string[]): Promise<ExitCode> {
  const { flags, words } = looseFlags(argv);
  const manifest = words.find((word) => /^[^-].*\.ya?ml$/i.test(word));
  const redact = createRedactor(
    await secretsAround(
      { env: process.env, files: systemFiles },
      flags.envFile && path.resolve(flags.envFile),
    ),
  );
  const when = flags.color === 'always' || flags.color === 'never' ? flags.color : 'auto';
  const { stdout, stderr } = processTerminals(when, process.env, redact);
  const recorder = createRecorder();
  const nowMs = createClock().nowMs();
  // With both flags, neither can be read: stdout can carry only one.
  const events = flags.events === 'ndjson' && flags.json !== true;
  return reportFailure(error, {
    stdout,
    stderr,
    redact,
    status: manifest === undefined ? undefined : nextCommandLine('status', { manifest, flags }),
    json: flags.json === true && flags.events !== 'ndjson',
    outputRoot: manifest === undefined ? process.cwd() : path.dirname(path.resolve(manifest)),
    recorder,
    reporter: events ? fanOut([recorder, createNdjson(stdout)]) : recorder,
    ...(events ? { first: () => firstEvent(flags, nowMs) } : {}),
    nowMs,
    spentTotalMicroUsd: null,
    async writeFiles(outcome, code) {
      if (flags.junit === undefined || code === 'output-file') return;
      await writeReport({ redact, stderr, files: systemFiles }, flags.junit, renderJunit(outcome), 'junit');
    },
  });
}

function firstEvent({ sandbox = false, baseUrl }: LooseFlags, nowMs: number): RunEvent {
  const asked = baseUrl ?? process.env.VENICE_BASE_URL ?? DEFAULT_BASE_URL;
  const endpoint = sandbox ? 'sandbox:' : shownBaseUrl(asked);
  return versionEvent({ version: programVersion(), endpoint, sandbox }, nowMs);
}
