import path from 'node:path';
import type { GatheredRelease } from '../app/gather-release.js';
import { decodeAudio } from '../audio/decode.js';
import { usageError } from '../core/errors.js';
import type { Ports } from '../core/ports.js';
import type { Release } from '../manifest/take.js';
import { decodeWithFfmpeg } from '../node/ffmpeg-decode.js';
import { encodeWithFfmpeg, hasFfmpeg } from '../node/ffmpeg-encode.js';
import { formatOf } from '../release/audio-format.js';
import type { PrepareAudio } from '../release/audio-output.js';
import { encoderOf } from '../release/encode.js';
import type { NamedTake } from '../release/name-files.js';
import { createPrepare } from '../release/prepare-audio.js';
import { escapeForeign } from '../report/escape.js';

const ENCODED_BYTES_MAX = 1024 ** 3;

/** Refuses formats that this machine cannot encode, before anything is created. Throws `BatchError` (2). */
export async function requireEncoders(release: Release, takes: readonly NamedTake[]): Promise<void> {
  for (const { track, file } of takes) {
    const { mediaType } = formatOf(release.format, file.media_type);
    if (mediaType === file.media_type && release.loudnessLufs === undefined) continue;
    const encoder = encoderOf(mediaType);
    if (encoder === 'own' || (encoder === 'ffmpeg' && (await hasFfmpeg()))) continue;
    const why =
      encoder === undefined
        ? `\`loudness\` cannot be applied to ${mediaType}`
        : `encoding ${mediaType} requires ffmpeg, which is not on the PATH`;
    throw usageError(
      `${escapeForeign(track.track)}: ${why}`,
      `${encoder === undefined ? '' : 'install ffmpeg, or '}set \`format: flac\` (or wav) in \`release\`, which needs no other program`,
      'release-unsupported',
    );
  }
}

/** Prepares the audio of the release. `work` is a folder for scratch files. */
export function prepareAudio(
  {
    release,
    view,
  }: Pick<Extract<GatheredRelease, { ok: true }>, 'release'> & { view: { output: { root: string } } },
  { files, random }: Ports,
): (work: string) => PrepareAudio {
  return (work) => {
    const scratch = (extension: string) =>
      path.join(work, `${Buffer.from(random.bytes(8)).toString('hex')}.${extension}`);
    const decodeScratch = async (bytes: Uint8Array) => {
      const file = scratch('audio');
      const handle = await files.open(file, 'exclusive');
      try {
        await handle.write(bytes);
      } finally {
        await handle.close();
      }
      const wav = await decodeWithFfmpeg(file);
      await files.remove(file);
      return wav;
    };
    return createPrepare(release, {
      decode: (bytes, take) =>
        decodeAudio(bytes, () =>
          take === undefined
            ? decodeScratch(bytes)
            : decodeWithFfmpeg(path.join(view.output.root, take.file.path)),
        ),
      async encode(wav, words, extension) {
        const file = scratch(extension);
        const end = await encodeWithFfmpeg(wav, words, file);
        if (!end.ok)
          throw usageError(
            `ffmpeg cannot encode ${extension}: ${escapeForeign(end.message)}`,
            'set `format: flac` in `release`, or install an ffmpeg with that encoder',
            'release-unsupported',
          );
        const bytes = await files.read(file, ENCODED_BYTES_MAX);
        await files.remove(file);
        return bytes;
      },
    });
  };
}
