import { BatchError, EXIT, usageError } from '../core/errors.js';
import type { Ports, Transport, Wallet } from '../core/ports.js';
import { createRedactor } from '../core/redact.js';
import { loadManifest, loadManifestText } from '../manifest/load.js';
import type { LoadedManifest } from '../manifest/take.js';
import { checkApiKey } from '../node/api-key.js';
import { parseBaseUrl } from '../node/base-url.js';
import { createClock } from '../node/clock.js';
import { systemFiles } from '../node/files.js';
import { createProcesses } from '../node/processes.js';
import { systemRandom } from '../node/random.js';
import type { WalletKey } from '../node/wallet-key.js';
import { escapeForeign } from '../report/escape.js';
import type { Terminal } from '../report/terminal.js';
import type { Account } from '../venice/client.js';
import type { ProcessContext } from './environment.js';
import { nextCommandLine, sameCommandLine } from './next-command-line.js';
import type { OpenBatch } from './open-batch.js';
import { checkOutputFiles } from './output-files.js';
import { placesIn } from './place.js';
import { refuseSecretRequests } from './secret-in-request.js';
import { secretsOf } from './secrets.js';
import { type Flags, type PlaceSettings, resolveSettings, type Settings } from './settings.js';
import { showDiagnostics } from './show-diagnostics.js';
import { refuseSiblingManifest } from './sibling.js';
import { processTerminals } from './terminals.js';

/** The same for a command: with its flags and the terminal. */
export interface Session extends OpenBatch {
  again(...words: string[]): string;
  readonly settings: Settings;
  readonly stdout: Terminal;
  /** Redacts what is written, as `stdout` does. */
  readonly stderr: Terminal;
}

export interface Typed {
  /** The command line as it was typed, without the name of the program. */
  readonly typed?: readonly string[];
}

/** Throws `BatchError` (exit 2) for unusable settings. */
export async function openSession(
  manifest: string,
  { typed = [], ...flags }: Flags & Typed,
  env: ProcessContext['env'] = process.env,
): Promise<Session> {
  const files = systemFiles;
  const settings = await resolveSettings(manifest, flags, { cwd: process.cwd(), env, files });
  await checkOutputFiles(settings, files, { cwd: process.cwd(), env });
  const ports = await systemPorts();
  const service = await openService(settings, ports);
  const { redact } = service;
  const when = (flags.color ?? 'auto') as 'auto' | 'always' | 'never';
  const { stdout, stderr } = processTerminals(when, env, redact);
  return {
    settings,
    ports,
    stdout,
    stderr,
    warn: (text) => stderr.write(text),
    show: (found, sources) => showDiagnostics({ stderr, redact }, found, sources),
    get endpoint() {
      return service.endpoint;
    },
    get account() {
      return service.account;
    },
    placeOf: placesIn(settings.outputRoot.value, process.cwd()),
    displayPath: manifest === '-' ? '<stdin>' : manifest,
    ...wordingOf(settings, typed),
    load: () => loadUnshared(settings, ports),
    openState: async (address, stopping) =>
      (await import('./open-state.js')).openState(address, ports, settings, stopping),
    redact,
    async connect() {
      const transport = await service.connect();
      if (flags.debug !== true) return transport;
      const { debugTransport } = await import('../node/debug.js');
      return debugTransport(transport, ports.clock, redact, (line) =>
        stderr.write(`${escapeForeign(line)}\n`),
      );
    },
    close: service.close,
  };
}

/** How messages name commands. */
function wordingOf(
  settings: Settings,
  typed: readonly string[],
): Pick<Session, 'command' | 'again' | 'noteLog'> {
  let flags = settings.flags;
  return {
    command: (verb, ...words) => nextCommandLine(verb, { ...settings, flags }, words),
    again: (...words) => sameCommandLine(typed, words),
    noteLog(state) {
      flags = { state, ...flags };
    },
  };
}

/** The ports of the real world. */
export async function systemPorts(): Promise<Ports> {
  return {
    clock: createClock(),
    random: systemRandom,
    files: systemFiles,
    processes: await createProcesses(),
    inspectMedia: async (read, size) =>
      (await import('../storage/inspect-media.js')).inspectMedia(read, size),
  };
}

export async function loadUnshared(settings: PlaceSettings, ports: Ports): Promise<LoadedManifest> {
  const loaded = refuseSecretRequests(await loadFrom(settings, ports), likelyRedactorOf(settings));
  return refuseSiblingManifest(loaded, settings, ports.files);
}

function redactorOf({ apiKey, walletKey }: PlaceSettings): (text: string) => string {
  return createRedactor(secretsOf(apiKey?.value, walletKey?.value));
}

/** A short key is a placeholder, which may be a word of the request. The service's keys are far longer. */
const KEY_LENGTH_MIN = 16;

