/** File name extension by media type, as detected from the bytes. */
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
  // Not verifiable: the user has to accept these.
  'audio/matroska': 'mka',
  'audio/mp4a-latm': 'latm',
  'audio/amr': 'amr',
  'audio/ac3': 'ac3',
  'audio/basic': 'au',
  'audio/midi': 'mid',
  'audio/pcm': 'pcm',
  'audio/l16': 'pcm',
  'audio/x-caf': 'caf',
  'audio/x-ms-wma': 'wma',
  'video/mp2t': 'ts',
};

/** Other media types that servers send for a detected type: that of the coding, or a more general one. */
const OTHER_NAMES: Readonly<Record<string, readonly string[]>> = {
  'audio/mp4': ['audio/aac', 'audio/mp4a-latm', 'video/mp4'],
  'audio/opus': ['audio/ogg', 'application/ogg'],
  'audio/ogg': ['audio/opus', 'application/ogg'],
  'audio/webm': ['video/webm', 'audio/matroska', 'video/matroska'],
};

/** Whether a record can name it. */
export function isMediaType(name: string): boolean {
  return name.length <= 100 && /^[a-z0-9][a-z0-9.+-]*\/[a-z0-9][a-z0-9.+-]*$/.test(name);
}

/** Whether a server's media type matches the bytes, or is too general to tell. */
export function isNamed(mediaType: string, statedType: string): boolean {
  return (
    mediaType === statedType ||
    statedType === 'application/octet-stream' ||
    OTHER_NAMES[mediaType]?.includes(statedType) === true
  );
}
