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
  // Not checked: the user accepts them.
  'audio/matroska': 'mka',
  'audio/amr': 'amr',
  'audio/ac3': 'ac3',
  'audio/basic': 'au',
  'audio/midi': 'mid',
  'audio/pcm': 'pcm',
  'audio/l16': 'pcm',
  'audio/x-caf': 'caf',
  'audio/x-ms-wma': 'wma',
};

/** Names that servers give, beside its own, to what has this type by its bytes: of the coding, or of the wider kind. */
const OTHER_NAMES: Readonly<Record<string, readonly string[]>> = {
  'audio/mp4': ['audio/aac', 'video/mp4'],
  'audio/opus': ['audio/ogg', 'application/ogg'],
  'audio/ogg': ['audio/opus', 'application/ogg'],
  'audio/webm': ['video/webm', 'audio/matroska', 'video/matroska'],
};

/** True if a server's media type fits the bytes, or says nothing about them. */
export function isNamed(mediaType: string, statedType: string): boolean {
  return (
    mediaType === statedType ||
    statedType === 'application/octet-stream' ||
    OTHER_NAMES[mediaType]?.includes(statedType) === true
  );
}
