import { type Limited, limit } from '../audio/limiter.js';
import { blockEnergies, integratedLoudness } from '../audio/loudness.js';
import type { Decoded, Pcm } from '../audio/pcm.js';
import { durationOf } from '../audio/pcm.js';
import { sampleBitsOf } from '../audio/sample-bits.js';
import { decibels, truePeak } from '../audio/true-peak.js';
import type { Release } from '../manifest/take.js';
import { type AudioFormat, formatOf } from './audio-format.js';
import type { AudioOutput, PrepareAudio } from './audio-output.js';
import { type ExternalEncoder, encodeAudio, encoderOf } from './encode.js';
import type { NamedTake } from './name-files.js';

export interface AudioTools {
  /** @param take whose file it is; absent for a file that was just encoded */
  decode(bytes: Uint8Array, take?: NamedTake): Promise<Decoded>;
  readonly encode: ExternalEncoder;
}

/** Thrown if the manifest asks for something that cannot be done to a track. */
export class UndecodableError extends Error {
  constructor(
    readonly track: string,
    readonly format: string,
  ) {
    super(`${track}: no decoder for ${format}`);
  }
}

/** Limiting reduces the loudness a little, so it is repeated with more gain. */
const MATCHES_MAX = 8;
/** Lossy coding changes loudness and peaks a little, so it is repeated too. */
const ENCODINGS_MAX = 4;
const LOUDNESS_TOLERANCE_LU = 0.1;
/** Smaller differences are not reported. */
const SHORTFALL_LU = 0.3;
const PEAK_TOLERANCE_DB = 0.02;
/** A meter that interpolates at other points may find slightly higher peaks. */
const LIMITER_MARGIN_DB = 0.2;
/** The largest reduction of a peak. Beyond it limiting is audible. */
const LIMITING_DB_MAX = 8;

interface Measured extends Pick<AudioOutput, 'seconds' | 'loudnessLufs' | 'truePeakDb' | 'blocks'> {}

/** Does what the manifest asks for: the same bytes, another format, another loudness. */
export function createPrepare(release: Release, { decode, encode }: AudioTools): PrepareAudio {
  return async (original, take) => {
    const { media_type: mediaType } = take.file;
    const format = formatOf(release.format, mediaType);
    const decoded = await decode(original, take);
    const isChanged = format.mediaType !== mediaType || release.loudnessLufs !== undefined;
    if (decoded.kind !== 'pcm') {
      if (isChanged) throw new UndecodableError(take.track.track, decoded.format);
      const why = `no ReplayGain tags: ${decoded.format} cannot be decoded here; installing ffmpeg may help`;
      return { ...format, warnings: [why] };
    }
    const { pcm } = decoded;
    const measured = measure(pcm);
    const gain = gainFor(release, measured);
    if (!isChanged || (format.mediaType === mediaType && gain.gainDb === undefined))
      return { ...format, ...measured, warnings: gain.warnings };
    return encoded(pcm, { format, gain, release, bits: sampleBitsOf(original) }, { decode, encode });
  };
}

function measure(pcm: Pcm): Measured {
  const blocks = blockEnergies(pcm);
  const loudnessLufs = integratedLoudness(blocks);
  const peak = truePeak(pcm);
  return {
    seconds: durationOf(pcm),
    blocks,
    ...(loudnessLufs === undefined ? {} : { loudnessLufs }),
    ...(peak === 0 ? {} : { truePeakDb: decibels(peak) }),
  };
}

interface Gain {
  /** Absent: the loudness stays the same. */
  readonly gainDb?: number;
  /** The most gain with a limiter that begins at this level. */
  mostDb(ceilingDb: number): number;
  readonly warnings: readonly string[];
}

function gainFor(
  { loudnessLufs: wanted, truePeakDb: ceiling }: Release,
  { loudnessLufs, truePeakDb }: Measured,
): Gain {
  const mostDb = (ceilingDb: number) => ceilingDb + LIMITING_DB_MAX - (truePeakDb ?? 0);
  if (wanted === undefined) return { mostDb, warnings: [] };
  if (loudnessLufs === undefined || truePeakDb === undefined)
    return { mostDb, warnings: ['its loudness is not changed: it is silent, or shorter than 0.4 s'] };
  const gainDb = Math.min(wanted - loudnessLufs, mostDb(ceiling - LIMITER_MARGIN_DB));
  return { gainDb, mostDb, warnings: [] };
}

