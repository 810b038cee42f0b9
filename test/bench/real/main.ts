import { mkdtempSync, rmSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { besideTheSeed } from './beside.js';
import { startUp } from './start-up.js';
import { withoutLimit } from './unlimited.js';
import { judge } from './verdict.js';

// One folder for all, removed at the end: ext4 creates files slowly for minutes after many were removed.
const folder = mkdtempSync(path.join(os.tmpdir(), 'venice-batch-bench-'));
try {
  judge([...startUp(), ...(await besideTheSeed(folder)), ...(await withoutLimit(folder))]);
} finally {
  rmSync(folder, { recursive: true, force: true });
}
