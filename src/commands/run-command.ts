import { versionEvent } from '../app/emit.js';
import { type FrozenWorld, frozenBatch } from '../app/frozen-batch.js';
import { runBatch } from '../app/run-batch.js';
import type { BatchSettings } from '../app/world.js';
import type { Diagnostic } from '../core/diagnostic.js';
import { emitNotice } from '../core/emit-notice.js';
import { type ExitCode, usageError } from '../core/errors.js';
import type { RunEvent, SummaryEvent } from '../core/events.js';
import { redactIn } from '../core/redact.js';
import type { Attempt } from '../lockfile/attempt.js';
import { spentMicroUsd } from '../lockfile/attempt.js';
import { readLock } from '../lockfile/read.js';
import type { LoadedManifest, Manifest } from '../manifest/take.js';
import { shownBaseUrl } from '../node/base-url.js';
import { programVersion } from '../node/version.js';
import type { Plan } from '../plan/plan.js';
import { createNdjson } from '../report/ndjson.js';
import { createRecorder, type Recorder, type RunOutcome } from '../report/outcome.js';
import { fanOut, type Reporter } from '../report/reporter.js';
import { renderJson } from '../report/run-json.js';
import { renderSummary } from '../report/summary.js';
import { progressMode } from '../report/terminal.js';
import { batchSettings } from '../session/batch-settings.js';
import { noteElsewhere } from '../session/elsewhere-note.js';
import { isGithub } from '../session/github-places.js';
import { writeReports } from '../session/reports.js';
import { requireManifest } from '../session/require-manifest.js';
import { openSession, type Session } from '../session/session.js';
import type { Flags } from '../session/settings.js';
import { showDiagnostics } from '../session/show-diagnostics.js';
import type { Balance } from '../venice/client.js';
import { createApprove, showPlan } from './ask-approval.js';
import { reportFailure } from './failure.js';
import { removeIdleFolders } from './idle-folders.js';
import { countInFlight, stoppingMessage } from './in-flight.js';
import { watchInterrupt } from './interrupt.js';
import { readPlanFile } from './plan-file.js';
import { reportSuggestions } from './report-suggestions.js';
import { createRunSound } from './run-sound.js';

export function runCommand(manifest: string, flags: Flags): Promise<ExitCode> {
  return batch(manifest, flags, flags.frozen === true ? 'frozen' : 'run');
}

export function collectCommand(manifest: string, flags: Flags): Promise<ExitCode> {
  return batch(manifest, flags, 'collect');
}

async function batch(manifest: string, flags: Flags, mode: BatchSettings['mode']): Promise<ExitCode> {
  const { session, settings } = await begin(manifest, flags, mode);
  const recorder = createRecorder();
  let loaded: LoadedManifest | undefined;
  const reporter = fanOut([recorder, ...(await reporters(session))]);
  let inFlight = () => 0;
  const sound = createRunSound(session, () => loaded?.manifest?.takes ?? []);
  const emit = (event: RunEvent) => {
    sound.measured(event);
    reporter.event(redactIn(event, session.redact));
  };
  const emitter = { ports: session.ports, emit };
  const interrupt = watchInterrupt(() =>
    emitNotice(emitter, 'info', 'stopping', stoppingMessage(inFlight())),
  );
  const buyAndCollect = async (looking: FrozenWorld) => {
    const connection = countInFlight(await session.connect());
    inFlight = connection.inFlight;
    const acting = {
      transport: connection.transport,
      present: (plan: Plan, balance: Balance | undefined) => showPlan(session, plan, balance),
      approve: createApprove(session, interrupt.signal),
      sound: (attempts: readonly Attempt[]) => sound.report(attempts, emit, interrupt.signal),
    };
    return runBatch({ ...looking, ...acting }, settings);
  };
  try {
    const looking = {
      ports: session.ports,
      account: session.account,
      redact: session.redact,
      openState: session.openState,
      ready: () => requireManifest(session),
      load: async () => {
        loaded = await session.load();
        return loaded;
      },
      takesKnown: (manifest: Manifest) => {
        if (loaded !== undefined) loaded = { ...loaded, manifest };
      },
      emit,
      show: (diagnostics: readonly Diagnostic[], sources: LoadedManifest['sources']) => {
        for (const diagnostic of diagnostics)
          emit({
            type: 'diagnostic',
            time: new Date(session.ports.clock.nowMs()).toISOString(),
            ...diagnostic,
          });
        showDiagnostics(session, diagnostics, sources);
      },
      stop: interrupt.signal,
    };
    const report = mode === 'frozen' ? await frozenBatch(looking, settings) : await buyAndCollect(looking);
    await reporter.end();
    await printEnd(session, recorder.outcome(loaded?.manifest?.takes.map(({ key }) => key)), loaded);
    if (mode === 'collect' && isNothingKnown(report.summary)) await noteElsewhere(session, 'collect');
    return report.exitCode;
  } catch (error) {
    return await failedRun(session, recorder, reporter, error, loaded);
  } finally {
    await reporter.end();
    interrupt.release();
    await sound.close();
    await session.close();
    await removeIdleFolders(session);
  }
}

