import {
  closeSync,
  constants,
  fstatSync,
  ftruncateSync,
  lstatSync,
  mkdirSync,
  openSync,
  readFileSync,
  writeFileSync,
} from 'node:fs';
import path from 'node:path';
import { BatchError, describeFault, EXIT, faultCode } from '../core/errors.js';
import type { Clock, Random, Transport } from '../core/ports.js';
import { shellWord } from '../core/shell.js';
import type { DescriptionName } from './api-versions.js';
import type { Entry } from './ledger.js';
import type { LimitOptions } from './limits.js';
import { createSandboxTransport } from './sandbox-transport.js';
import { createService, type Service } from './service.js';

export interface SandboxOptions {
  /** Where the ledger is kept. Created with the first effect, not before. */
  readonly directory: string;
  readonly speed: number;
  readonly clock: Clock;
  readonly random: Random;
  readonly limits?: LimitOptions;
  /** Requests are signed by a wallet: no key is sent. */
  readonly signedIn?: boolean;
  /** Default: today's. */
  readonly as?: DescriptionName | undefined;
}

/** The ADMIN key that the sandbox accepts. The other one is an INFERENCE key of the same user. */
const SANDBOX_KEY = 'sandbox';
const SANDBOX_INFERENCE_KEY = 'sandbox-inference';

/**
 * The service with its ledger file, and a transport to it without a network. Throws `BatchError` if the ledger is
 * damaged or cannot be read.
 */
export function openSandbox(options: SandboxOptions): { transport: Transport; service: Service } {
  const service = openService(options);
  const transport = createSandboxTransport({
    service,
    clock: options.clock,
    ...(options.signedIn === true ? {} : { apiKey: SANDBOX_KEY }),
  });
  return { transport, service };
}

/** Without `directory`, nothing survives the process. */
export function openService(options: Omit<SandboxOptions, 'directory'> & { directory?: string }): Service {
  const { directory, speed, random, limits, as } = options;
  const file = directory === undefined ? undefined : openLedgerFile(directory);
  return createService({
    random: uniform(random),
    speed,
    keys: [SANDBOX_KEY, { key: SANDBOX_INFERENCE_KEY, user: SANDBOX_KEY, kind: 'INFERENCE' }],
    ...(as === undefined ? {} : { as }),
    balanceUsd: BALANCE_USD,
    ...(limits === undefined ? {} : { limits }),
    ...(file === undefined ? {} : { entries: file.entries, persist: file.append }),
  });
}

/** Enough to try out a large manifest. */
const BALANCE_USD = 10_000;

/** Uniform in [0, 1), with 48 bits. */
function uniform(random: Random): () => number {
  return () => Buffer.from(random.bytes(6)).readUIntBE(0, 6) / 2 ** 48;
}

/**
 * `ledger.jsonl`, one entry per line. Appended entries survive a kill of the process. An incomplete last line is
 * dropped (its effect was never answered).
 */
export function openLedgerFile(directory: string): {
  readonly entries: readonly Entry[];
  append(entry: Entry): void;
} {
  const file = ledgerIn(directory);
  const bytes = readIfThere(directory);
  const wholeBytes = bytes.lastIndexOf(0x0a) + 1;
  const entries = bytes
    .toString('utf8', 0, wholeBytes)
    .split('\n')
    .filter((line) => line !== '')
    .map((line, index) => parseEntry(line, `${shellWord(file)}:${index + 1}`));
  let sizeBytes = bytes.length;
  let goodBytes = wholeBytes;
  return {
    entries,
    append(entry) {
      const line = Buffer.from(`${JSON.stringify(entry)}\n`);
      if (sizeBytes === 0) mkdirSync(directory, { recursive: true });
      withRegularFile(directory, APPEND, (descriptor) => {
        // A line left incomplete by a kill or a full disk would spoil the next one.
        if (sizeBytes > goodBytes) ftruncateSync(descriptor, goodBytes);
        sizeBytes = goodBytes + line.byteLength;
        writeFileSync(descriptor, line);
      });
      goodBytes = sizeBytes;
    },
  };
}

function ledgerIn(directory: string): string {
  return path.join(directory, 'ledger.jsonl');
}

function readIfThere(directory: string): Buffer {
  try {
    return withRegularFile(directory, constants.O_RDONLY, (descriptor) => readFileSync(descriptor));
  } catch (error) {
    if (faultCode(error) === 'ENOENT') return Buffer.alloc(0);
    const { what, fix } = describeFault(faultCode(error));
    throw new BatchError(
      'sandbox-ledger',
      `the sandbox's ledger cannot be read: ${shellWord(ledgerIn(directory))}: ${what} (${faultCode(error)})`,
      {
        exitCode: EXIT.unavailable,
        hint: `${fix}, or remove ${shellWord(directory)} to start over, then run the same command again`,
        cause: error,
      },
    );
  }
}

const APPEND = constants.O_WRONLY | constants.O_CREAT | constants.O_APPEND;
/** Neither flag exists on Windows. Without NONBLOCK, opening a pipe waits for its other end. */
const SAFE = (constants.O_NOFOLLOW ?? 0) | (constants.O_NONBLOCK ?? 0);

/**
 * The folder may come from an untrusted repository. Throws `ELOOP` if it or the ledger is a symbolic link (which is not
 * followed), and `EFTYPE` if the ledger is a pipe or a device.
 */
function withRegularFile<T>(directory: string, flags: number, use: (descriptor: number) => T): T {
  if (lstatSync(directory).isSymbolicLink()) throw systemFault('ELOOP');
  const descriptor = openSync(ledgerIn(directory), flags | SAFE);
  try {
    if (!fstatSync(descriptor).isFile()) throw systemFault('EFTYPE');
    return use(descriptor);
  } finally {
    closeSync(descriptor);
  }
}

function systemFault(code: string): Error {
  return Object.assign(new Error(code), { code });
}

function parseEntry(line: string, where: string): Entry {
  const entry = parseJson(line) as Partial<Entry> | undefined;
  if ((entry?.type === 'queued' || entry?.type === 'deleted') && typeof entry.id === 'string') {
    return entry as Entry;
  }
  throw new BatchError('sandbox-ledger', `the sandbox's ledger is damaged at ${where}`, {
    exitCode: EXIT.lockfile,
    hint: 'remove the sandbox folder to start over: it holds no real money and no real audio',
  });
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
