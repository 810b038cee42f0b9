import type { Release } from '../manifest/take.js';
import { EXTENSIONS } from '../storage/media-names.js';

/** A kind of audio file. */
export interface AudioFormat {
  readonly mediaType: string;
  /** Without the dot. */
  readonly extension: string;
}

const ENCODED: Readonly<Record<Exclude<Release['format'], 'original'>, string>> = {
  wav: 'audio/wav',
  flac: 'audio/flac',
  mp3: 'audio/mpeg',
  m4a: 'audio/mp4',
  opus: 'audio/opus',
};

/**
 * The format in which a track is released.
 *
 * @param mediaType of the original
 */
export function formatOf(format: Release['format'], mediaType: string): AudioFormat {
  const released = format === 'original' ? mediaType : ENCODED[format];
  return { mediaType: released, extension: EXTENSIONS[released] ?? 'audio' };
}
