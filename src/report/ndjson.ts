import { jsonText } from './json-text.js';
import type { Reporter } from './reporter.js';
import type { Terminal } from './terminal.js';

/** `--events ndjson`: each event as one line (`schemas/events.schema.json`). */
export function createNdjson(terminal: Terminal): Reporter {
  return {
    event(event) {
      // Only the newest progress matters, so a slow reader gets fewer of these events.
      if (event.type === 'progress' && terminal.stalled === true) return;
      terminal.write(`${jsonText(event)}\n`);
    },
    end() {},
  };
}
