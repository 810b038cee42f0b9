import path from 'node:path';
import { asOperand, commandLine, shellWord } from '../core/shell.js';
import type { LoadedManifest } from '../manifest/take.js';
import type { RunOutcome } from '../report/outcome.js';
import type { Terminal } from '../report/terminal.js';
import type { Session } from '../session/session.js';

/** Prompts shown on the screen at most. The file has all. */
const SHOWN_MAX = 50;

/** Prompts suggested by the content policy in this run. */
export interface ReportedSuggestions {
  /** For `--suggestions`; empty if there is nothing to patch. */
  readonly patch: string;
  /** The section of the last screen. */
  readonly section: readonly string[];
}

/** @param screen where the section will be shown */
export async function reportSuggestions(
  session: Session,
  outcome: RunOutcome,
  loaded: LoadedManifest | undefined,
  screen: Terminal,
): Promise<ReportedSuggestions> {
  const text = loaded?.sources.get(session.displayPath);
  const failures = outcome.failures.filter(({ suggested_prompt }) => suggested_prompt !== undefined);
  if (text === undefined || failures.length === 0) return { patch: '', section: [] };
  const { suggestPrompts } = await import('../report/suggestions.js');
  const { suggestionLines } = await import('../report/suggestions-text.js');
  const { manifestPath, flags } = session.settings;
  const { name, apply, inside } = placeOf(manifestPath);
  const manifest = { takes: loaded?.manifest?.takes ?? [], text, name };
  const file = flags.suggestions;
  const section = suggestionLines(suggestPrompts(failures.slice(0, SHOWN_MAX), manifest), {
    apply: commandLine(apply),
    file: file && shellWord(inside ? asOperand(file) : path.resolve(file)),
    color: screen.color,
    width: Math.max(40, screen.columns),
  });
  return { patch: suggestPrompts(failures, manifest).patch, section };
}

/** `git apply` accepts only names below its own folder, so a manifest elsewhere is patched in its folder. */
function placeOf(manifestPath: string): { name: string; apply: string[]; inside: boolean } {
  const relative = path.relative(process.cwd(), manifestPath);
  const inside = !relative.startsWith('..') && !path.isAbsolute(relative);
  return inside
    ? { name: relative.split(path.sep).join('/'), apply: ['git', 'apply'], inside }
    : {
        name: path.basename(manifestPath),
        apply: ['git', '-C', path.dirname(manifestPath), 'apply'],
        inside,
      };
}
