import { writeFileSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { fastNowMs, runFast } from './fast-program.js';
import { afterTests, audioFiles, folder } from './program.js';
import { startVendorServer } from './vendor-server.js';

/** Below the documented limit of either route, and in no response. */
const PER_MINUTE = 4;
/** Both above the limit, so that each run has to wait for the service's next minute. */
const TRACKS = { first: 6, second: 5 };
/** By the program's clock: it waits for a minute of the service, and the machine may be slow. */
const RUN_MS_MAX = 1_200_000;

describe.concurrent('request limits that only 429s reveal', () => {
  it.each(['queue', 'retrieve'])(
    'of %s: the first run learns the limit, and the next run starts with it and gets no 429',
    async (route) => {
      const server = await startVendorServer(fastNowMs, { [`/audio/${route}`]: PER_MINUTE });
      afterTests(() => server.close());
      const cwd = folder();
      const runBatch = (tracks: number, title: string) => {
        const lines = Array.from(
          { length: tracks },
          (_, at) => `  - { id: ${title}-${at}, model: stand-in, prompt: Rain in the ${title} number ${at} }`,
        );
        writeFileSync(path.join(cwd, 'album.yaml'), `version: 1\nbudget: 5\ntracks:\n${lines.join('\n')}\n`);
        return runFast(['run', 'album.yaml', '--yes'], cwd, { url: server.url, ownMsMax: RUN_MS_MAX });
      };

      const first = await runBatch(TRACKS.first, 'morning');
      expect(first.code, first.stderr).toBe(0);
      const learnedBy = server.refusals();
      expect(learnedBy).toBeGreaterThan(0);

      const second = await runBatch(TRACKS.second, 'evening');
      expect(second.code, second.stderr).toBe(0);
      expect(server.refusals()).toBe(learnedBy);
      expect(server.charges()).toBe(TRACKS.first + TRACKS.second);
      expect(audioFiles(cwd)).toHaveLength(TRACKS.first + TRACKS.second);
    },
    300_000,
  );
});
