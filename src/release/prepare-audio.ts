import { blockEnergies, integratedLoudness } from '../audio/loudness.js';
import type { Decoded, Pcm } from '../audio/pcm.js';
import { durationOf } from '../audio/pcm.js';
import { sampleBitsOf } from '../audio/sample-bits.js';
import { decibels, truePeak } from '../audio/true-peak.js';
import type { Release } from '../manifest/take.js';
import type { AudioOutput, PrepareAudio } from './audio-output.js';
import { type ExternalEncoder, encodeAudio } from './encode.js';
import { type AudioFormat, formatOf } from './formats.js';
import type { NamedTake } from './name-files.js';

export interface AudioTools {
  /** @param take whose file it is; absent for a file that was just encoded */
  decode(bytes: Uint8Array, take?: NamedTake): Promise<Decoded>;
  readonly encode: ExternalEncoder;
}

/** Thrown where the manifest asks for what cannot be done to a track. */
export class UndecodableError extends Error {
  constructor(
    readonly track: string,
    readonly format: string,
  ) {
    super(`${track}: no decoder for ${format}`);
  }
}

/** Lossy coding moves loudness and peaks a little: then it is done again with another gain. */
const ENCODINGS_MAX = 4;
const LOUDNESS_TOLERANCE_LU = 0.1;

interface Measured extends Pick<AudioOutput, 'seconds' | 'loudnessLufs' | 'truePeakDb' | 'blocks'> {}

/** What the manifest asks for: the same bytes, another format, another loudness. */
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
  /** Absent: the audio stays as loud as it is. */
  readonly gainDb?: number;
  /** The ceiling keeps the track from being as loud as wanted. */
  readonly limited: boolean;
  readonly warnings: readonly string[];
}

function gainFor(
  { loudnessLufs: wanted, truePeakDb: ceiling }: Release,
  { loudnessLufs, truePeakDb }: Measured,
): Gain {
  if (wanted === undefined) return { limited: false, warnings: [] };
  if (loudnessLufs === undefined || truePeakDb === undefined)
    return { limited: false, warnings: ['its loudness is not changed: it is silent, or shorter than 0.4 s'] };
  const gainDb = Math.min(wanted - loudnessLufs, ceiling - truePeakDb);
  const limited = gainDb < wanted - loudnessLufs - LOUDNESS_TOLERANCE_LU;
  const reached = (loudnessLufs + gainDb).toFixed(1);
  return {
    gainDb,
    limited,
    warnings: limited
      ? [
          `released at ${reached} LUFS instead of ${wanted}: louder, its true peak would exceed ${ceiling} dBTP`,
        ]
      : [],
  };
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
  let gainDb = gain.gainDb;
  for (let times = 1; ; times += 1) {
    const louder = gainDb === undefined ? pcm : amplified(pcm, gainDb);
    const bytes = await encodeAudio(louder, { ...format, bits, ...kbits }, encode);
    const result = await decode(bytes);
    const measured = measure(result.kind === 'pcm' ? result.pcm : louder);
    const correction =
      gainDb === undefined || times >= ENCODINGS_MAX ? 0 : correctionFor(release, gain, measured);
    if (correction === 0)
      return {
        ...format,
        ...measured,
        bytes,
        ...(gainDb === undefined ? {} : { gainDb }),
        warnings: gain.warnings,
      };
    gainDb! += correction;
  }
}

/** By how much it is too loud, or not loud enough, once it is coded. Mind the ceiling first. */
function correctionFor(
  { loudnessLufs: wanted, truePeakDb: ceiling }: Release,
  { limited }: Gain,
  { loudnessLufs, truePeakDb }: Measured,
): number {
  const above = (truePeakDb ?? Number.NEGATIVE_INFINITY) - ceiling;
  if (above > PEAK_TOLERANCE_DB) return -above;
  if (limited || wanted === undefined || loudnessLufs === undefined) return 0;
  const off = wanted - loudnessLufs;
  return Math.abs(off) > LOUDNESS_TOLERANCE_LU && off <= -above ? off : 0;
}

const PEAK_TOLERANCE_DB = 0.02;

function amplified({ channels, sampleRate }: Pcm, gainDb: number): Pcm {
  const factor = 10 ** (gainDb / 20);
  return { sampleRate, channels: channels.map((samples) => samples.map((sample) => sample * factor)) };
}
