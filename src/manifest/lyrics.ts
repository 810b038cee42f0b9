import { join, posix, relative, sep } from 'node:path';
import pLimit from 'p-limit';
import type { Code } from '../core/codes.js';
import type { Diagnostic } from '../core/diagnostic.js';
import { faultCode } from '../core/errors.js';
import { hiddenPart } from '../core/hidden-part.js';
import type { Files, FolderFiles } from '../core/ports.js';
import { fileMeant } from './file-meant.js';
import { type MergedTrack, placed, type Sourced } from './merge-defaults.js';
import { normaliseAround } from './request.js';
import { describeTextFault } from './text-fault.js';
import { readTextFile, type TextFile } from './text-file.js';
import { unprintableIn } from './unprintable.js';

const LYRICS_BYTES_MAX = 1024 * 1024;
/** The same limit as for `lyrics_prompt` in the schema. */
const LYRICS_LENGTH_MAX = 100_000;
const READS_MAX = 16;
/** For each of them the folder is listed. */
const MEANT_MAX = 20;

/**
 * What is wrong with a path itself, or `undefined`. The file's content is sent to the service, so it has to be inside
 * the manifest's folder.
 */
function lyricsPathFault(path: string): { message: string; hint: string } | undefined {
  if (/^([/\\]|~[/\\]|[A-Za-z]:)/.test(path))
    return {
      message: '`lyrics_file` is an absolute path',
      hint: "give it relative to the manifest's folder, so that the manifest works on any machine",
    };
  if (posix.normalize(path).split('/')[0] === '..') return OUTSIDE;
  if (path.includes('\\'))
    return { message: 'a backslash in `lyrics_file`', hint: 'separate folders with /' };
  if (/\p{Cc}/u.test(path)) return { message: 'a control character in `lyrics_file`', hint: 'remove it' };
  return hiddenFault(posix.normalize(path));
}

function hiddenFault(path: string): { message: string; hint: string } | undefined {
  const part = hiddenPart(path);
  if (part === undefined) return undefined;
  return {
    message: `\`lyrics_file\` leads to \`${part}\`: files and folders whose names begin with a dot may hold secrets`,
    hint: 'copy the lyrics to a file without such a name: what it holds is sent to the service',
  };
}

const OUTSIDE = {
  message: '`lyrics_file` is outside the manifest folder',
  hint: 'move the file into that folder: files outside it are never sent to the service',
};

type Problem = Pick<Diagnostic, 'code' | 'severity' | 'message' | 'hint'>;

export type LyricsFile = { readonly text: string } | { readonly problem: Problem };

/** Every lyrics file that a track names, by its path as written. Each is read and checked once. */
export async function readLyrics(
  files: Files,
  directory: string,
  tracks: readonly MergedTrack[],
): Promise<ReadonlyMap<string, LyricsFile>> {
  const paths = new Set<string>();
  for (const { fields } of tracks) {
    if (fields.lyrics_file) paths.add(fields.lyrics_file.value);
  }
  const limit = pLimit(READS_MAX);
  let suggested = 0;
  const meantBy: typeof fileMeant = async (...about) => {
    suggested += 1;
    return suggested > MEANT_MAX ? undefined : fileMeant(...about);
  };
  const texts = await Promise.all(
    [...paths].map((path) =>
      limit(async () => [path, await readOne(files, directory, path, meantBy)] as const),
    ),
  );
  return new Map(texts);
}

async function readOne(
  files: Files,
  directory: string,
  path: string,
  meantBy: typeof fileMeant,
): Promise<LyricsFile> {
  const fault = lyricsPathFault(path);
  if (fault) return { problem: { code: 'lyrics-path', severity: 'error', ...fault } };
  const inside = await resolved(files, directory, path);
  if ('message' in inside) return { problem: { code: 'lyrics-path', severity: 'error', ...inside } };
  const file = 'kind' in inside ? inside : await readTextFile(inside.files, inside.path, LYRICS_BYTES_MAX);
  if (file.kind === 'fault') {
    const meant =
      'files' in inside
        ? await meantBy(inside.files, 'lyrics', { path: inside.path, written: path, fault: file.fault })
        : undefined;
    return { problem: describeTextFault('lyrics', path, file, meant) };
  }
  const text = normaliseAround(file.text);
  const problem = textProblem(path, text);
  return problem ? { problem } : { text };
}

/**
 * Follows links if they stay inside the folder; the result is then read without following links that appear meanwhile.
 */
async function resolved(
  files: Files,
  directory: string,
  path: string,
): Promise<{ files: FolderFiles; path: string } | TextFile | { message: string; hint: string }> {
  try {
    const [root, real] = await Promise.all([files.real(directory), files.real(join(directory, path))]);
    if (real !== root && !real.startsWith(root.endsWith(sep) ? root : root + sep)) return OUTSIDE;
    return hiddenFault(relative(root, real)) ?? { files: await files.below(root), path: real };
  } catch (error) {
    const code = faultCode(error);
    if (code === '') throw error;
    return { kind: 'fault', fault: 'unreadable', code };
  }
}

function textProblem(path: string, text: string): Problem | undefined {
  const problem = (code: Code, message: string, hint: string): Problem => ({
    code,
    severity: 'error',
    message: `\`${path}\` ${message}`,
    hint,
  });
  if (text === '') return problem('empty-text', 'is empty', 'write the lyrics into it');
  if ([...text].length > LYRICS_LENGTH_MAX)
    return problem('too-long', 'has more than 100,000 characters', 'is it the right file?');
  const bad = unprintableIn(text);
  if (bad === undefined) return undefined;
  return problem('unprintable-character', `has the character ${bad}, which cannot be printed`, 'remove it');
}

/** The lyrics that apply to a track. */
export interface Lyrics {
  readonly text?: string;
  readonly diagnostics: readonly Diagnostic[];
}

/** @param texts as returned by `readLyrics` */
export function lyricsOf({ fields }: MergedTrack, texts: ReadonlyMap<string, LyricsFile>): Lyrics {
  const { lyrics_prompt: written, lyrics_file: named } = fields;
  if (written && named) return { diagnostics: [lyricsTwice(written, named)] };
  if (!named) return { ...(written ? { text: written.value } : {}), diagnostics: [] };
  const file = texts.get(named.value);
  if (file === undefined) throw new Error(`lyrics were not read: ${named.value}`);
  return 'text' in file
    ? { text: file.text, diagnostics: [] }
    : { diagnostics: [{ ...file.problem, ...placed(named) }] };
}

function lyricsTwice(written: Sourced<string>, named: Sourced<string>): Diagnostic {
  return {
    code: 'lyrics-twice',
    severity: 'error',
    message: 'both `lyrics_file` and `lyrics_prompt` are set',
    hint: 'keep one of the two',
    ...placed(named, { message: '`lyrics_prompt` is set here', span: written.spans[0] }),
  };
}
