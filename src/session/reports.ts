import path from 'node:path';
import { describeFault, faultCode } from '../core/errors.js';
import type { Files } from '../core/ports.js';
import type { LoadedManifest } from '../manifest/take.js';
import { takeAnnotations } from '../report/github.js';
import type { RunOutcome } from '../report/outcome.js';
import { pathText } from '../report/shell.js';
import { JUNIT, type OutputKind, obstacle, SUGGESTIONS } from './output-files.js';
import type { Session } from './session.js';

/** The files that were asked for, and what GitHub Actions shows of a run beside its log. */
export async function writeReports(
  session: Session,
  outcome: RunOutcome,
  loaded: LoadedManifest | undefined,
  patch: string,
): Promise<void> {
  const { settings, redact, stderr, ports } = session;
  const { flags } = settings;
  const world = { redact, stderr, files: ports.files };
  const takes = loaded?.manifest?.takes ?? [];
  // Without a suggestion the file stays as it is: suggestions of an earlier run may not be applied
  // yet.
  if (flags.suggestions !== undefined && patch !== '')
    await writeReport(world, flags.suggestions, patch, SUGGESTIONS);
  if (flags.junit !== undefined) {
    const { renderJunit } = await import('../report/junit.js');
    const keys = takes.map(({ key }) => key);
    await writeReport(
      world,
      flags.junit,
      renderJunit(outcome, keys, { qcFail: flags.qcFail === true }),
      JUNIT,
    );
  }
  const stepSummary = process.env.GITHUB_STEP_SUMMARY;
  if (stepSummary !== undefined && stepSummary !== '') {
    const { renderMarkdown } = await import('../report/markdown.js');
    const text = renderMarkdown(outcome, { placeOf: session.placeOf });
    await writeReport(world, stepSummary, text, 'append');
  }
  if (isGithub()) stderr.write(takeAnnotations(outcome, takes, githubPlaces()));
}

export function isGithub(): boolean {
  return process.env.GITHUB_ACTIONS === 'true';
}

/** How GitHub names the files of this folder. */
export function githubPlaces(): { workspace: string; directory: string } {
  return { workspace: process.env.GITHUB_WORKSPACE ?? process.cwd(), directory: process.cwd() };
}

/**
 * The one place where text leaves for a file. A report that cannot be written is told; it changes nothing about the run.
 * Never through a symbolic link, nor to a pipe: see `Files.open`.
 *
 * @param kind what may be replaced there; or what is there stays, and the text comes after it
 */
export async function writeReport(
  { redact, stderr, files }: Pick<Session, 'redact' | 'stderr'> & { readonly files: Files },
  name: string,
  text: string,
  kind: OutputKind | 'append',
): Promise<void> {
  const file = path.resolve(name);
  const fail = (why: string) => stderr.write(`warning: ${pathText(name)} cannot be written: ${why}\n`);
  try {
    // Looked at once more: this may be long after the start, or before anything else was checked.
    const existing = kind === 'append' ? undefined : await obstacle(files, file, kind);
    if (existing !== undefined) return fail(`it would overwrite ${existing}`);
    const isNew = (await files.facts(file)) === undefined;
    const mode = kind !== 'append' ? 'truncate' : isNew ? 'exclusive' : 'append';
    const handle = await files.open(file, mode);
    await handle.write(new TextEncoder().encode(redact(text))).finally(() => handle.close());
  } catch (error) {
    const code = faultCode(error);
    fail(`${describeFault(code).what}${code === '' ? '' : ` (${code})`}`);
  }
}
