import { dirname } from 'node:path';
import { compareDiagnostics, type Diagnostic } from '../core/diagnostic.js';
import { MICRO_USD_PER_USD } from '../core/money.js';
import type { Files } from '../core/ports.js';
import { fileMeant } from './file-meant.js';
import { entryOf } from './located.js';
import type { ManifestFile } from './manifest.types.js';
import type { LoadedManifest, Manifest, Take } from './take.js';
import { describeTextFault } from './text-fault.js';
import { readTextFile } from './text-file.js';

/** Size limit of the file. */
const MANIFEST_BYTES_MAX = 16 * 1024 * 1024;

/**
 * Reads a manifest and its lyrics files, and checks everything that can be checked without the service. Invalid input
 * is returned as diagnostics, never thrown.
 *
 * @param path absolute
 * @param displayPath how diagnostics name the file
 */
export async function loadManifest(files: Files, path: string, displayPath: string): Promise<LoadedManifest> {
  const file = await readTextFile(files, path, MANIFEST_BYTES_MAX);
  if (file.kind === 'text') return loadManifestText(files, file.text, path, displayPath);
  const meant = await fileMeant(files, 'manifest', { path, written: displayPath, fault: file.fault });
  return { diagnostics: [describeTextFault('manifest', displayPath, file, meant)], sources: new Map() };
}

/**
 * Like `loadManifest`, for a text that was read already (standard input).
 *
 * @param path absolute: where the text would be as a file; other paths are relative to its folder
 */
export async function loadManifestText(
  files: Files,
  text: string,
  path: string,
  displayPath: string,
): Promise<LoadedManifest> {
  // Heavy (yaml, ajv), so loaded only when needed.
  const { parseManifest } = await import('./parse.js');
  const { source, root, diagnostics: syntax } = parseManifest(displayPath, text);
  const sources = new Map([[source.file, source.text]]);
  if (root === undefined) return { diagnostics: withOddSpaces(inOrder(syntax), source.text), sources };

  const { checkSchema } = await import('./schema.js');
  const checked = checkSchema(root, source);
  const { mergeTracks } = await import('./merge-defaults.js');
  const { readLyrics } = await import('./lyrics.js');
  const { expandTracks } = await import('./expand.js');
  const directory = dirname(path);
  const tracks = mergeTracks(root, source, checked.unfit);
  const lyrics = await readLyrics(files, directory, tracks);
  const expanded = expandTracks(tracks, lyrics, source);
  const { readRelease } = await import('./release.js');
  const released = readRelease(root, tracks, source);
  const diagnostics = withOddSpaces(
    inOrder([...syntax, ...checked.diagnostics, ...expanded.diagnostics, ...released.diagnostics]),
    source.text,
  );
  if (diagnostics.some(({ severity }) => severity === 'error')) return { diagnostics, sources };
  const document = root.value as unknown as ManifestFile;
  const budget = entryOf(root, 'budget');
  return {
    manifest: {
      ...manifestOf(document, expanded.takes, path),
      ...(budget === undefined ? {} : { budgetSpan: source.spanOf(budget.node) }),
      extraTake: expanded.extraTake,
      release: released.release,
    },
    diagnostics,
    sources,
  };
}

function manifestOf(document: ManifestFile, takes: readonly Take[], path: string): Manifest {
  const { title, budget, concurrency, state } = document;
  return {
    path,
    directory: dirname(path),
    ...(title === undefined ? {} : { title }),
    ...(state === undefined ? {} : { state }),
    // Rounded down to whole micro-dollars, because a limit must never grow.
    ...(budget === undefined
      ? {}
      : { budgetMicroUsd: Math.floor(Number((budget * MICRO_USD_PER_USD).toFixed(6))) }),
    ...(concurrency === undefined ? {} : { concurrency }),
    takes,
  };
}

/**
 * A space that YAML does not treat as one, where one is needed: before a line's text, after `-`, and around a field's
 * colon.
 */
const ODD_SPACE = /^(?:[ -]*|[ -]*[\w-]+ *:? *)((?! )\p{Zs})/u;

/** Errors in a line with such a space mention it: it is invisible, and usually the whole cause. */
function withOddSpaces(diagnostics: readonly Diagnostic[], text: string): readonly Diagnostic[] {
  if (!/(?! )\p{Zs}/u.test(text)) return diagnostics;
  const lines = text.split('\n');
  return diagnostics.map((one) => {
    const odd = ODD_SPACE.exec(lines[(one.span?.line ?? 0) - 1] ?? '')?.[1];
    if (odd === undefined || one.severity !== 'error') return one;
    const code = odd.codePointAt(0)!.toString(16).toUpperCase().padStart(4, '0');
    return {
      ...one,
      hint: `this line has the character U+${code}, which only looks like a space: write a plain space`,
    };
  });
}

/** Sorted and without duplicates: an error in `defaults` is found again in every track that uses it. */
function inOrder(diagnostics: readonly Diagnostic[]): readonly Diagnostic[] {
  const firstByText = new Map<string, Diagnostic>();
  for (const one of diagnostics) {
    const key = JSON.stringify([one.code, one.message, one.span?.line, one.span?.column]);
    if (!firstByText.has(key)) firstByText.set(key, one);
  }
  return [...firstByText.values()].sort(compareDiagnostics);
}
