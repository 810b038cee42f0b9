import os from 'node:os';
import path from 'node:path';
import { programVersion } from '../node/version.js';
import type { BatchSettings } from './run-batch.js';
import type { Session } from './session.js';

/** What a batch needs of a session's settings. */
export function batchSettings(session: Session, mode: BatchSettings['mode']): BatchSettings {
  const { settings, endpoint, command } = session;
  const { flags } = settings;
  return {
    mode,
    endpoint,
    command,
    sandbox: settings.sandbox,
    version: programVersion(),
    lockfilePath: settings.lockfilePath.value,
    outputRoot: settings.outputRoot.value,
    rescueDirectories: [path.dirname(settings.manifestPath), os.homedir(), os.tmpdir()],
    selection: {
      only: flags.only,
      except: flags.except,
      force: flags.force ?? [],
      retryFailed: flags.retryFailed === true,
    },
    keep: flags.keep === true,
    failFast: flags.failFast === true,
    detach: flags.detach === true,
    ...(settings.budgetMicroUsd === undefined ? {} : { budgetMicroUsd: settings.budgetMicroUsd.value }),
    ...(settings.concurrency === undefined ? {} : { concurrency: settings.concurrency.value }),
    ...(settings.timeoutMs === undefined ? {} : { timeoutMs: settings.timeoutMs }),
  };
}
