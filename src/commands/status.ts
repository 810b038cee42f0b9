import { takeStatusesOf } from '../app/take-status.js';
import { EXIT, type ExitCode } from '../core/errors.js';
import { spentMicroUsd } from '../lockfile/attempt.js';
import { boughtTwice } from '../lockfile/bought-twice.js';
import { lockError } from '../lockfile/lock-error.js';
import { readLock } from '../lockfile/read.js';
import { isLoopback, shownBaseUrl } from '../node/base-url.js';
import { boughtTwiceTake } from '../plan/bought-twice.js';
import { isElsewhere, machineOf } from '../plan/latest-attempts.js';
import { jsonText } from '../report/json-text.js';
import { picksJson } from '../report/picks-text.js';
import { soundJson } from '../report/sound-text.js';
import { renderStatus, takeStatuses } from '../report/status.js';
import { tableWidth } from '../report/terminal.js';
import { viewOf } from '../session/find-state.js';
import { picksView } from '../session/picks.js';
import { rehearsalNote } from '../session/rehearsal.js';
import { requireManifest } from '../session/require-manifest.js';
import { openSession } from '../session/session.js';
import type { Flags, Settings } from '../session/settings.js';
import { printFileWarnings, readableManifest, warnUnreadable } from '../session/unreadable.js';
import { openOutput } from '../storage/output.js';
import { knownSounds } from './sounds.js';

/** Shows the state of every take from lockfile, manifest and disk, offline. */
export async function statusCommand(manifest: string, flags: Flags): Promise<ExitCode> {
  const session = await openSession(manifest, flags);
  await requireManifest(session);
  const { ports, settings, stdout, command, placeOf } = session;
  const lockPath = settings.lockfilePath.value;
  const read = await readLock(ports.files, lockPath);
  if (!read.ok) throw lockError(read.problems[0], lockPath, command);
  const { attempts, keptBy } = await viewOf(session, read, 'status');
  const view = { output: await openOutput(ports.files, settings.outputRoot.value) };
  const { rows, removed, warnings } = await takeStatusesOf(view, attempts, await readableManifest(session), {
    unreadable: warnUnreadable(session),
    placeOf,
    keptBy,
  });
  printFileWarnings(session, warnings);
  const takes = rows.map(({ take }) => take);
  const picks = await picksView(session, takes, attempts);
  const sound = await knownSounds(session, takes, attempts);
  if (flags.json === true) {
    const document = {
      schema: 1,
      lockfile: lockPath,
      output_root: settings.outputRoot.value,
      // A lockfile is untrusted text: an address in it may contain credentials.
      endpoint: read.header === undefined ? null : shownBaseUrl(read.header.endpoint),
      spent_micro_usd: spentMicroUsd(attempts),
      warnings: warnings.map(({ code, message, hint = null }) => ({ code, message, hint })),
      elsewhere: rows.filter(isElsewhere).map(({ take }) => take.key),
      on_machines: Object.fromEntries(
        rows.flatMap((row) => (machineOf(row) ? [[row.take.key, machineOf(row)]] : [])),
      ),
      bought_twice: boughtTwice(attempts).map(boughtTwiceTake),
      takes: takeStatuses([...rows, ...removed], attempts).map(({ attempt }) => attempt),
      picks: picks === undefined ? null : picksJson(picks),
      sound: soundJson(sound),
    };
    stdout.write(`${jsonText(document, 2)}\n`);
    return EXIT.ok;
  }
  const text = renderStatus(
    { attempts, rows, removed, picks, sound },
    {
      command: (verb, ...words) => command(verb, ...words, ...elsewhere(settings, read.header?.endpoint)),
      placeOf,
      color: stdout.color,
      width: tableWidth(stdout, process.env),
    },
  );
  stdout.write(text);
  const note = attempts.length === 0 ? await rehearsalNote(session, ['status']) : undefined;
  if (note !== undefined) stdout.write(`${note}\n`);
  return EXIT.ok;
}

/**
 * Adds the lockfile's endpoint if nothing else selects it, but only for loopback addresses: the key must not go to
 * whatever address a lockfile names.
 */
function elsewhere(settings: Settings, endpoint: string | undefined): readonly string[] {
  const reported =
    settings.sandbox || settings.flags.baseUrl !== undefined || settings.baseUrl.value === endpoint;
  const local = endpoint !== undefined && URL.canParse(endpoint) && isLoopback(new URL(endpoint).hostname);
  if (reported || !local) return [];
  return ['--base-url', endpoint];
}
