import type { Attempt } from '../lockfile/attempt.js';
import { requireLock } from '../lockfile/read.js';
import { pullFor, viewOf } from '../session/find-state.js';
import type { Session } from '../session/session.js';
import type { Output } from '../storage/output.js';

/** An open page polls every few seconds, but a shared log is read again only after this time. */
const READ_AGAIN_MS = 20_000;

/**
 * Reads the attempts of an album: from the lockfile, and from the shared log if there is one. Downloads files that
 * other machines stored. Throws `BatchError` if the lockfile cannot be read.
 */
export function albumAttempts(
  session: Session,
  output: Output,
  verb: string,
): () => Promise<readonly Attempt[]> {
  const { ports, settings, command } = session;
  const lockPath = settings.lockfilePath.value;
  const reported = new Set<string>();
  let shared: { readonly attempts: readonly Attempt[]; readonly atMs: number } | undefined;
  return async () => {
    const nowMs = ports.clock.nowMs();
    if (shared !== undefined && nowMs - shared.atMs < READ_AGAIN_MS) return shared.attempts;
    const read = await requireLock(ports.files, lockPath, command);
    const view = await viewOf(session, read, verb);
    await pullFor(session, view, output, reported);
    if (view.fromLog === true) shared = { attempts: view.attempts, atMs: nowMs };
    return view.attempts;
  };
}
