/*
 * The process that is measured. Plain JavaScript over the built program, so that nothing else is in it: no loader,
 * no compiler. Takes a `Job` as JSON in its only argument and answers with `Figures` as the last line on stdout.
 */
import { mkdtempSync } from 'node:fs';
import path from 'node:path';
import { createBare } from './bare.js';
import { createOurs } from './ours.js';

/**
 * @typedef {object} Job
 * @property {'ours' | 'bare' | 'seed' | 'embedded'} kind
 * @property {string} folder for all that is written
 * @property {string} [url] of the service; none for `embedded`
 * @property {number} tracks
 * @property {number} [rounds] how often that many tracks are made; default 1
 * @property {number} [warmUpTracks] made before, not measured
 * @property {number} [concurrency]
 * @property {number} epochMs
 * @property {number} factor of the clock
 * @property {number} [durationSeconds] of the audio of each track
 * @property {boolean} [lostJournal] whether the lockfile's records go nowhere
 *
 * @typedef {object} Figures
 * @property {number} wallMs of the system's clock, for a track
 * @property {number} cpuMs user and system, for a track
 * @property {number} wholeCpuMs of the whole process, its start included
 * @property {number} rssMb at the peak of the process
 */

const job = /** @type {Job} */ (JSON.parse(process.argv[2]));
const ours = job.kind === 'ours' || job.kind === 'embedded';
const run = await (ours ? createOurs(job) : createBare(job));
const folder = mkdtempSync(path.join(job.folder, `${job.kind}-`));
if (job.warmUpTracks) await run(path.join(folder, 'warm-up'), job.warmUpTracks);

const rounds = job.rounds ?? 1;
const made = rounds * job.tracks;
const cpuBefore = process.cpuUsage();
const beganMs = performance.now();
for (let round = 1; round <= rounds; round += 1) await run(path.join(folder, String(round)), job.tracks);
const wallMs = (performance.now() - beganMs) / made;
const figures = {
  wallMs,
  cpuMs: milliseconds(process.cpuUsage(cpuBefore)) / made,
  wholeCpuMs: milliseconds(process.cpuUsage()),
  rssMb: process.resourceUsage().maxRSS / 1024,
};
process.stdout.write(`${JSON.stringify(figures)}\n`);
process.exit();

function milliseconds({ user, system }) {
  return (user + system) / 1000;
}
