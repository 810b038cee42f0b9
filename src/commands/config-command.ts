import { EXIT, type ExitCode } from '../core/errors.js';
import { formatUsd } from '../core/money.js';
import type { Manifest } from '../manifest/take.js';
import { escapeForeign } from '../report/escape.js';
import { jsonDocument } from '../report/json-text.js';
import { renderTable } from '../report/table.js';
import type { Origin } from '../session/batch-place.js';
import { requireManifest } from '../session/require-manifest.js';
import { openSession, type Session } from '../session/session.js';
import type { Flags } from '../session/settings.js';

interface Shown {
  readonly name: string;
  readonly value: string | null;
  readonly origin: Origin;
}

/** Prints each setting, and where it came from. Never prints the key. */
export async function configCommand(manifest: string, flags: Flags): Promise<ExitCode> {
  const session = await openSession(manifest, flags);
  const { settings, stdout, endpoint } = session;
  const loaded = await manifestIfUsable(session);
  const budgets = [
    ...(settings.budgetMicroUsd === undefined ? [] : [settings.budgetMicroUsd]),
    ...(loaded?.budgetMicroUsd === undefined
      ? []
      : [{ value: loaded.budgetMicroUsd, origin: 'manifest' as const }]),
  ].sort((a, b) => a.value - b.value);
  const [budget] = budgets;
  const state =
    settings.state ??
    (loaded?.state === undefined ? undefined : { value: loaded.state, origin: 'manifest' as const });
  const fromManifest =
    loaded?.concurrency === undefined
      ? undefined
      : { value: loaded.concurrency, origin: 'manifest' as const };
  const concurrency = settings.concurrency ?? fromManifest;
  const shown: Shown[] = [
    { name: 'endpoint', value: endpoint, origin: settings.baseUrl.origin },
    {
      name: 'api key',
      value: settings.apiKey !== undefined ? 'set (hidden)' : settings.sandbox ? 'none needed' : null,
      origin: settings.apiKey?.origin ?? 'default',
    },
    ...(settings.walletKey === undefined
      ? []
      : [{ name: 'wallet', value: session.account?.id ?? null, origin: settings.walletKey.origin }]),
    { name: 'lockfile', value: settings.lockfilePath.value, origin: settings.lockfilePath.origin },
    ...(state === undefined ? [] : [{ name: 'shared log', ...state }]),
    { name: 'output root', value: settings.outputRoot.value, origin: settings.outputRoot.origin },
    {
      name: 'budget',
      value: budget === undefined ? null : formatUsd(budget.value),
      origin: budget?.origin ?? 'default',
    },
    {
      name: 'concurrency',
      value: concurrency === undefined ? 'as many as the request limit allows' : String(concurrency.value),
      origin: concurrency?.origin ?? 'default',
    },
  ];
  if (flags.json === true) stdout.write(jsonDocument(shown));
  else {
    const rows = shown.map(({ name, value, origin }) => [name, escapeForeign(value ?? 'not set'), origin]);
    const columns = [{ header: 'SETTING' }, { header: 'VALUE' }, { header: 'FROM' }];
    stdout.write(`${renderTable(columns, rows, { width: Math.max(stdout.columns, 80) }).join('\n')}\n`);
  }
  return EXIT.ok;
}

/** A mistyped name is an error, as for every command; of a manifest with errors, only its settings are missing. */
async function manifestIfUsable(session: Session): Promise<Manifest | undefined> {
  await requireManifest(session);
  const { manifest } = await session.load();
  if (manifest === undefined)
    session.warn(
      `warning: the manifest cannot be used, so its settings are not shown\n  to see why: ${session.command('validate')}\n`,
    );
  return manifest;
}
