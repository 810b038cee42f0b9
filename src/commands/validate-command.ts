import { compareDiagnostics, type Diagnostic } from '../core/diagnostic.js';
import { EXIT, type ExitCode } from '../core/errors.js';
import type { Take } from '../manifest/take.js';
import { checkRequest, mergeAlike } from '../plan/capability.js';
import { sameRequestWarnings } from '../plan/same-request.js';
import { escapeForeign } from '../report/escape.js';
import { jsonDocument } from '../report/json-text.js';
import { retryUntilAnswered } from '../run/gather.js';
import { openSession, type Session } from '../session/session.js';
import type { Flags } from '../session/settings.js';
import { showDiagnostics } from '../session/show-diagnostics.js';
import { createClient } from '../venice/create-client.js';

/** Checks schema and rules offline; with `--live` also against the live models. Spends nothing, writes nothing. */
export async function validateCommand(manifest: string, flags: Flags): Promise<ExitCode> {
  const session = await openSession(manifest, flags);
  try {
    const loaded = await session.load();
    const takes = loaded.manifest?.takes ?? [];
    const live = flags.live === true && loaded.manifest !== undefined ? await checkLive(session, takes) : [];
    const same = sameRequestWarnings(takes, () => true);
    const diagnostics = [...loaded.diagnostics, ...same, ...live].sort(compareDiagnostics);
    if (diagnostics.length > 0) showDiagnostics(session, diagnostics, loaded.sources);
    const errors = diagnostics.filter(({ severity }) => severity === 'error').length;
    const tracks = new Set(takes.map(({ track }) => track)).size;
    if (flags.json === true)
      session.stdout.write(jsonDocument({ valid: errors === 0, tracks, takes: takes.length, diagnostics }));
    else if (errors === 0)
      session.stdout.write(
        `${escapeForeign(session.displayPath)} is valid: ${tracks} track${tracks === 1 ? '' : 's'}, ${takes.length} take${takes.length === 1 ? '' : 's'}${flags.live === true ? '' : ' (checked offline; add --live to check against the models)'}\n`,
      );
    if (live.some(({ code }) => code === 'service')) return EXIT.unavailable;
    return errors === 0 ? EXIT.ok : EXIT.invalid;
  } finally {
    await session.close();
  }
}

async function checkLive(session: Session, takes: readonly Take[]): Promise<readonly Diagnostic[]> {
  const client = createClient(await session.connect(), session.redact);
  const models = await retryUntilAnswered(session.ports.clock, () => client.models());
  if (!models.ok)
    return [
      {
        code: 'service',
        severity: 'error',
        message: `could not fetch the models: ${models.message}`,
        hint: 'run the same command again later, or leave --live out',
      },
    ];
  const nowMs = session.ports.clock.nowMs();
  const checked = takes.flatMap((take) => checkRequest(take, models.value, nowMs).diagnostics);
  return mergeAlike(checked, takes);
}
