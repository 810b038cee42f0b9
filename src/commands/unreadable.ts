import type { Manifest } from '../manifest/take.js';
import { pathText } from '../report/shell.js';
import type { Session } from './session.js';

/** Tells so, where the takes of a command that only looks are told as recorded. */
export function tellUnreadable({ stderr, settings }: Session): (code: string) => void {
  const { value: outputRoot } = settings.outputRoot;
  return (code) =>
    stderr.write(
      `warning: cannot check the files (${code}) below ${pathText(outputRoot)}: showing their recorded state\n`,
    );
}

/** `undefined` where it cannot be read: the lockfile tells all else without it. */
export async function readableManifest(session: Session): Promise<Manifest | undefined> {
  if (session.settings.manifest === '-') return undefined;
  return (await session.load().catch(() => undefined))?.manifest;
}
