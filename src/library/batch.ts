import { runBatch } from '../app/run-batch.js';
import type { RunReport as BatchReport } from '../app/summarise.js';
import type { Approval, BatchSettings, World } from '../app/world.js';
import type { Diagnostic } from '../core/diagnostic.js';
import type { RunEvent } from '../core/events.js';
import { redactIn } from '../core/redact.js';
import type { SavedPlan } from '../plan/saved-plan.js';
import { batchSettings } from '../session/batch-settings.js';
import type { OpenBatch } from '../session/open-batch.js';
import { requireManifest } from '../session/require-manifest.js';
import { openBatch } from './open-from-options.js';
import type { AnyOptions, ProgressOptions } from './option-types.js';
import { errorInLibraryTerms, eventInLibraryTerms, inLibraryTerms } from './wording.js';

/** How a run ended. */
export interface RunReport extends BatchReport {
  /** All problems with the manifest, the plan or the run. */
  readonly diagnostics: readonly Diagnostic[];
}

interface Batch {
  readonly mode: BatchSettings['mode'];
  readonly approve: (...about: Parameters<World['approve']>) => Promise<Approval>;
  readonly savedPlan?: SavedPlan;
}

/** Opens the batch that the options describe, and closes it again. Errors refer to options. */
export async function withBatch<T>(options: AnyOptions, act: (opened: OpenBatch) => Promise<T>): Promise<T> {
  try {
    const opened = await openBatch(options);
    try {
      return redactIn(await act(opened), opened.redact);
    } finally {
      await opened.close();
    }
  } catch (error) {
    throw errorInLibraryTerms(error);
  }
}

export function batch(
  options: AnyOptions & ProgressOptions,
  { mode, approve, savedPlan }: Batch,
): Promise<RunReport> {
  return withBatch(options, async (opened) => {
    const { ports, redact } = opened;
    const diagnostics: Diagnostic[] = [];
    const emit = (event: RunEvent) => options.onEvent?.(eventInLibraryTerms(redactIn(event, redact)));
    const report = await runBatch(
      {
        ports,
        transport: await opened.connect(),
        account: opened.account,
        redact,
        openState: opened.openState,
        ready: () => requireManifest(opened),
        load: opened.load,
        emit,
        show: (found) => {
          diagnostics.push(...found.map(inLibraryTerms));
          const time = new Date(ports.clock.nowMs()).toISOString();
          for (const diagnostic of found) emit({ type: 'diagnostic', time, ...diagnostic });
        },
        approve,
        stop: options.signal ?? new AbortController().signal,
      },
      await batchSettings(opened, mode, savedPlan),
    );
    return { ...report, diagnostics };
  });
}
