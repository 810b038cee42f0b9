import type { Job } from './ledger.js';
import { type AudioBody, json, type ServiceAnswer } from './service-response.js';
import type { State } from './service-state.js';

/** No document says which of these the service uses. */
const OTHER_M4A_TYPES = ['audio/x-m4a', 'audio/m4a', 'audio/aac'] as const;
const MEDIA_TYPES = { wav: 'audio/wav', flac: 'audio/flac', m4a: 'audio/mp4' } as const;

/** A ready job's audio, in one of the ways in which the API returns it. */
export function mediaAnswer(state: State, job: Job): ServiceAnswer {
  const { prompt, kind, durationSeconds, format, request, take, loop } = job;
  const audio = state.audio({ prompt, kind, durationSeconds, format, loop, seed: `${request} ${take}` });
  const mediaType =
    format === 'm4a' && state.happens('otherM4aType')
      ? OTHER_M4A_TYPES[Math.floor(state.random() * OTHER_M4A_TYPES.length)]!
      : MEDIA_TYPES[format];
  if (state.happens('audioInline')) return inline(mediaType, audio);
  if (state.happens('audioElsewhere')) {
    return json(200, { status: 'COMPLETED', url: `https://media.invalid/${job.id}.${format}` });
  }
  const sound = job.end === 'damaged' ? damaged(audio) : audio;
  return {
    status: 200,
    headers: { 'content-type': state.happens('typeParameters') ? `${mediaType}; rate=22050` : mediaType },
    body: state.happens('brokenDownload') ? halved(sound) : sound,
  };
}

function inline(mediaType: string, audio: AudioBody): ServiceAnswer {
  const base64 = Buffer.concat([...audio.chunks()]).toString('base64');
  return json(200, { status: 'COMPLETED', audio: base64, content_type: mediaType });
}

/** The same length as the audio, but different content. */
function damaged(body: AudioBody): AudioBody {
  return {
    bytes: body.bytes,
    *chunks() {
      for (const chunk of body.chunks()) yield new Uint8Array(chunk.byteLength);
    },
  };
}

function halved(body: AudioBody): AudioBody {
  return {
    bytes: body.bytes,
    *chunks() {
      let left = Math.floor(body.bytes / 2);
      for (const chunk of body.chunks()) {
        yield chunk.subarray(0, left);
        left -= chunk.byteLength;
        if (left <= 0) return;
      }
    },
  };
}
