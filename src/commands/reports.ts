import { appendFile, writeFile } from 'node:fs/promises';
import type { LoadedManifest } from '../manifest/take.js';
import { takeAnnotations } from '../report/github.js';
import type { RunOutcome } from '../report/outcome.js';
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
    await writeReport(session, flags.suggestions, (file) => writeFile(file, patch));
  if (flags.junit !== undefined) {
    const { renderJunit } = await import('../report/junit.js');
    const keys = takes.map(({ key }) => key);
    await writeReport(session, flags.junit, (file) => writeFile(file, renderJunit(outcome, keys)));
  }
  const stepSummary = process.env.GITHUB_STEP_SUMMARY;
  if (stepSummary !== undefined && stepSummary !== '') {
    const { renderMarkdown } = await import('../report/markdown.js');
    await writeReport(session, stepSummary, (file) =>
      appendFile(file, renderMarkdown(outcome, { placeOf: session.placeOf })),
    );
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

/** A report that cannot be written is told; it changes nothing about the run. */
async function writeReport(
  session: Session,
  file: string,
  write: (file: string) => Promise<void>,
): Promise<void> {
  try {
    await write(file);
  } catch (error) {
    session.stderr.write(
      `warning: ${file} cannot be written: ${error instanceof Error ? error.message : String(error)}\n`,
    );
  }
}
