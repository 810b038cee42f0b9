import { isMap, isScalar, Parser, type YAMLMap } from 'yaml';
import { closest } from '../core/closest.js';
import type { Code } from '../core/codes.js';
import type { Diagnostic } from '../core/diagnostic.js';
import type { Source } from '../manifest/located.js';
import { compose, DEPTH_MAX, firstDeeperThan, hasMoreLexemes } from '../manifest/parse.js';
import { createSource } from '../manifest/source.js';
import type { Pick } from './pick-types.js';

export interface ParsedPicks {
  /** Complete only if there are no diagnostics. */
  readonly picks: ReadonlyMap<string, Pick>;
  readonly diagnostics: readonly Diagnostic[];
}

const TRACK_ID = /^[a-z0-9][a-z0-9._-]{0,63}$/;
const SHA256 = /^[0-9a-f]{64}$/i;
const NOTE_LENGTH_MAX = 2_000;

/** Parses a picks file, in time linear in its length. Never throws because of its content. */
export function parsePicks(file: string, text: string): ParsedPicks {
  const source = createSource(file, text);
  const broken = (start: number, end: number, message: string): ParsedPicks => ({
    picks: new Map(),
    diagnostics: [fault(source, 'picks-syntax', { start, end }, message, FORM)],
  });
  if (hasMoreLexemes(text, LEXEMES_MAX))
    return broken(0, 1, 'the picks file has more values than 20,000 picks can need');
  const tokens = [...new Parser().parse(text)];
  const deep = firstDeeperThan(DEPTH_MAX, tokens);
  if (deep !== undefined) return broken(deep, deep + 1, `values are nested more than ${DEPTH_MAX} deep`);
  const [document, second] = compose(tokens, text.length);
  const [error] = document.errors;
  if (error !== undefined)
    return broken(
      Math.min(error.pos[0], text.length),
      error.pos[1],
      `this is not valid YAML: ${lowerFirst(error.message)}`,
    );
  if (second !== undefined)
    return broken(
      second.range[0],
      second.range[0] + 1,
      'a picks file cannot contain a second document (after `---`)',
    );
  const reading: Reading = { source, diagnostics: [], picks: new Map() };
  const root = document.contents;
  if (root === null || (isScalar(root) && root.value === null)) return reading;
  if (!isMap(root)) wrong(reading, root, 'the picks file is empty', FORM);
  else readRoot(root, reading);
  return reading;
}

/** 20,000 picks with notes have fewer. */
const LEXEMES_MAX = 1_000_000;
/** Errors of fields and picks reported at most. */
const DIAGNOSTICS_MAX = 100;

const FORM = 'write `version: 1` and `picks:`, and below `picks`, indented, one entry for each track';

interface Reading {
  readonly source: Source;
  readonly diagnostics: Diagnostic[];
  readonly picks: Map<string, Pick>;
}

function readRoot(root: YAMLMap, reading: Reading): void {
  checkFields(root, ['version', 'picks'], 'a picks file', reading);
  const version = root.get('version', true);
  if (version === undefined)
    wrong(reading, root, 'the version is missing', 'begin the file with: version: 1');
  else if (!isScalar(version) || version.value !== 1)
    wrong(
      reading,
      version,
      'this version of the picks file is not supported',
      'write version: 1, or update venice-batch',
    );
  const picks = root.get('picks', true);
  if (isMap(picks)) {
    checkUnique(picks, reading);
    for (const { key, value } of picks.items) readPick(key, value, reading);
  } else if (picks !== undefined && !(isScalar(picks) && picks.value === null))
    wrong(reading, picks, '`picks` is not a map of tracks', FORM);
}

function readPick(key: unknown, value: unknown, reading: Reading): void {
  const track = textOf(key);
  if (track === undefined || !TRACK_ID.test(track))
    wrong(reading, key, 'this is not the id of a track', 'name the track as the manifest does');
  else if (!isMap(value) || value.get('sha256', true) === undefined)
    wrong(reading, key, `the pick of \`${track}\` has no \`sha256\``, 'remove the entry, and pick again');
  else {
    checkFields(value, ['sha256', 'note'], 'a pick', reading);
    const pick = pickIn(value, reading);
    if (pick !== undefined) reading.picks.set(track, pick);
  }
}

function pickIn(entry: YAMLMap, reading: Reading): Pick | undefined {
  const sha256 = textOf(entry.get('sha256', true));
  if (sha256 === undefined || !SHA256.test(sha256)) {
    const hint = 'write the SHA-256 of the file: 64 hex digits, in quotes if all of them are from 0 to 9';
    wrong(reading, entry.get('sha256', true), 'this is not a SHA-256', hint);
    return undefined;
  }
  const node = entry.get('note', true);
  if (node === undefined) return { sha256: sha256.toLowerCase() };
  const note = textOf(node);
  if (note !== undefined && note.length <= NOTE_LENGTH_MAX) return { sha256: sha256.toLowerCase(), note };
  wrong(
    reading,
    node,
    `a note is a text of at most ${NOTE_LENGTH_MAX} characters`,
    'shorten it, or put it in quotes',
  );
  return undefined;
}

/** A scalar's text, unchanged. */
function textOf(node: unknown): string | undefined {
  return isScalar(node) && typeof node.value === 'string' ? node.value : undefined;
}

function checkUnique(map: YAMLMap, reading: Reading): void {
  const names = new Set<string>();
  for (const { key } of map.items) {
    const name = textOf(key);
    if (name === undefined) continue;
    if (names.has(name)) {
      const message = `\`${name.slice(0, 64)}\` appears twice`;
      report(reading, 'picks-syntax', key, message, 'keep one of the two');
    }
    names.add(name);
  }
}

function checkFields(map: YAMLMap, known: readonly string[], what: string, reading: Reading): void {
  checkUnique(map, reading);
  for (const { key } of map.items) {
    const name = textOf(key) ?? '';
    if (known.includes(name)) continue;
    const meant = closest(name, known);
    const hint = meant === undefined ? `the fields are ${known.join(' and ')}` : `did you mean \`${meant}\`?`;
    wrong(reading, key, `\`${name.slice(0, 64)}\` is not a field of ${what}`, hint);
  }
}

function wrong(reading: Reading, node: unknown, message: string, hint: string): void {
  report(reading, 'picks-invalid', node, message, hint);
}

function report({ source, diagnostics }: Reading, code: Code, node: unknown, message: string, hint: string) {
  if (diagnostics.length < DIAGNOSTICS_MAX)
    diagnostics.push(fault(source, code, rangeOf(node), message, hint));
}

function rangeOf(node: unknown): { start: number; end: number } {
  const [start, end] = (node as { range?: [number, number, number] | null } | null)?.range ?? [0, 1];
  return { start, end };
}

function fault(
  source: Source,
  code: Code,
  { start, end }: { start: number; end: number },
  message: string,
  hint: string,
): Diagnostic {
  const span = source.spanOf({ start, end: Math.max(end, start + 1) });
  return { code, severity: 'error', message, hint, span };
}

function lowerFirst(text: string): string {
  return text.charAt(0).toLowerCase() + text.slice(1, 200);
}
