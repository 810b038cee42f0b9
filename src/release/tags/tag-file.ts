import { tagMpeg } from './id3.js';
import { tagFlac } from './tag-flac.js';
import { tagMp4 } from './tag-mp4.js';
import { tagOgg } from './tag-ogg.js';
import { tagWav } from './tag-wav.js';
import type { Tags } from './tags.js';

type Tagger = (bytes: Uint8Array, tags: Tags) => Uint8Array;

const TAGGERS: Readonly<Record<string, Tagger>> = {
  'audio/mpeg': tagMpeg,
  'audio/aac': tagMpeg,
  'audio/wav': tagWav,
  'audio/flac': tagFlac,
  'audio/mp4': tagMp4,
  'audio/ogg': tagOgg,
  'audio/opus': tagOgg,
};

/** The tagger for files of this type; `undefined` if there is none. Throws `UntaggableError`. */
export function taggerFor(mediaType: string): Tagger | undefined {
  return TAGGERS[mediaType];
}
