import { EXIT, type ExitCode } from '../errors.js';
import { countsAsSpent } from '../lock/attempt.js';
import { lockError } from '../lock/problem.js';
import { readLock } from '../lock/read.js';
import { takeId } from '../plan/history.js';
import { jsonText } from '../report/json-text.js';
import { latestAttempts, renderStatus } from '../report/status.js';
import { tableWidth } from '../report/terminal.js';
import { insistOnManifest } from './insist-manifest.js';
import { openSession, type Session } from './session.js';
import { DEFAULT_BASE_URL, type Flags, type Settings } from './settings.js';

/** What the lockfile says, without asking anyone. */
export async function statusCommand(manifest: string, flags: Flags): Promise<ExitCode> {
  const session = await openSession(manifest, flags);
  await insistOnManifest(session);
  const { ports, settings, stdout, command, placeOf } = session;
  const lockPath = settings.lockfilePath.value;
  const read = await readLock(ports.files, lockPath);
  if (!read.ok) throw lockError(read.problems[0], lockPath, command);
  const attempts = [...read.attempts.values()];
  if (flags.json === true) {
    const spent = attempts
      .filter(countsAsSpent)
      .reduce((sum, { quote_micro_usd }) => sum + quote_micro_usd, 0);
    const document = {
      schema: 1,
      lockfile: lockPath,
      output_root: settings.outputRoot.value,
      endpoint: read.header?.endpoint ?? null,
      spent_micro_usd: spent,
      takes: latestAttempts(attempts),
    };
    stdout.write(`${jsonText(document, 2)}\n`);
    return EXIT.ok;
  }
  stdout.write(
    renderStatus(attempts, {
      command: (verb, ...words) => command(verb, ...words, ...elsewhere(settings, read.header?.endpoint)),
      placeOf,
      wanted: await wantedKeys(session),
      color: stdout.color,
      width: tableWidth(stdout, process.env),
    }),
  );
  return EXIT.ok;
}

/** What the manifest names now; `undefined` where it cannot be read: the lockfile tells all else without it. */
async function wantedKeys(session: Session): Promise<ReadonlySet<string> | undefined> {
  if (session.settings.manifest === '-') return undefined;
  const loaded = await session.load().catch(() => undefined);
  return loaded?.manifest && new Set(loaded.manifest.takes.map(takeId));
}

/** The endpoint that the lockfile is bound to, where nothing else would lead there. */
function elsewhere(settings: Settings, endpoint: string | undefined): readonly string[] {
  const told =
    settings.sandbox || settings.flags.baseUrl !== undefined || settings.baseUrl.value === endpoint;
  if (told || endpoint === undefined || endpoint === DEFAULT_BASE_URL || endpoint === 'sandbox:') return [];
  return ['--base-url', endpoint];
}
