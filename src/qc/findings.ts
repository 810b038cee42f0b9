import type { Measures } from './measure.js';

/** A finding about the sound of a file that is worth a listen. */
export interface QcFinding {
  /** Stable, and explained by `explain`. */
  readonly code: QcCode;
  /** Description of the problem, with its numbers. */
  readonly message: string;
}

export type QcCode =
  | 'qc-silent'
  | 'qc-silent-start'
  | 'qc-silent-end'
  | 'qc-clipped'
  | 'qc-true-peak'
  | 'qc-quiet'
  | 'qc-dc-offset'
  | 'qc-length'
  | 'qc-channel-silent'
  | 'qc-phase'
  | 'qc-loop-seam';

/** The requested sound. */
export interface Expected {
  readonly durationSeconds?: number | undefined;
  readonly loop?: boolean | undefined;
}

const SILENT_START_SECONDS_MAX = 1;
const SILENT_END_SECONDS_MAX = 3;
const TRUE_PEAK_DBTP_MAX = 0.5;
const QUIET_LUFS = -40;
const DC_OFFSET_MAX = 0.01;
const CORRELATION_MIN = -0.3;
/** Services round lengths: a difference below this share is as requested. */
const LENGTH_PART = 0.1;
const LENGTH_SECONDS = 1.5;
const SEAM_STEP_MAX = 0.02;
/** A beat at the start is louder than the rest before it; a fade at either end differs by far more. */
const SEAM_LEVEL_DB_MAX = 20;

/** What a listener should know about a file, from its measurements and the request. */
export function findingsOf(of: Measures, expected: Expected): readonly QcFinding[] {
  const length = lengthFinding(of, expected.durationSeconds);
  if (of.silentStartSeconds >= of.durationSeconds)
    return [{ code: 'qc-silent', message: 'nothing is above -60 dBFS: the file is silent' }, ...length];
  return [
    ...silences(of),
    ...levels(of),
    ...length,
    ...stereo(of),
    ...(expected.loop === true ? seam(of) : []),
  ];
}

function silences(of: Measures): readonly QcFinding[] {
  const found: QcFinding[] = [];
  const { silentStartSeconds: start, silentEndSeconds: end } = of;
  if (start > SILENT_START_SECONDS_MAX)
    found.push({ code: 'qc-silent-start', message: `it starts with ${shown(start)} s of silence` });
  if (end > SILENT_END_SECONDS_MAX)
    found.push({ code: 'qc-silent-end', message: `it ends with ${shown(end)} s of silence` });
  return found;
}

function levels(of: Measures): readonly QcFinding[] {
  const found: QcFinding[] = [];
  if (of.clippedRuns > 0)
    found.push({
      code: 'qc-clipped',
      message: `it clips in ${of.clippedRuns} ${of.clippedRuns === 1 ? 'place' : 'places'}`,
    });
  else if (of.truePeakDbtp !== null && of.truePeakDbtp > TRUE_PEAK_DBTP_MAX)
    found.push({
      code: 'qc-true-peak',
      message: `its true peak is ${shown(of.truePeakDbtp)} dBTP: above 0, players may distort it`,
    });
  if (of.loudnessLufs !== null && of.loudnessLufs < QUIET_LUFS)
    found.push({ code: 'qc-quiet', message: `it is very quiet: ${shown(of.loudnessLufs)} LUFS` });
  if (of.dcOffset > DC_OFFSET_MAX)
    found.push({ code: 'qc-dc-offset', message: `it has a DC offset of ${shown(of.dcOffset * 100)} %` });
  return found;
}

function lengthFinding(of: Measures, wanted: number | undefined): readonly QcFinding[] {
  if (wanted === undefined) return [];
  const off = of.durationSeconds - wanted;
  if (Math.abs(off) <= Math.max(LENGTH_SECONDS, wanted * LENGTH_PART)) return [];
  const message = `it lasts ${shown(of.durationSeconds)} s instead of ${wanted} s`;
  return [{ code: 'qc-length', message }];
}

function stereo(of: Measures): readonly QcFinding[] {
  if (of.silentChannels.length > 0)
    return [{ code: 'qc-channel-silent', message: `channel ${of.silentChannels.join(' and ')} is silent` }];
  if (of.correlation === null || of.correlation >= CORRELATION_MIN) return [];
  const message = `left and right are out of phase (correlation ${shown(of.correlation)}): they cancel out in mono`;
  return [{ code: 'qc-phase', message }];
}

function seam({ seam: { step, levelDb } }: Measures): readonly QcFinding[] {
  const faults = [
    ...(step > SEAM_STEP_MAX ? [`a click of ${shown(step * 100)} % of full scale`] : []),
    ...(levelDb === null ? ['silence on one side'] : []),
    ...(levelDb !== null && Math.abs(levelDb) > SEAM_LEVEL_DB_MAX
      ? [`a level change of ${shown(Math.abs(levelDb))} dB`]
      : []),
  ];
  if (faults.length === 0) return [];
  return [{ code: 'qc-loop-seam', message: `the loop has a seam: ${faults.join(' and ')}` }];
}

function shown(value: number): string {
  return String(Math.round(value * 10) / 10);
}
