import { pullableFrom } from '../app/pull-here.js';
import { type TakeStatuses, takeStatusesOf } from '../app/take-status.js';
import { EXIT, type ExitCode } from '../core/errors.js';
import { moneyOf, spentMicroUsd } from '../lockfile/attempt.js';
import { boughtTwice } from '../lockfile/bought-twice.js';
import type { LockHeader } from '../lockfile/lock-header.js';
import { requireLock } from '../lockfile/read.js';
import { shownBaseUrl } from '../node/base-url.js';
import { boughtTwiceTake } from '../plan/bought-twice-warning.js';
import { isElsewhere, isInStore, machineOf } from '../plan/latest-attempts.js';
import { jsonDocument } from '../report/json-text.js';
import { picksJson } from '../report/picks-text.js';
import { soundJson } from '../report/sound-text.js';
import { isChanged, isNew, renderStatus, type StatusInput, takeStatuses } from '../report/status-text.js';
import { tableWidth } from '../report/terminal.js';
import { elsewhereNote } from '../session/elsewhere-note.js';
import { viewOf } from '../session/find-state.js';
import { endpointWords } from '../session/next-command-line.js';
import { picksView } from '../session/picks.js';
import { requireManifest } from '../session/require-manifest.js';
import { openSession, type Session } from '../session/session.js';
import type { Flags } from '../session/settings.js';
import { manifestOrWarning, printFileWarnings, warnUnreadable } from '../session/unreadable.js';
import { openOutput } from '../storage/output.js';
import { runAtWork } from './run-at-work.js';
import { knownSounds } from './sounds.js';

/** Shows the state of every take from lockfile, manifest and disk, offline. */
export async function statusCommand(manifest: string, flags: Flags): Promise<ExitCode> {
  const session = await openSession(manifest, flags);
  await requireManifest(session);
  const { ports, settings, stdout, placeOf, command } = session;
  const lockPath = settings.lockfilePath.value;
  const read = await requireLock(ports.files, lockPath, session.command);
  if (read.notes.some(({ kind }) => kind === 'restored'))
    session.warn('warning: the lockfile lacks records that .venice-batch has; the next run restores them\n');
  const viewed = await viewOf(session, read, 'status', { showsUnknown: true });
  const { attempts, unknown, keptBy, audio, fetchable } = viewed;
  const output = await openOutput(ports.files, settings.outputRoot.value);
  const pullable = audio && (await pullableFrom(audio, output, attempts));
  await audio?.close();
  const { rows, removed, stored, warnings } = await takeStatusesOf(
    { output },
    attempts,
    await manifestOrWarning(session),
    {
      unreadable: warnUnreadable(session),
      placeOf,
      command,
      keptBy,
      inStore: pullable?.inStore,
      fetchable,
      nowMs: ports.clock.nowMs(),
    },
  );
  printFileWarnings(session, warnings);
  const takes = rows.map(({ take }) => take);
  const shown: StatusInput = {
    attempts,
    unknown,
    rows,
    removed,
    picks: await picksView(session, takes, attempts),
    sound: await knownSounds(session, takes, attempts),
    files: stored.files,
    running: attempts.length === 0 ? undefined : await runAtWork(session),
  };
  if (flags.json === true) {
    const all = [...(viewed.warnings ?? []), ...warnings];
    stdout.write(jsonDocument(statusDocument(session, read.header, { ...shown, warnings: all })));
    return EXIT.ok;
  }
  await printStatus(session, read.header, shown);
  return EXIT.ok;
}

async function printStatus(
  session: Session,
  header: LockHeader | undefined,
  shown: StatusInput,
): Promise<void> {
  const { settings, stdout, placeOf, command } = session;
  const text = renderStatus(shown, {
    command: (verb, ...words) => command(verb, ...words, ...endpointWords(settings, header?.endpoint)),
    placeOf,
    color: stdout.color,
    width: tableWidth(stdout, process.env),
  });
  stdout.write(text);
  const isEmpty = shown.attempts.length === 0 && shown.unknown !== true;
  const note = isEmpty ? await elsewhereNote(session, ['status']) : undefined;
  if (note !== undefined) stdout.write(`${note}\n`);
}

/** The `--json` document. Fields are only ever added. */
function statusDocument(
  { settings }: Session,
  header: LockHeader | undefined,
  input: StatusInput & Pick<TakeStatuses, 'warnings'>,
): object {
  const { attempts, unknown, rows, removed, picks, sound, running, warnings } = input;
  return {
    schema: 1,
    lockfile: settings.lockfilePath.value,
    output_root: settings.outputRoot.value,
    // A lockfile is untrusted text: an address in it may contain credentials.
    endpoint: header === undefined ? null : shownBaseUrl(header.endpoint),
    spent_micro_usd: spentMicroUsd(attempts),
    warnings: warnings.map(({ code, message, hint = null }) => ({ code, message, hint })),
    elsewhere: rows.filter(isElsewhere).map(({ take }) => take.key),
    on_machines: Object.fromEntries(
      rows.flatMap((row) => (machineOf(row) ? [[row.take.key, machineOf(row)]] : [])),
    ),
    bought_twice: boughtTwice(attempts).map(boughtTwiceTake),
    in_store: rows.filter(isInStore).map(({ take }) => take.key),
    // Takes that the next run buys, by what the manifest asks for today.
    not_bought: rows.flatMap((row) => (unknown !== true && isNew(row, attempts) ? [row.take.key] : [])),
    changed: rows.flatMap((row) => (isChanged(row) ? [row.take.key] : [])),
    running: running !== undefined,
    takes: takeStatuses([...rows, ...removed], attempts).flatMap(({ attempt }) =>
      attempt === undefined ? [] : { ...attempt, money: moneyOf(attempt) },
    ),
    picks: picks === undefined ? null : picksJson(picks),
    sound: sound === undefined ? null : soundJson(sound),
  };
}
