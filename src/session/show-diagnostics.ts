import type { Diagnostic } from '../core/diagnostic.js';
import { redactIn } from '../core/redact.js';
import { renderDiagnostics } from '../report/diagnostics.js';
import { githubAnnotations } from '../report/github-annotations.js';
import type { Terminal } from '../report/terminal.js';
import { githubPlaces, isGithub } from './github-places.js';

/** Code frames on stderr, and annotations for GitHub Actions. */
export function showDiagnostics(
  { stderr, redact }: { readonly stderr: Terminal; readonly redact: (text: string) => string },
  diagnostics: readonly Diagnostic[],
  sources: ReadonlyMap<string, string>,
): void {
  const { color, columns: width, isTty } = stderr;
  const options = { color, width, ...(isTty ? { textWidth: width } : {}) };
  const reported = redactIn(diagnostics, redact);
  stderr.write(renderDiagnostics(reported, sources, options));
  if (isGithub()) stderr.write(githubAnnotations(reported, githubPlaces()));
}
