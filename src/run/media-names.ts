/** File name extension by the media type that the bytes have. */
export const EXTENSIONS: Readonly<Record<string, string>> = {
  'audio/mpeg': 'mp3',
  'audio/wav': 'wav',
  'audio/flac': 'flac',
  'audio/mp4': 'm4a',
  'audio/aac': 'aac',
  'audio/ogg': 'ogg',
  'audio/opus': 'opus',
  'audio/webm': 'webm',
  'audio/aiff': 'aiff',
};

/** Formats as models name them (`supported_formats`) whose completeness can be checked. */
const CHECKED_FORMATS = new Set([...Object.values(EXTENSIONS), 'mp2', 'mp4', 'oga', 'wave', 'aif']);

/** Whether files of that format can be checked; a bit rate or the like in its name (`mp3_44100_128`) does not matter. */
export function isCheckedFormat(format: string): boolean {
  return CHECKED_FORMATS.has(
    format
      .trim()
      .toLowerCase()
      .split(/[^a-z0-9]/, 1)[0] ?? '',
  );
}

/** Names that servers give, beside its own, to what has this type by its bytes: of the coding, or of the wider kind. */
const OTHER_NAMES: Readonly<Record<string, readonly string[]>> = {
  'audio/mp4': ['audio/aac', 'video/mp4'],
  'audio/opus': ['audio/ogg', 'application/ogg'],
  'audio/ogg': ['audio/opus', 'application/ogg'],
  'audio/webm': ['video/webm', 'audio/matroska', 'video/matroska'],
};

/** Whether a server's name for bytes is a fitting one. */
export function isNamed(mediaType: string, toldType: string): boolean {
  return mediaType === toldType || OTHER_NAMES[mediaType]?.includes(toldType) === true;
}
