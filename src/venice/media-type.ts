const SAME_TYPE: Readonly<Record<string, string>> = {
  'audio/mp3': 'audio/mpeg',
  'audio/x-mp3': 'audio/mpeg',
  'audio/mpeg3': 'audio/mpeg',
  'audio/x-mpeg': 'audio/mpeg',
  'audio/x-wav': 'audio/wav',
  'audio/wave': 'audio/wav',
  'audio/vnd.wave': 'audio/wav',
  'audio/x-pn-wav': 'audio/wav',
  'audio/x-flac': 'audio/flac',
  'audio/m4a': 'audio/mp4',
  'audio/x-m4a': 'audio/mp4',
  'audio/x-aac': 'audio/aac',
  'audio/aacp': 'audio/aac',
  'audio/x-ogg': 'audio/ogg',
  'audio/x-aiff': 'audio/aiff',
  'audio/x-matroska': 'audio/matroska',
  'binary/octet-stream': 'application/octet-stream',
};

/** Lower case, without parameters; `''` if there is none. */
export function mediaTypeOf(header: string | undefined): string {
  return (header ?? '').split(';', 1)[0]!.trim().toLowerCase();
}

/**
 * The canonical name of an audio type, given a Content-Type. Unknown audio types keep their name, as do bytes of
 * unknown type: verification refuses those later, after they were saved.
 *
 * @returns `undefined` for anything but audio
 */
export function audioType(header: string | undefined): string | undefined {
  const given = mediaTypeOf(header);
  const type = SAME_TYPE[given] ?? given;
  return type === 'application/octet-stream' || /^audio\/[a-z0-9.+-]{1,80}$/.test(type) ? type : undefined;
}
