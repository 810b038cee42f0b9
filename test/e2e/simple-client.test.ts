import { expect, it } from 'vitest';
import { launchProgram } from './launch.js';
import { afterTests, folder } from './program.js';

const SPEED = 100;
const JOBS = 20;
/** The pause between two polls of a simple loop, in the sandbox's time. */
const POLL_MS = 3_000 / SPEED;
const POLLS_MAX = 1_000;

it('the sandbox serves a loop that understands only PROCESSING or audio: 20 jobs of 20', async () => {
  const args = ['sandbox', '--port', '0', '--sandbox-speed', String(SPEED)];
  const sandbox = launchProgram(args, folder());
  afterTests(sandbox.kill);
  const url = await sandbox.seen(/at (http:\S+)/);

  const post = (path: string, body: object) =>
    fetch(`${url}${path}`, {
      method: 'POST',
      headers: { authorization: 'Bearer sandbox', 'content-type': 'application/json' },
      body: JSON.stringify(body),
    });
  const make = async (prompt: string): Promise<string> => {
    const model = 'elevenlabs-sound-effects-v2';
    const queued = await post('/audio/queue', { model, prompt });
    if (queued.status !== 200) return `queue answered ${queued.status}`;
    const { queue_id } = (await queued.json()) as { queue_id: string };
    for (let polls = 0; polls < POLLS_MAX; polls += 1) {
      const answer = await post('/audio/retrieve', { model, queue_id });
      const type = answer.headers.get('content-type') ?? 'no type';
      if (answer.status === 200 && type.startsWith('audio/'))
        return (await answer.arrayBuffer()).byteLength > 1_000 ? 'audio' : 'too little audio';
      const { status } = (await answer.json()) as { status?: string };
      if (status !== 'PROCESSING') return `unexpected ${status ?? answer.status}`;
      await new Promise((resolve) => setTimeout(resolve, POLL_MS));
    }
    return 'never ready';
  };

  const made = await Promise.all(Array.from({ length: JOBS }, (_, at) => make(`Rain on a roof, take ${at}`)));
  expect(made).toEqual(Array.from({ length: JOBS }, () => 'audio'));
});
