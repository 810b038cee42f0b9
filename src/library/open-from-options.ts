import path from 'node:path';
import type { Diagnostic } from '../core/diagnostic.js';
import { BatchError, EXIT } from '../core/errors.js';
import { systemFiles } from '../node/files.js';
import { batchPlace } from '../session/batch-place.js';
import { readEnvironment } from '../session/environment.js';
import type { OpenBatch } from '../session/open-batch.js';
import { loadUnshared, openService, systemPorts } from '../session/session.js';
import {
  type Choices,
  lowestBudget,
  type PlaceSettings,
  SANDBOX_SPEED_DEFAULT,
  stateOf,
} from '../session/settings.js';
import { budgetOf, concurrencySet, moreOf, refuseInvalid } from './check-options.js';
import type { AnyOptions } from './option-types.js';
import { callFor } from './wording.js';

/** Opens the batch that typed options name. Throws `BatchError` (2) for invalid options. */
export async function openBatch(options: AnyOptions): Promise<OpenBatch> {
  const ports = await systemPorts();
  const settings = await settingsOf(options);
  const service = await openService(settings, ports);
  const { manifest, lockfile, outDir, state, baseUrl, sandbox } = options;
  let log = state;
  return {
    settings,
    ports,
    // Reports and results say the same; nothing is printed into the host's streams.
    warn: () => {},
    show: throwFirst,
    get endpoint() {
      return service.endpoint;
    },
    get account() {
      return service.account;
    },
    placeOf: (file) => path.resolve(settings.outputRoot.value, file),
    displayPath: manifest,
    command: (...words) => callFor(manifest, { lockfile, outDir, state: log, baseUrl, sandbox })(...words),
    noteLog: (address) => {
      log ??= address;
    },
    load: () => loadUnshared(settings, ports),
    openState: async (address, stopping) =>
      (await import('../session/open-state.js')).openState(address, ports, settings, stopping),
    redact: service.redact,
    connect: service.connect,
    close: service.close,
  };
}

async function settingsOf(options: AnyOptions): Promise<PlaceSettings> {
  refuseInvalid(options);
  const around = { cwd: process.cwd(), env: process.env, files: systemFiles };
  const environment = await readEnvironment(undefined, around);
  return {
    ...(await batchPlace(options, environment, around)),
    sandboxSpeed: SANDBOX_SPEED_DEFAULT,
    budgetMicroUsd: lowestBudget(environment, budgetOf(options.budgetUsd)),
    concurrency: concurrencySet(options.concurrency, environment),
    // A host that ignored it would buy what other machines have bought.
    state: stateOf(options, environment),
    more: moreOf(options.more),
    choices: chosen(options),
  };
}

/** The selection as given: names are not parsed. */
function chosen(options: AnyOptions): Choices {
  const { lockfile, only, except, force, onlyUnpicked, retryFailed } = options;
  const { ignoreBalance, acceptPrice, keep, failFast, detach } = options;
  return {
    lockfile,
    only,
    except,
    force,
    onlyUnpicked,
    retryFailed,
    ignoreBalance,
    acceptPrice,
    keep,
    failFast,
    detach,
  };
}

/** A program has no screen above an error: the error itself names the first fault and its place. */
function throwFirst(found: readonly Diagnostic[]): void {
  const first = found.find(({ severity }) => severity === 'error');
  if (first === undefined) return;
  const { code, message, hint, span } = first;
  const place = span === undefined ? '' : `${span.file}:${span.line}:${span.column}: `;
  throw new BatchError(code, `${place}${message}`, { exitCode: EXIT.invalid, hint });
}