/** Whether the lockfile is empty or does not exist. */
function isNothingKnown({ spent_total_micro_usd, ...summary }: SummaryEvent): boolean {
  const { done, in_flight, in_doubt, failed } = summary;
  return spent_total_micro_usd === 0 && done + in_flight + in_doubt + failed === 0;
}

/** A program that reads the output gets its last event and its document, however the run ended. */
async function failedRun(
  session: Session,
  recorder: Recorder,
  reporter: Reporter,
  error: unknown,
  loaded: LoadedManifest | undefined,
): Promise<ExitCode> {
  const { settings, ports, stdout, stderr, command, redact } = session;
  const nowMs = ports.clock.nowMs();
  return reportFailure(error, {
    stdout,
    stderr,
    redact,
    status: command('status'),
    json: settings.flags.json === true,
    outputRoot: settings.outputRoot.value,
    recorder,
    reporter,
    first: () => firstEvent(session, nowMs),
    nowMs,
    spentTotalMicroUsd: await spentUnder(session),
    writeFiles: (outcome) => writeReports(session, outcome, loaded, ''),
  });
}

/** Everything the lockfile counts as spent, in integer micro-dollars; `null` if it cannot be read. */
async function spentUnder({ ports, settings }: Session): Promise<number | null> {
  const read = await readLock(ports.files, settings.lockfilePath.value).catch(() => undefined);
  return read?.ok === true ? spentMicroUsd(read.attempts.values()) : null;
}

/** For a run whose settings may not even name a usable service. */
function firstEvent({ settings: { baseUrl, sandbox } }: Session, nowMs: number): RunEvent {
  const endpoint = shownBaseUrl(baseUrl.value);
  return versionEvent({ version: programVersion(), endpoint, sandbox }, nowMs);
}

interface Begun {
  readonly session: Session;
  readonly settings: BatchSettings;
}

/** Flags, settings, the saved plan, and the picks if the run uses them. */
async function begin(manifest: string, flags: Flags, mode: BatchSettings['mode']): Promise<Begun> {
  const { json, events } = flags;
  if (json === true && events !== undefined)
    throw usageError('--json and --events cannot be combined: both are for stdout', 'use only one of them');
  if (manifest === '-')
    throw usageError(
      `${mode === 'collect' ? 'collect' : 'run'} needs a manifest in a file: its lockfile is stored next to it`,
      'only validate and plan read standard input',
    );
  const session = await openSession(manifest, flags);
  return { session, settings: await batchSettings(session, mode, await readPlanFile(session)) };
}

async function reporters(session: Session): Promise<Reporter[]> {
  const { settings, stderr, stdout } = session;
  const { flags } = settings;
  const found: Reporter[] = [];
  // Lines of --debug would disturb the live view.
  const wanted = flags.debug === true && flags.progress === 'auto' ? 'plain' : flags.progress;
  const mode = progressMode((wanted ?? 'auto') as 'auto', stderr.isTty, process.env);
  const view = { terminal: stderr, clock: session.ports.clock };
  if (mode === 'tty') found.push((await import('../report/live.js')).createLive(view));
  if (mode === 'plain')
    found.push(
      (await import('../report/lines.js')).createLines({
        ...view,
        placeOf: session.placeOf,
        groups: isGithub(),
      }),
    );
  if (flags.events !== undefined) found.push(createNdjson(stdout));
  return found;
}

/** Output at the very end: the last screen or the requested document, and the CI reports. */
async function printEnd(
  session: Session,
  outcome: RunOutcome,
  loaded: LoadedManifest | undefined,
): Promise<void> {
  const { flags, outputRoot } = session.settings;
  const { stdout, stderr } = session;
  if (flags.json === true) stdout.write(renderJson(outcome, outputRoot.value));
  const asked = flags.json === true || flags.events !== undefined;
  const screen = asked ? stderr : stdout;
  const { section: suggestions, patch } = await reportSuggestions(session, outcome, loaded, screen);
  if (!asked || flags.progress !== 'quiet')
    screen.write(
      // A blank line after earlier output on the same screen.
      (screen.isTty && flags.progress !== 'quiet' ? '\n' : '') +
        renderSummary(outcome, {
          color: screen.color,
          width: screen.columns,
          suggestions,
          placeOf: session.placeOf,
          command: session.command,
        }),
    );
  await writeReports(session, outcome, loaded, patch);
}
