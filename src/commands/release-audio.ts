import type { Ports } from '../core/ports.js';
import type { Release } from '../manifest/take.js';
import type { PrepareAudio } from '../release/audio-output.js';
import { formatOf } from '../release/formats.js';

export function prepareAudio(release: Release, _ports: Ports): PrepareAudio {
  return async (_bytes, { file }) => ({ ...formatOf(release.format, file.media_type), warnings: [] });
}
