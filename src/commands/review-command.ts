import { BatchError, EXIT, type ExitCode, faultCode } from '../core/errors.js';
import { requireLock } from '../lockfile/read.js';
import { openBrowser } from '../node/open-browser.js';
import { openPageServer, type PageServer } from '../node/page-server.js';
import { pathText } from '../report/path-text.js';
import { admit, SAFE_HEADERS } from '../review/guard.js';
import { answer, type PageWorld } from '../review/routes.js';
import { noteElsewhere } from '../session/elsewhere-note.js';
import { viewOf } from '../session/find-state.js';
import { picksFileOf } from '../session/picks.js';
import { requireManifest } from '../session/require-manifest.js';
import { openSession, type Session } from '../session/session.js';
import type { Flags } from '../session/settings.js';
import { openOutput } from '../storage/output.js';
import { watchInterrupt } from './interrupt.js';
import { openListener } from './listen.js';
import { openWorld } from './review-world.js';

export interface ReviewFlags extends Flags {
  /** False with `--no-open`. */
  readonly open?: boolean;
}

const TOKEN_BYTES = 24;

/** Serves a page to listen to takes and pick them, on loopback, until interrupted. Buys nothing and contacts no one. */
export async function reviewCommand(manifest: string, flags: ReviewFlags): Promise<ExitCode> {
  const session = await openSession(manifest, flags);
  await requireManifest(session);
  const output = await openOutput(session.ports.files, session.settings.outputRoot.value);
  const listener = await openListener(session);
  const world = await openWorld(session, output, listener);
  const token = Buffer.from(session.ports.random.bytes(TOKEN_BYTES)).toString('base64url');
  await noteIfEmpty(session);
  const server = await serve(session, world, token);
  const interrupt = watchInterrupt(() => {});
  const address = `http://127.0.0.1:${server.port}/${token}/`;
  const opened =
    flags.open !== false && (await openBrowser({ platform: process.platform, env: process.env }, address));
  session.stdout.write(
    `${opened ? 'review opened in the browser' : 'open this address in a browser on this machine'}: ${address}\n` +
      `picks are saved in ${pathText(session.placeOf(picksFileOf(session.settings)))}; press Ctrl-C to stop\n`,
  );
  if (!interrupt.signal.aborted)
    await new Promise<void>((resolve) =>
      interrupt.signal.addEventListener('abort', () => resolve(), { once: true }),
    );
  await Promise.all([server.close(), listener.close()]);
  interrupt.release();
  return EXIT.ok;
}

/** The page shows no take that was made: the user may have meant another lockfile. */
async function noteIfEmpty(session: Session): Promise<void> {
  const read = await requireLock(session.ports.files, session.settings.lockfilePath.value, session.command);
  if (read.attempts.size > 0) return;
  const { attempts, audio } = await viewOf(session, read, 'review');
  await audio?.close();
  if (attempts.length === 0) await noteElsewhere(session, 'review');
}

async function serve({ stderr, command }: Session, world: PageWorld, token: string): Promise<PageServer> {
  try {
    return await openPageServer({
      port: 0,
      headers: SAFE_HEADERS,
      async answer(request, port) {
        const admission = admit(request, port, token);
        if (admission.kind === 'admitted') return answer({ ...request, path: admission.path }, world);
        const { status, text } = admission;
        return { status, headers: { 'content-type': 'text/plain; charset=utf-8' }, body: text };
      },
      failed: (error) => stderr.write(`warning: could not respond to the page: ${String(error)}\n`),
    });
  } catch (error) {
    throw new BatchError(
      'review-port',
      `the review page cannot listen on this machine (${faultCode(error) || 'error'})`,
      {
        exitCode: EXIT.unavailable,
        hint: `allow programs to listen on 127.0.0.1, or write the page to a file: ${command('report')}`,
        cause: error,
      },
    );
  }
}
