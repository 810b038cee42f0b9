import path from 'node:path';
import { describeFault, faultCode } from '../core/errors.js';
import type { Files } from '../core/ports.js';
import type { LoadedManifest } from '../manifest/take.js';
import { takeAnnotations } from '../report/github-annotations.js';
import type { RunOutcome } from '../report/outcome.js';
import { pathText } from '../report/path-text.js';
import { githubPlaces, isGithub } from './github-places.js';
import { type OutputFlag, obstacle } from './output-files.js';
import type { Session } from './session.js';

/** Writes the requested files, and what GitHub Actions shows of a run besides its log. */
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
  // Without new suggestions the file is not changed: earlier ones may not have been applied yet.
  if (flags.suggestions !== undefined && patch !== '')
    await writeReport(world, flags.suggestions, patch, 'suggestions');
  if (flags.junit !== undefined) {
    const { renderJunit } = await import('../report/junit.js');
    const wanted = takes.map(({ key, request }) => ({ key, model: request.model }));
    await writeReport(
      world,
      flags.junit,
      renderJunit(outcome, wanted, { qcFail: flags.qcFail === true }),
      'junit',
    );
  }
  const stepSummary = process.env.GITHUB_STEP_SUMMARY;
  if (stepSummary !== undefined && stepSummary !== '') {
    const { renderMarkdown } = await import('../report/step-summary.js');
    const text = renderMarkdown(outcome, { placeOf: session.placeOf, command: session.command });
    await writeReport(world, stepSummary, text, 'append');
  }
  if (isGithub())
    stderr.write(takeAnnotations(outcome, takes, { ...githubPlaces(), command: session.command }));
}

/**
 * The only place where text is written to a file. An error is reported, and does not affect the run. Never writes
 * through a symbolic link, or to a pipe: see `Files.open`.
 *
 * @param kind what may be replaced; with `append`, existing content stays
 */
export async function writeReport(
  { redact, stderr, files }: Pick<Session, 'redact' | 'stderr'> & { readonly files: Files },
  name: string,
  text: string,
  kind: OutputFlag | 'append',
): Promise<void> {
  const file = path.resolve(name);
  const fail = (why: string) => stderr.write(`warning: ${pathText(name)} cannot be written: ${why}\n`);
  try {
    // Check again: this may be long after the start, or before anything else was checked.
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
