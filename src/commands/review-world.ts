import { createHash } from 'node:crypto';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { BatchError, isSystemFault } from '../core/errors.js';
import type { Files } from '../core/ports.js';
import { writePicks } from '../picks/picks-file.js';
import type { PickRequest, ReviewFile } from '../review/data.js';
import type { PageAssets } from '../review/html.js';
import type { PageWorld, ServedFile } from '../review/routes.js';
import { picksFileOf } from '../session/picks.js';
import type { Session } from '../session/session.js';
import type { Output } from '../storage/output.js';
import { albumAttempts } from './album-attempts.js';
import { type AlbumView, viewAlbum } from './album-view.js';
import { heightsOf, type Listener } from './listen.js';
import { pickFor } from './pick-command.js';

/** The picks file refuses longer notes. */
const NOTE_LENGTH_MAX = 2_000;

const ASSET_BYTES_MAX = 4 * 1024 * 1024;

/** The page's script and style, which the build puts next to the program. */
export async function readAssets(files: Files): Promise<PageAssets> {
  const read = async (name: string) => {
    const file = fileURLToPath(new URL(`../page/${name}`, import.meta.url));
    return new TextDecoder().decode(await files.read(file, ASSET_BYTES_MAX));
  };
  return { script: await read('page.js'), style: await read('page.css') };
}

/** Data and actions of the review page of one album. Files are measured in the background and appear when ready. */
export async function openWorld(session: Session, output: Output, listener: Listener): Promise<PageWorld> {
  const { files } = session.ports;
  const attempts = albumAttempts(session, output, 'review');
  const look = async () => {
    latest = await viewAlbum(session, output, await attempts(), { sounds: listener.sounds, urlOf });
    listener.measureFiles(latest.files.values());
    return latest;
  };
  let latest: AlbumView | undefined;
  let saving: Promise<unknown> = look();
  await saving;
  return {
    assets: await readAssets(files),
    async data() {
      try {
        const { data } = await look();
        return { ok: true, data, tag: createHash('sha256').update(JSON.stringify(data)).digest('hex') };
      } catch (error) {
        return { ok: false, problem: problemOf(error) };
      }
    },
    audio: async (sha256) => servedFile(output, latest?.files.get(sha256)),
    async peaks(sha256) {
      const file = latest?.files.get(sha256);
      const peaks = file && (await listener.peaks(file));
      return peaks && heightsOf(peaks);
    },
    pick(request) {
      // One after the other, because each pick edits the file that the one before wrote.
      const saved = saving.then(async () => savePick(session, await look(), request)).catch(problemOf);
      saving = saved;
      return saved;
    },
  };
}

function urlOf({ sha256 }: { readonly sha256: string }): string {
  return `audio/${sha256}`;
}

async function servedFile(output: Output, file: ReviewFile | undefined): Promise<ServedFile | undefined> {
  if (file === undefined) return undefined;
  const full = path.join(output.root, file.path);
  const facts = await output.files.facts(full);
  if (facts?.kind !== 'file') return undefined;
  const stream = (firstByte: number) => output.files.stream(full, firstByte);
  return { bytes: facts.bytes, mediaType: file.mediaType, stream };
}

/** Resolves to the reason if it was not saved. */
async function savePick(
  session: Session,
  { data, picks }: AlbumView,
  { track: id, sha256, note }: PickRequest,
): Promise<string | undefined> {
  const track = data.tracks.find((one) => one.id === id);
  if (track === undefined) return `${id} is no longer in the manifest.`;
  const before = picks.picks.get(id);
  const isKnown = track.takes.some(({ file }) => file?.sha256 === sha256) || before?.sha256 === sha256;
  if (sha256 !== null && !isKnown) return `That file is no longer a take of ${id}.`;
  if ((note ?? '').length > NOTE_LENGTH_MAX) return `A note has at most ${NOTE_LENGTH_MAX} characters.`;
  const pick = sha256 === null ? undefined : pickFor(sha256, note, before);
  const { files, random } = session.ports;
  await writePicks(files, random, picksFileOf(session.settings), picks.text, new Map([[id, pick]]));
  return undefined;
}

/** The message for the user. Rethrows bugs. */
function problemOf(error: unknown): string {
  if (error instanceof BatchError || isSystemFault(error)) return (error as Error).message;
  throw error;
}
