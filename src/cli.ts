#!/usr/bin/env node
import { main } from './commands/main.js';
import { growHeapSparingly } from './node/heap.js';

// The only place that sets the exit code. Nothing heavy is imported here or in the command tree, so that `--version`
// and `--help` start at once.
growHeapSparingly();
process.exitCode = await main(process.argv.slice(2));