function likelyRedactorOf({ apiKey, walletKey }: PlaceSettings): (text: string) => string {
  const keys = secretsOf(apiKey?.value, walletKey?.value);
  return createRedactor(keys.filter((key) => key.length >= KEY_LENGTH_MIN));
}

export type Service = Pick<OpenBatch, 'endpoint' | 'account' | 'redact' | 'connect' | 'close'>;

/**
 * The connection to the service, and who pays. Endpoint and account are checked on first use: commands that contact no
 * one need neither.
 */
export async function openService(settings: PlaceSettings, ports: Ports): Promise<Service> {
  const wallet = settings.walletKey && (await openWallet(settings.walletKey.value));
  const endpoint = () => (settings.sandbox ? 'sandbox:' : usableBaseUrl(settings));
  const account = () => accountOf(settings, wallet);
  let closing = async () => {};
  return {
    get endpoint() {
      return endpoint();
    },
    get account() {
      return account();
    },
    redact: redactorOf(settings),
    async connect() {
      const payer = account();
      const opened = settings.sandbox
        ? await openEmbedded(settings, ports, payer)
        : await openNetwork(endpoint(), payer);
      closing = opened.close;
      return wallet?.ok === true
        ? signed(opened.transport, wallet.wallet, settings, ports)
        : opened.transport;
    },
    close: () => closing(),
  };
}

function usableBaseUrl(settings: PlaceSettings): string {
  const parsed = parseBaseUrl(settings.baseUrl.value);
  if (parsed.ok) return parsed.url;
  throw usageError(parsed.message, parsed.hint, 'base-url');
}

function usableKey(settings: PlaceSettings): string | undefined {
  if (settings.apiKey === undefined) return undefined;
  const checked = checkApiKey(settings.apiKey.value);
  if (checked.ok) return checked.key;
  throw new BatchError('api-key', checked.message, { exitCode: EXIT.authentication, hint: checked.hint });
}

interface Connection {
  readonly transport: Transport;
  close(): Promise<void>;
}

async function openNetwork(baseUrl: string, payer: Account | undefined): Promise<Connection> {
  const { createTransport } = await import('../node/transport.js');
  return createTransport({ baseUrl, ...(payer?.kind === 'api_key' ? { apiKey: payer.id } : {}) });
}

/** The embedded sandbox has no address, so signatures name this one. */
const SANDBOX_URL = 'https://sandbox.invalid/api/v1';

async function signed(
  transport: Transport,
  wallet: Wallet,
  settings: PlaceSettings,
  ports: Ports,
): Promise<Transport> {
  const { signedTransport } = await import('../venice/wallet-transport.js');
  const { clock, random } = ports;
  const baseUrl = settings.sandbox ? SANDBOX_URL : usableBaseUrl(settings);
  return signedTransport(transport, { wallet, baseUrl, clock, random });
}

type OpenedWallet = { readonly ok: true; readonly wallet: Wallet } | Exclude<WalletKey, { ok: true }>;

async function openWallet(text: string): Promise<OpenedWallet> {
  const { openWallet: open } = await import('../node/wallet.js');
  return open(text);
}

function accountOf(settings: PlaceSettings, wallet: OpenedWallet | undefined): Account | undefined {
  if (wallet?.ok === true)
    return {
      kind: 'wallet',
      id: wallet.wallet.address,
      sealSecret: (settings.walletKey?.value ?? '').trim().toLowerCase().replace(/^0x/, ''),
    };
  if (wallet !== undefined)
    throw new BatchError('wallet-key', wallet.message, { exitCode: EXIT.authentication, hint: wallet.hint });
  const id = settings.sandbox ? 'sandbox' : usableKey(settings);
  return id === undefined ? undefined : { kind: 'api_key', id };
}

async function openEmbedded(
  settings: PlaceSettings,
  ports: Ports,
  payer: Account | undefined,
): Promise<Connection> {
  const { openSandbox } = await import('../sandbox/ledger-file.js');
  const opened = openSandbox({
    directory: settings.sandboxDirectory,
    speed: settings.sandboxSpeed,
    as: settings.sandboxAs,
    clock: ports.clock,
    random: ports.random,
    signedIn: payer?.kind === 'wallet',
  });
  return { transport: opened.transport, close: async () => {} };
}

const STDIN_BYTES_MAX = 16 * 1024 * 1024;

async function loadFrom(settings: PlaceSettings, ports: Ports): Promise<LoadedManifest> {
  if (settings.manifest !== '-') return loadManifest(ports.files, settings.manifestPath, settings.manifest);
  const pieces: Buffer[] = [];
  let bytes = 0;
  for await (const piece of process.stdin) {
    pieces.push(piece as Buffer);
    bytes += (piece as Buffer).byteLength;
    if (bytes > STDIN_BYTES_MAX) break;
  }
  return loadManifestText(
    ports.files,
    Buffer.concat(pieces).toString('utf8'),
    settings.manifestPath,
    '<stdin>',
  );
}
