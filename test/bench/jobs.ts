/*
 * Four jobs of a CI matrix on one key share one manifest: how long they take compared to one job, and how many 429s
 * each gets. In simulated time, against a service with today's limits: 40 submits and 120 polls per minute and user, in
 * no header.
 */
import { createScheduler } from '../../src/scheduler/create-scheduler.js';
import { playJobs } from './virtual/jobs.js';
import { type Figures, type Scene, simulate } from './virtual/world.js';

const TRACKS = 400;
const SEEDS = Number(process.argv.find((word) => /^\d+$/.test(word)) ?? 8);
const JOBS = 4;
const RATIO_MAX = 1.1;

const mean = (values: readonly number[]) => values.reduce((sum, value) => sum + value, 0) / values.length;

function played(
  jobs: number,
  scene: Scene,
): { readonly figures: Figures; readonly refusals: readonly number[] } {
  let refusals: readonly number[] = [];
  const figures = simulate(scene, (world) => {
    refusals = playJobs(createScheduler, world, scene, jobs);
  });
  if (figures.unfinished > 0) throw new Error(`${figures.unfinished} tracks were not finished`);
  return { figures, refusals };
}

console.log(`${TRACKS} tracks of about 20 s; ${SEEDS} runs each`);
console.log(
  'limit counted by  one job min  4 jobs min  ratio    429s per job, max.  requests/track, 1 and 4 jobs',
);
for (const shape of ['sliding', 'window'] as const) {
  const runs = Array.from({ length: SEEDS }, (_, at) => {
    const scene: Scene = {
      tracks: TRACKS,
      law: 'ln20',
      p80Factor: 1,
      limit: { kind: 'routes', routes: { submit: 40, poll: 120, shape } },
      seed: at + 1,
    };
    return { one: played(1, scene), four: played(JOBS, scene) };
  });
  const minutes = (of: (run: (typeof runs)[number]) => Figures) =>
    mean(runs.map((run) => of(run).makespanMs)) / 60_000;
  const ratio = mean(runs.map(({ one, four }) => four.figures.makespanMs / one.figures.makespanMs));
  const refusalsMax = Math.max(...runs.flatMap(({ four }) => four.refusals));
  const perTrack = (of: (run: (typeof runs)[number]) => Figures) =>
    (mean(runs.map((run) => of(run).requests)) / TRACKS).toFixed(2);
  console.log(
    `${shape.padEnd(16)}${minutes(({ one }) => one.figures)
      .toFixed(2)
      .padStart(13)}` +
      `${minutes(({ four }) => four.figures)
        .toFixed(2)
        .padStart(12)}${ratio.toFixed(3).padStart(7)}` +
      `${String(refusalsMax).padStart(22)}  ${perTrack(({ one }) => one.figures)} and ${perTrack(({ four }) => four.figures)}`,
  );
  if (ratio > RATIO_MAX || refusalsMax > 1) {
    console.log(`  MISSED: at most ${RATIO_MAX} of one job's time, and one answer of 429 for each job`);
    process.exitCode = 1;
  }
}
