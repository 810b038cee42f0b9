import { createWriteStream, mkdirSync } from 'node:fs';
import path from 'node:path';
import { pipeline } from 'node:stream/promises';
import pLimit from 'p-limit';
import { Agent, request } from 'undici';
import { createScaledClock } from './scaled-clock.js';

/** How long the loop that everyone writes waits between two requests of a job, ms. */
const POLL_MS = 3_000;
/** How long the bare loop waits: as long as ours at least does. */
const BARE_POLL_MS = 2_000;

/**
 * The loop that everyone writes: submit, ask again and again until the audio comes, write it to a file, clean up; on
 * 429 the same once more, later. It keeps no record, checks nothing and makes nothing durable.
 *
 * @param {import('./measured.js').Job} job
 */
export async function createBare({ url, kind, concurrency = 64, epochMs, factor, durationSeconds = 1 }) {
  const clock = createScaledClock(epochMs, factor);
  const pollMs = kind === 'seed' ? POLL_MS : BARE_POLL_MS;
  const dispatcher = new Agent({ connections: 64 });
  const headers = { authorization: 'Bearer sandbox', 'content-type': 'application/json' };
  const model = 'elevenlabs-sound-effects-v2';

  /** Until it is let in. */
  async function post(route, body) {
    for (;;) {
      const response = await request(url + route, {
        method: 'POST',
        headers,
        body: JSON.stringify(body),
        dispatcher,
      });
      if (response.statusCode === 200) return response;
      await response.body.dump();
      if (response.statusCode !== 429) throw new Error(`${route}: HTTP ${response.statusCode}`);
      await clock.sleep(pollMs);
    }
  }

  async function make(file, index) {
    const submitted = await post('/audio/queue', {
      model,
      prompt: `A short sound, number ${index}`,
      duration_seconds: durationSeconds,
    });
    const { queue_id } = await submitted.body.json();
    for (;;) {
      await clock.sleep(pollMs);
      const { headers: reported, body } = await post('/audio/retrieve', { model, queue_id });
      if (reported['content-type'].startsWith('audio/')) {
        await pipeline(body, createWriteStream(file));
        break;
      }
      await body.dump();
    }
    await (await post('/audio/complete', { model, queue_id })).body.dump();
  }

  return async (folder, tracks) => {
    mkdirSync(folder);
    const limit = pLimit(concurrency);
    const numbers = Array.from({ length: tracks }, (_, index) => index + 1);
    await Promise.all(numbers.map((number) => limit(() => make(path.join(folder, `${number}.wav`), number))));
  };
}
