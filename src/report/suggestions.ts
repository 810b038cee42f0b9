import type { TakeEvent } from '../core/events.js';
import type { Take } from '../manifest/take.js';
import { type Edit, unifiedDiff } from './unified-diff.js';

/** Prompts suggested by the content policy, as a change to the manifest. */
export interface Suggestions {
  /** A unified diff of the manifest, for `git apply`; '' if no prompt can be patched. */
  readonly patch: string;
  /** Tracks whose prompt the patch replaces. */
  readonly patched: readonly string[];
  /**
   * Tracks that it does not change, because that would affect more than their own prompt, or break the file. Untrusted
   * text.
   */
  readonly unpatched: readonly { readonly track: string; readonly prompt: string; readonly why: string }[];
}

export interface ManifestText {
  readonly takes: readonly Take[];
  readonly text: string;
  /** Its name in the patch: with `/`, relative to the folder in which it is applied. */
  readonly name: string;
}

/** As in `schemas/manifest.schema.json`. */
const PROMPT_LENGTH_MAX = 100_000;
/** Characters that a manifest's texts may not contain. */
const UNPRINTABLE = /(?![\t\n\r\u0085])\p{Cc}|\p{Cs}/u;

/** Tracks whose prompt is at one place: more than one only in `defaults`. */
interface Place {
  readonly edit: Omit<Edit, 'text'>;
  readonly tracks: Set<string>;
  /** By track. */
  readonly suggested: Map<string, string>;
}

/**
 * A patch that replaces each refused prompt with the suggested one, as a double-quoted YAML scalar, and changes nothing
 * else. If there are several suggestions for the takes of one track, the first counts.
 */
export function suggestPrompts(failures: readonly TakeEvent[], manifest: ManifestText): Suggestions {
  const edits: Edit[] = [];
  const patched: string[] = [];
  const unpatched: Suggestions['unpatched'][number][] = [];
  for (const place of placesOf(failures, manifest)) {
    const why = obstacle(place, manifest.text);
    const [prompt] = place.suggested.values();
    if (why === undefined && prompt !== undefined) {
      edits.push(replacement(place.edit, manifest.text, prompt));
      patched.push(...place.suggested.keys());
    } else
      for (const [track, text] of place.suggested) unpatched.push({ track, prompt: text, why: why ?? '' });
  }
  edits.sort((a, b) => a.start - b.start);
  return { patch: unifiedDiff(manifest.name, manifest.text, edits), patched, unpatched };
}

/** The places of prompts with suggestions, in the order of the failures. */
function placesOf(failures: readonly TakeEvent[], { takes, text }: ManifestText): readonly Place[] {
  const suggested = new Map<string, string>();
  for (const { track, suggested_prompt } of failures) {
    const prompt = suggested_prompt?.trim();
    if (prompt && !suggested.has(track)) suggested.set(track, prompt);
  }
  if (suggested.size === 0) return [];
  const offsetOf = offsets(text);
  const places = new Map<number, Place>();
  for (const { track, fieldSpans } of takes) {
    const [span] = fieldSpans.prompt ?? [];
    if (span === undefined) continue;
    const start = offsetOf(span.line, span.column);
    const place = places.get(start) ?? {
      edit: { start, end: offsetOf(span.endLine, span.endColumn) },
      tracks: new Set(),
      suggested: new Map(),
    };
    places.set(start, place);
    place.tracks.add(track);
    const prompt = suggested.get(track);
    if (prompt !== undefined) place.suggested.set(track, prompt);
  }
  return [...places.values()].filter((place) => place.suggested.size > 0);
}

function offsets(text: string): (line: number, column: number) => number {
  const starts = [0];
  for (let at = text.indexOf('\n'); at !== -1; at = text.indexOf('\n', at + 1)) starts.push(at + 1);
  return (line, column) => (starts[line - 1] ?? text.length) + column - 1;
}

/** Why the prompt at this place cannot be replaced without changing anything else. */
function obstacle({ edit, tracks, suggested }: Place, text: string): string | undefined {
  const [prompt = ''] = suggested.values();
  if (suggested.size < tracks.size)
    return 'its prompt is in `defaults`, and other tracks use it: give the track its own prompt';
  if (new Set(suggested.values()).size > 1)
    return 'its prompt is in `defaults`, and each track got another suggestion: give the track its own prompt';
  if (UNPRINTABLE.test(prompt)) return 'the suggestion has characters that a manifest may not have';
  if ([...prompt].length > PROMPT_LENGTH_MAX) return 'the suggestion is longer than a prompt may be';
  const anchor = anchorBefore(edit.start, text);
  if (anchor !== undefined && repeats(text, anchor))
    return `its prompt is marked \`&${anchor}\`, and repeated elsewhere`;
  return undefined;
}

/** How far to look back for an anchor, past a tag and a comment. */
const PROPERTIES_LENGTH_MAX = 400;

/** The anchor of the value that begins at `start`. A tag, a comment and a line end may be in between. */
function anchorBefore(start: number, text: string): string | undefined {
  const before = text.slice(Math.max(0, start - PROPERTIES_LENGTH_MAX), start);
  return /(?<=\s|^)&([^\s,[\]{}]+)\s(?:\s|#[^\n]*\n|!\S*\s)*$/.exec(before)?.[1];
}

function repeats(text: string, anchor: string): boolean {
  for (let at = text.indexOf(`*${anchor}`); at !== -1; at = text.indexOf(`*${anchor}`, at + 1))
    if (/^(?:[\s,[\]{}]|$)/.test(text.slice(at + anchor.length + 1, at + anchor.length + 2))) return true;
  return false;
}

/** The comment after the header of a block scalar is kept, after the replacement. */
function replacement({ start, end }: Omit<Edit, 'text'>, text: string, prompt: string): Edit {
  const scalar = quoted(prompt);
  if (!/[|>]/.test(text.charAt(start))) return { start, end, text: scalar };
  const head = text.slice(start, end).split('\n', 1)[0] ?? '';
  const comment = /\s#.*$/u.exec(head.trimEnd())?.[0] ?? '';
  // A span ends before white space, which YAML counts as content if it is neither space nor tab.
  const rest = /^[\s\uFEFF]*/u.exec(text.slice(end))?.[0] ?? '';
  const content = /^.*[^ \t\r\n]/su.exec(rest)?.[0] ?? '';
  return { start, end: end + content.length, text: scalar + comment };
}

/** A double-quoted scalar on one line, without characters that control a terminal. JSON's escapes are valid in YAML. */
function quoted(text: string): string {
  return JSON.stringify(text).replace(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/gu, (character) => {
    const code = character.codePointAt(0)!.toString(16);
    return code.length > 4 ? `\\U${code.padStart(8, '0')}` : `\\u${code.padStart(4, '0')}`;
  });
}
