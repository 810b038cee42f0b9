import type { QcFinding } from '../qc/findings.js';
import type { Measures } from '../qc/measure.js';
import type { Style } from './style.js';
import { renderTable } from './table.js';
import { wrap } from './width.js';

export interface TakeSound {
  /** Name of the take. */
  readonly key: string;
  readonly attempt: string;
  /** Relative to the output root. */
  readonly path: string;
  readonly sha256: string;
  readonly measures: Measures;
  readonly findings: readonly QcFinding[];
}

export interface SoundView {
  readonly sounds: readonly TakeSound[];
  /** Takes with a file that was not measured. */
  readonly unknown: readonly string[];
  /** Of these, whose file could not be decoded here. */
  readonly undecodable: readonly string[];
  /** Of these, whose file is here and may be measured by `qc`. */
  readonly unmeasured: readonly string[];
  /** Of these, whose file was changed since it was stored. */
  readonly changed: readonly string[];
}

/** Findings worth a listen for one take. */
export function soundLines(
  key: string,
  findings: readonly { readonly message: string }[],
  style: Style,
  width: number,
): string[] {
  return findings.flatMap(({ message }) => {
    const [first = '', ...rest] = wrap(`${key}: ${message}`, Math.max(20, width - 4));
    return [`  ${style.warn('!')} ${first}`, ...rest.map((line) => `    ${line}`)];
  });
}

/** For `status`: findings, and how to measure the other files. */
export function soundSection(
  { sounds, undecodable, unmeasured }: SoundView,
  command: (verb: string) => string,
  style: Style,
  width: number,
): string[] {
  const lines = sounds.flatMap(({ key, findings }) => soundLines(key, findings, style, width));
  if (unmeasured.length > 0)
    lines.push(
      `  ${unmeasured.length} ${unmeasured.length === 1 ? 'file is' : 'files are'} not measured: ${command('qc')}`,
    );
  if (undecodable.length > 0)
    lines.push(
      `  ${undecodable.length} ${undecodable.length === 1 ? 'file' : 'files'} could not be decoded here, and cannot be measured`,
    );
  return lines.length === 0 ? [] : ['Sound', ...lines];
}

/** For `qc`: the measurements of every file, the findings, and what could not be measured. */
export function renderSounds({ sounds, unknown, changed }: SoundView, style: Style, width: number): string {
  const table = renderTable(
    [
      { header: 'TAKE', widthMin: 10 },
      { header: 'LENGTH', align: 'right' },
      { header: 'LUFS', align: 'right' },
      { header: 'TRUE PEAK', align: 'right' },
      { header: 'WARNINGS', align: 'right' },
    ],
    sounds.map(({ key, measures, findings }) => [
      key,
      `${measures.durationSeconds.toFixed(1)} s`,
      measures.loudnessLufs?.toFixed(1) ?? '-',
      measures.truePeakDbtp === null ? '-' : `${measures.truePeakDbtp.toFixed(1)} dBTP`,
      findings.length === 0 ? '' : String(findings.length),
    ]),
    { width, paintHeader: style.faint },
  );
  const warnings = sounds.flatMap(({ key, findings }) => soundLines(key, findings, style, width));
  const bad = sounds.filter(({ findings }) => findings.length > 0).length;
  const total = `${sounds.length} ${sounds.length === 1 ? 'file' : 'files'} measured, ${bad} with warnings`;
  const others = unknown.filter((key) => !changed.includes(key));
  const left = [
    ...(changed.length === 0 ? [] : [`not measured, because the file was changed: ${changed.join(', ')}`]),
    ...(others.length === 0
      ? []
      : [
          `not measured: ${others.join(', ')} (missing, or cannot be decoded here; with ffmpeg on the PATH more formats can be)`,
        ]),
  ];
  const sections = [sounds.length === 0 ? [] : table, warnings, [total, ...left]];
  return `${sections
    .filter((lines) => lines.length > 0)
    .map((lines) => lines.join('\n'))
    .join('\n\n')}\n`;
}

export function soundJson({ sounds, unknown, changed }: SoundView) {
  return {
    takes: sounds.map(({ key, attempt, path, sha256, measures, findings }) => ({
      key,
      attempt,
      path,
      sha256,
      duration_seconds: measures.durationSeconds,
      sample_rate: measures.sampleRate,
      channels: measures.channels,
      loudness_lufs: measures.loudnessLufs,
      true_peak_dbtp: measures.truePeakDbtp,
      findings,
    })),
    not_measured: unknown,
    changed,
  };
}
