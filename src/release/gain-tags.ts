import { integratedLoudness } from '../audio/loudness.js';
import type { AudioOutput } from './audio-output.js';

type GainTags = readonly (readonly [name: string, value: string])[];

/** The loudness that players adjust every track to: ReplayGain 2.0, and R128 of Opus (RFC 7845, 5.2.1), in LUFS. */
const REFERENCE_LUFS = -18;
const OPUS_REFERENCE_LUFS = -23;
/** ReplayGain of one track. Empty if its loudness is unknown. */
export function trackGains({ mediaType, loudnessLufs, truePeakDb }: AudioOutput): GainTags {
  return gains('TRACK', mediaType, loudnessLufs, truePeakDb);
}

/** ReplayGain of all tracks together, for the tags of each. */
export function albumGains(outputs: readonly AudioOutput[]): (of: AudioOutput) => GainTags {
  const isKnown = outputs.every(({ blocks }) => blocks !== undefined);
  const loudness = isKnown ? integratedLoudness(outputs.flatMap(({ blocks }) => blocks!)) : undefined;
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
