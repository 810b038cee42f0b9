import type { AudioOutput } from './audio-output.js';

type GainTags = readonly (readonly [name: string, value: string])[];

/** What a player turns every track to: ReplayGain 2.0, and R128 of Opus (RFC 7845, 5.2.1). LUFS. */
const REFERENCE_LUFS = -18;
const OPUS_REFERENCE_LUFS = -23;
/** A block quieter than this counts for nothing (EBU R128). LUFS. */
const ABSOLUTE_GATE_LUFS = -70;
/** By how much a block may be quieter than all together, LU. */
const RELATIVE_GATE_LU = -10;
/** From energy to loudness: the K-weighting is 0.691 dB above flat. Source: ITU-R BS.1770-4. */
const OFFSET_DB = -0.691;

/** ReplayGain of one track. Nothing where its loudness is unknown. */
export function trackGains({ mediaType, loudnessLufs, truePeakDb }: AudioOutput): GainTags {
  return gains('TRACK', mediaType, loudnessLufs, truePeakDb);
}

/** ReplayGain of all tracks together, as the tags of each. */
export function albumGains(outputs: readonly AudioOutput[]): (of: AudioOutput) => GainTags {
  const isKnown = outputs.every(({ blocks }) => blocks !== undefined);
  const loudness = isKnown ? loudnessOf(outputs.map(({ blocks }) => blocks!)) : undefined;
  const peaks = outputs.flatMap(({ truePeakDb }) => truePeakDb ?? []);
  return ({ mediaType }) => gains('ALBUM', mediaType, loudness, Math.max(...peaks));
}

function gains(
  of: 'TRACK' | 'ALBUM',
  mediaType: string,
  loudnessLufs: number | undefined,
  truePeakDb: number | undefined,
): GainTags {
  if (loudnessLufs === undefined || truePeakDb === undefined) return [];
  if (mediaType === 'audio/opus')
    return [[`R128_${of}_GAIN`, String(Math.round((OPUS_REFERENCE_LUFS - loudnessLufs) * 256))]];
  return [
    [`REPLAYGAIN_${of}_GAIN`, `${(REFERENCE_LUFS - loudnessLufs).toFixed(2)} dB`],
    [`REPLAYGAIN_${of}_PEAK`, (10 ** (truePeakDb / 20)).toFixed(6)],
  ];
}

/** Integrated loudness of several tracks as one, LUFS. `undefined` where all of it is silence. */
export function loudnessOf(tracks: readonly (readonly number[])[]): number | undefined {
  const heard = tracks.flatMap((blocks) => blocks.filter((energy) => lufs(energy) > ABSOLUTE_GATE_LUFS));
  const mean = (energies: readonly number[]) =>
    energies.reduce((sum, energy) => sum + energy, 0) / energies.length;
  if (heard.length === 0) return undefined;
  const gate = lufs(mean(heard)) + RELATIVE_GATE_LU;
  return lufs(mean(heard.filter((energy) => lufs(energy) > gate)));
}

function lufs(energy: number): number {
  return OFFSET_DB + 10 * Math.log10(energy);
}
