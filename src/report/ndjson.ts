import { jsonText } from './json-text.js';
import type { Reporter } from './reporter.js';
import type { Terminal } from './terminal.js';

/** `--events ndjson`: each event as it is, a line each (`schemas/events.schema.json`). */
export function createNdjson(terminal: Terminal): Reporter {
  return {
    event(event) {
      // Of progress only the newest matters: a reader that falls behind gets fewer.
      if (event.type === 'progress' && terminal.stalled === true) return;
      terminal.write(`${jsonText(event)}\n`);
    },
    end() {},
  };
}
