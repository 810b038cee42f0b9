import type { AudioRequest, RequestField } from '../../src/core/audio-request.js';
import type { LoadedManifest, Take } from '../../src/manifest/take.js';
import { SIM_MODELS } from './catalogue.js';
import { sha256 } from './media.js';
import type { Rng } from './random.js';

/** What the simulated user wants: a manifest that is edited between runs. */
export interface Album {
  tracks: Track[];
  /** Digest of every request ever wanted, by its prompt. */
  readonly digests: Map<string, string>;
  /** The takes of each version of a track. */
  readonly takes: Map<string, readonly Take[]>;
}

export interface Track {
  readonly id: string;
  model: (typeof SIM_MODELS)[number];
  seconds: number | undefined;
  /** Counts the edits of the prompt. */
  version: number;
  takes: number;
  stem: string;
}

const TAKES_MAX = 6;

export function drawAlbum(rng: Rng): Album {
  const album: Album = { tracks: [], digests: new Map(), takes: new Map() };
  const wanted = rng.between(1, 4);
  let takes = 0;
  for (let at = 0; at < wanted; at++) {
    const track = drawTrack(rng, `t${at}`);
    takes += track.takes;
    if (takes <= TAKES_MAX) album.tracks.push(track);
  }
  return album;
}

export function drawTrack(rng: Rng, id: string): Track {
  const model = rng.pick(SIM_MODELS);
  return {
    id,
    model,
    seconds: model === 'sim-tiers' ? rng.pick([30, 60]) : undefined,
    version: 1,
    takes: rng.chance(0.7) ? 1 : 2,
    stem: rng.chance(0.7) ? `out/${id}` : `out/deep/${id}`,
  };
}

export function promptOf(track: Track): string {
  return `${track.id} version ${track.version}`;
}

export function loadedOf(
  album: Album,
  directory: string,
  budgetMicroUsd: number | undefined,
): LoadedManifest {
  const takes = album.tracks.flatMap((track) => {
    const key = JSON.stringify(track);
    const known = album.takes.get(key) ?? takesOf(track);
    album.takes.set(key, known);
    return known;
  });
  for (const take of takes) album.digests.set(take.request.prompt, take.digest);
  return {
    manifest: {
      path: `${directory}/album.yaml`,
      directory,
      takes,
      ...(budgetMicroUsd === undefined ? {} : { budgetMicroUsd }),
    },
    diagnostics: [],
    sources: new Map(),
  };
}

function takesOf(track: Track): readonly Take[] {
  const request: AudioRequest = {
    model: track.model,
    prompt: promptOf(track),
    ...(track.seconds === undefined ? {} : { duration_seconds: track.seconds }),
  };
  const digest = `v1:${sha256(Buffer.from(JSON.stringify(request)))}`;
  const parts: Partial<Record<RequestField, string>> = {};
  for (const [field, value] of Object.entries(request))
    parts[field as RequestField] = sha256(Buffer.from(String(value))).slice(0, 8);
  return Array.from({ length: track.takes }, (_, at) => ({
    key: track.takes === 1 ? track.id : `${track.id}#${at + 1}`,
    track: track.id,
    take: at + 1,
    takes: track.takes,
    request,
    digest,
    parts,
    stem: at === 0 ? track.stem : `${track.stem}-${at + 1}`,
    span: { file: 'album.yaml', line: 1, column: 1, endLine: 1, endColumn: 2 },
    fieldSpans: {},
  }));
}