/** The warning for a track that is not as loud as wanted. */
function shortfall(
  { loudnessLufs: wanted, truePeakDb: ceiling }: Release,
  { loudnessLufs }: Measured,
): readonly string[] {
  if (wanted === undefined || loudnessLufs === undefined || wanted - loudnessLufs <= SHORTFALL_LU) return [];
  const reached = `released at ${loudnessLufs.toFixed(1)} LUFS instead of ${wanted}`;
  return [
    `${reached}: to keep its true peak under ${ceiling} dBTP, peaks would have to be limited by more than ${LIMITING_DB_MAX} dB`,
  ];
}

interface Wanted {
  readonly format: AudioFormat;
  readonly gain: Gain;
  readonly release: Release;
  readonly bits: ReturnType<typeof sampleBitsOf>;
}

async function encoded(
  pcm: Pcm,
  { format, gain, release, bits }: Wanted,
  { decode, encode }: AudioTools,
): Promise<AudioOutput & { readonly bytes: Uint8Array }> {
  const kbits = release.bitrateKbits === undefined ? {} : { kbits: release.bitrateKbits };
  const isLossless = encoderOf(format.mediaType) === 'own';
  let fitted = matched(pcm, release, gain);
  for (let times = 1; ; times += 1) {
    const bytes = await encodeAudio(fitted.pcm, { ...format, bits, ...kbits }, encode);
    const result = isLossless ? undefined : await decode(bytes);
    const measured = result?.kind === 'pcm' ? measure(result.pcm) : fitted.measured;
    const next =
      isLossless || times >= ENCODINGS_MAX ? undefined : corrected(fitted, release, gain, measured);
    if (next !== undefined) {
      fitted = { ...adjusted(pcm, next), ...next, measured };
      continue;
    }
    const { gainDb, reductionDb } = fitted;
    return {
      ...format,
      ...measured,
      bytes,
      ...(gainDb === undefined ? {} : { gainDb }),
      ...(reductionDb === 0 ? {} : { limitedDb: reductionDb }),
      warnings: [...gain.warnings, ...shortfall(release, measured)],
    };
  }
}

interface Fitted extends Limited, Setting {
  readonly measured: Measured;
}

/** At the wanted loudness, before encoding. */
function matched(pcm: Pcm, release: Release, gain: Gain): Fitted {
  let setting: Setting = { gainDb: gain.gainDb, ceilingDb: release.truePeakDb - LIMITER_MARGIN_DB };
  for (let times = 1; ; times += 1) {
    const limited = adjusted(pcm, setting);
    const measured = measure(limited.pcm);
    const next = times < MATCHES_MAX ? corrected(setting, release, gain, measured) : undefined;
    if (next === undefined) return { ...limited, ...setting, measured };
    setting = next;
  }
}

/** How the audio is made louder. */
interface Setting {
  readonly gainDb?: number | undefined;
  /** Where the limiter begins. */
  readonly ceilingDb: number;
}

function adjusted(pcm: Pcm, { gainDb, ceilingDb }: Setting): Limited {
  if (gainDb === undefined) return { pcm, reductionDb: 0 };
  return limit(amplified(pcm, gainDb), 10 ** (ceilingDb / 20));
}

/** A corrected setting, if the result of this one is too loud or not loud enough. The ceiling comes first. */
function corrected(
  { gainDb, ceilingDb }: Setting,
  { loudnessLufs: wanted, truePeakDb: ceiling }: Release,
  { mostDb }: Gain,
  { loudnessLufs, truePeakDb }: Measured,
): Setting | undefined {
  if (gainDb === undefined || wanted === undefined) return undefined;
  const above = Math.max(0, (truePeakDb ?? Number.NEGATIVE_INFINITY) - ceiling);
  const lowered = ceilingDb - above;
  const wantedDb = Math.min(mostDb(lowered), gainDb + wanted - (loudnessLufs ?? wanted));
  const isClose = Math.abs(wantedDb - gainDb) <= LOUDNESS_TOLERANCE_LU;
  if (above <= PEAK_TOLERANCE_DB && isClose) return undefined;
  return { gainDb: wantedDb, ceilingDb: lowered };
}

function amplified(pcm: Pcm, gainDb: number): Pcm {
  const factor = 10 ** (gainDb / 20);
  return { ...pcm, channels: pcm.channels.map((samples) => samples.map((sample) => sample * factor)) };
}
