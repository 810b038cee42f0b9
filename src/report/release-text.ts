import { takeKey } from '../core/take-key.js';
import type { ReleasedTrack } from '../release/documents.js';
import { escapeForeign } from './escape.js';
import { jsonDocument } from './json-text.js';
import { pathText } from './path-text.js';
import { type Column, renderTable } from './table.js';

/** A release that was made, or would be. */
export interface ReleaseReport {
  readonly tracks: readonly ReleasedTrack[];
  /** All its files, relative to its folder; with `bytes` if it was made. */
  readonly files: readonly { readonly path: string; readonly bytes?: number; readonly sha256?: string }[];
  /** Absolute. */
  readonly folder: string;
  /** Absolute. */
  readonly zip?: string;
  /** `track` is `null` if it concerns the whole release. */
  readonly warnings: readonly { readonly track: string | null; readonly message: string }[];
  readonly dryRun: boolean;
}

export interface ReleaseTextOptions {
  readonly width: number;
  /** Display path of a file. */
  placeOf(absolute: string): string;
}

export function renderRelease(report: ReleaseReport, { width, placeOf }: ReleaseTextOptions): string {
  const { tracks, files, folder, zip, dryRun } = report;
  const count = `${tracks.length} track${tracks.length === 1 ? '' : 's'}`;
  const size = dryRun ? '' : `, ${megabytes(files.reduce((sum, { bytes = 0 }) => sum + bytes, 0))}`;
  const place = pathText(placeOf(folder));
  const lines = [
    ...renderTable(COLUMNS, tracks.map(cellsOf), { width }),
    '',
    `${dryRun ? 'would release' : 'released'} ${count} to ${place} (${files.length} files${size})`,
    ...(zip === undefined ? [] : [`${dryRun ? 'would write' : 'wrote'} ${pathText(placeOf(zip))}`]),
    ...(dryRun ? [] : [`to check it: (cd ${place} && sha256sum -c SHA256SUMS)`]),
  ];
  return `${lines.join('\n')}\n`;
}

const COLUMNS: readonly Column[] = [
  { header: 'FILE', widthMin: 16 },
  { header: 'TAKE' },
  { header: 'MODEL', widthMin: 8, optional: true },
  { header: 'LOUDNESS', align: 'right', optional: true },
  { header: 'GAIN', align: 'right', optional: true },
  { header: 'LIMITED', align: 'right', optional: true },
];

function cellsOf({
  path,
  track,
  take,
  model,
  loudnessLufs,
  gainDb,
  limitedDb,
}: ReleasedTrack): readonly string[] {
  return [
    path,
    takeKey({ track, take }),
    model,
    loudnessLufs === undefined ? '-' : `${loudnessLufs.toFixed(1)} LUFS`,
    gainDb === undefined ? '-' : `${gainDb > 0 ? '+' : ''}${gainDb.toFixed(1)} dB`,
    limitedDb === undefined ? '-' : `${limitedDb.toFixed(1)} dB`,
  ];
}

function megabytes(bytes: number): string {
  return `${(bytes / 1_000_000).toFixed(1)} MB`;
}

/** The same for programs. */
export function releaseJson({ tracks, files, folder, zip, warnings, dryRun }: ReleaseReport): string {
  const listed = tracks.map((one) => ({
    path: one.path,
    track: one.track,
    take: one.take,
    title: one.title,
    model: one.model,
    original_sha256: one.originalSha256,
    loudness_lufs: one.loudnessLufs ?? null,
    true_peak_db: one.truePeakDb ?? null,
    gain_db: one.gainDb ?? null,
    limited_db: one.limitedDb ?? null,
  }));
  const document = {
    schema: 1,
    dry_run: dryRun,
    folder,
    zip: zip ?? null,
    tracks: listed,
    files: files.map(({ path, bytes, sha256 }) => ({ path, bytes: bytes ?? null, sha256: sha256 ?? null })),
    warnings,
  };
  return jsonDocument(document);
}

export function releaseWarnings({ warnings }: Pick<ReleaseReport, 'warnings'>): string {
  return warnings
    .map(({ track, message }) => (track === null ? message : `${track}: ${message}`))
    .map((text) => `warning: ${escapeForeign(text)}\n`)
    .join('');
}
