import { appendFile, writeFile } from 'node:fs/promises';
import type { LoadedManifest } from '../manifest/take.js';
import { escapeForeign } from '../report/escape.js';
import { takeAnnotations } from '../report/github.js';
import type { RunOutcome } from '../report/outcome.js';
import { pathText } from '../report/shell.js';
import type { Session } from './session.js';

/** The files that were asked for, and what GitHub Actions shows of a run beside its log. */
export async function writeReports(
  session: Session,
  outcome: RunOutcome,
  loaded: LoadedManifest | undefined,
  patch: string,
): Promise<void> {
  const { flags } = session.settings;
  const takes = loaded?.manifest?.takes ?? [];
  // Without a suggestion the file stays as it is: what an earlier run was told there may not be applied yet.
  if (flags.suggestions !== undefined && patch !== '')
    await writeReport(session, flags.suggestions, patch, writeFile);
  if (flags.junit !== undefined) {
    const { renderJunit } = await import('../report/junit.js');
    const keys = takes.map(({ key }) => key);
    await writeReport(session, flags.junit, renderJunit(outcome, keys), writeFile);
  }
  const stepSummary = process.env.GITHUB_STEP_SUMMARY;
  if (stepSummary !== undefined && stepSummary !== '') {
    const { renderMarkdown } = await import('../report/markdown.js');
    const text = renderMarkdown(outcome, { placeOf: session.placeOf });
    await writeReport(session, stepSummary, text, appendFile);
  }
  if (isGithub()) session.stderr.write(takeAnnotations(outcome, takes, githubPlaces()));
}

export function isGithub(): boolean {
  return process.env.GITHUB_ACTIONS === 'true';
}

/** How GitHub names the files of this folder. */
export function githubPlaces(): { workspace: string; directory: string } {
  return { workspace: process.env.GITHUB_WORKSPACE ?? process.cwd(), directory: process.cwd() };
}

/** The one place where text leaves for a file. A report that cannot be written is told; it changes nothing about the run. */
export async function writeReport(
  { redact, stderr }: Pick<Session, 'redact' | 'stderr'>,
  file: string,
  text: string,
  write: (file: string, text: string) => Promise<void>,
): Promise<void> {
  try {
    await write(file, redact(text));
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    stderr.write(`warning: ${pathText(file)} cannot be written: ${escapeForeign(why)}\n`);
  }
}
