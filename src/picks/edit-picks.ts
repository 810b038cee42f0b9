import { type Document, isMap, isNode, isScalar, parseDocument, type Scalar, YAMLMap } from 'yaml';
import type { Pick } from './pick-types.js';

const NEW_FILE = `# The chosen take of each track, by the SHA-256 of its file. Written by \`venice-batch pick\` and \`review\`.
version: 1
picks: {}
`;

/**
 * Returns the text with some picks changed. Comments, order and unchanged entries stay as they are; new entries come
 * last.
 *
 * @param text of a file that `parsePicks` accepts; `undefined` if it does not exist yet
 * @param changes the new pick of each track; `undefined` removes it
 */
export function editPicks(text: string | undefined, changes: ReadonlyMap<string, Pick | undefined>): string {
  const document = documentOf(text);
  const picks = picksIn(document);
  for (const [track, pick] of changes) {
    if (pick === undefined) removePick(picks, track);
    else setPick(document, picks, track, pick);
  }
  // An empty map needs flow style, and a former `{}` must not grow on one line.
  picks.flow = picks.items.length === 0;
  const edited = document.toString({ lineWidth: 0 });
  return text?.includes('\r\n') === true ? edited.replaceAll(/\r?\n/g, '\r\n') : edited;
}

/** Checking that keys are unique is quadratic, and `parsePicks` has done it. */
const PARSING = { version: '1.2', stringKeys: true, uniqueKeys: false } as const;

function documentOf(text: string | undefined): Document {
  const document: Document = parseDocument(text ?? NEW_FILE, PARSING);
  if (isMap(document.contents)) return document;
  const fresh: Document = parseDocument(NEW_FILE, PARSING);
  // Keeps the comments of a file that had nothing else.
  if (document.commentBefore || document.comment)
    fresh.commentBefore = document.commentBefore ?? document.comment;
  return fresh;
}

function picksIn(document: Document): YAMLMap {
  const known = document.get('picks', true);
  if (isMap(known)) return known;
  const made = new YAMLMap();
  document.set('picks', made);
  return made;
}

function setPick(document: Document, picks: YAMLMap, track: string, pick: Pick): void {
  const known = picks.get(track, true);
  const entry: YAMLMap = isMap(known) ? known : new YAMLMap();
  if (!isMap(known)) picks.set(document.createNode(track), entry);
  setField(entry, 'sha256', pick.sha256);
  if (pick.note === undefined) removeNote(entry);
  else setField(entry, 'note', pick.note);
}

/** Comments above and below the entry stay; those inside it are about the pick. */
function removePick(picks: YAMLMap, track: string): void {
  const at = indexOf(picks, track);
  const [removed] = picks.items.splice(at, at < 0 ? 0 : 1);
  const around = joined(
    commentAbove(removed?.key),
    isMap(removed?.value) ? removed.value.comment : undefined,
  );
  const next = picks.items[at]?.key;
  if (isNode(next)) next.commentBefore = joined(around, next.commentBefore);
  else picks.comment = joined(around, picks.comment);
}

function removeNote(entry: YAMLMap): void {
  const at = indexOf(entry, 'note');
  const [note] = entry.items.splice(at, at < 0 ? 0 : 1);
  const beside = isNode(note?.value) ? note.value.comment : undefined;
  entry.comment = joined(commentAbove(note?.key), beside, entry.comment);
}

function indexOf({ items }: YAMLMap, name: string): number {
  return items.findIndex(({ key }) => isScalar(key) && key.value === name);
}

function commentAbove(key: unknown): string | null | undefined {
  return isNode(key) ? key.commentBefore : undefined;
}

function joined(...comments: readonly (string | null | undefined)[]): string | null {
  return comments.filter(Boolean).join('\n') || null;
}

/** An unchanged value keeps its quotes; a changed one keeps the comment beside it. */
function setField(entry: YAMLMap, name: string, value: string): void {
  const known = entry.get(name, true) as Scalar | undefined;
  if (!isScalar(known)) entry.set(name, value);
  else if (known.value !== value) known.value = value;
}
