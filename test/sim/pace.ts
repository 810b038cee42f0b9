import { launch } from './incarnation.js';
import type { Judge } from './judge.js';
import { createLimits, DOCUMENTED, drawLimitRule, type LimitRule, type RequestLimits } from './limits.js';
import { createRng, type Rng } from './random.js';
import { CALM_RUN } from './scenario.js';
import { calm, pass, simulate, untilOver } from './simulate.js';
import type { SimOptions, SimResult, SimWorld } from './world.js';

/*
 * Worlds of another kind: nothing fails, there are many tracks, and the service has request limits that a run has to
 * keep or find out. They are judged by how many requests are refused, and how long it all takes.
 */

/** One in this many seeds. */
const PACED_EVERY = 40;
const PACED_AT = 7;

/** One seed, of either kind. */
export function simulateSeed(seed: number, options: SimOptions): Promise<SimResult> {
  return seed % PACED_EVERY === PACED_AT
    ? simulate(seed, options, playPaced, {
        budgetShare: undefined,
        balanceShare: 1_000,
        thorough: true,
        unframed: 0,
        keep: false,
      })
    : simulate(seed, options);
}

const MINUTE_MS = 60_000;
/** The service forgets all ids for this long: shorter than what makes a job count as lost. */
const FORGETS_MS = 25_000;
/** The longest job of the simulated service. */
const RUN_MS_MAX = 15_000;

async function playPaced(world: SimWorld): Promise<void> {
  const rng = createRng(world.seed, 'pace');
  const rule = drawLimitRule(rng, 'real');
  const limits = createLimits(rule, rng.below(MINUTE_MS));
  calm(world);
  world.album.tracks = tracksOf(rng);
  world.server.limits = limits;
  const forgets = rng.chance(0.25);
  if (forgets) forgetLater(world, rng);
  const first = await run(world, limits);
  if (!forgets) judgePace(world.judge, 'the first run', rule, world.album.tracks.length, first);
  const pauseMs = rng.between(1_000, 120_000);
  await pass(world, pauseMs);
  for (const track of world.album.tracks) track.version += 1;
  const second = await run(world, limits);
  // The lockfile records when the first run submitted, not when it polled.
  const unseen = pauseMs < MINUTE_MS ? LEARNING.retrieve : 0;
  // A limit that the first run did not meet is unknown, too.
  const unmet = ROUTES.filter((route) => isLower(rule, route) && first.refusalsOf[route] === 0);
  const least = rule.shape === 'sliding' ? unseen : 2 * LEARNING.retrieve;
  judgeRefusals(world.judge, 'the second run', second.refusals, least + costOf(rule, unmet));
}

function tracksOf(rng: Rng): SimWorld['album']['tracks'] {
  const model = rng.pick(['sim-flat', 'sim-voice'] as const);
  return Array.from({ length: rng.between(60, 110) }, (_, at) => ({
    id: `t${at}`,
    model,
    seconds: undefined,
    version: 1,
    takes: 1,
    stem: `out/t${at}`,
  }));
}

function forgetLater(world: SimWorld, rng: Rng): void {
  world.timeline.after(rng.between(10_000, 40_000), () => {
    world.server.forgetsUntilMs = world.timeline.nowMs() + FORGETS_MS;
  });
}

interface Pace {
  readonly tookMs: number;
  readonly refusals: number;
  readonly refusalsOf: Readonly<Record<Limited, number>>;
}

const ROUTES = ['queue', 'retrieve'] as const;
type Limited = (typeof ROUTES)[number];

/** Whether a model's limit equals the documented one: it looks like the route's own until a 429 shows otherwise. */
function isAmbiguous({ model }: LimitRule, route: Limited): boolean {
  return model !== undefined && DOCUMENTED[route] === model.perMinute;
}

/** How often a run may get a 429 until it knows the limits of these routes. */
function costOf(rule: LimitRule, lower: readonly Limited[]): number {
  const learnt = [...lower, ...ROUTES.filter((route) => isAmbiguous(rule, route))];
  return learnt.reduce((sum, route) => sum + LEARNING[route], 0);
}

async function run(world: SimWorld, limits: RequestLimits): Promise<Pace> {
  const beganMs = world.timeline.nowMs();
  const before = { ...limits.refusals };
  const incarnation = launch(world, CALM_RUN);
  await untilOver(world, incarnation);
  const code = incarnation.report?.exitCode;
  if (code !== 0) world.judge.blame('l', `${incarnation.name} ends with ${code}, and nothing failed`);
  const refusalsOf = {
    queue: limits.refusals.queue - before.queue,
    retrieve: limits.refusals.retrieve - before.retrieve,
  };
  const refusals = refusalsOf.queue + refusalsOf.retrieve + limits.refusals.complete - before.complete;
  return { tookMs: world.timeline.nowMs() - beganMs, refusals, refusalsOf };
}

/** How often a run may meet the limit of a route until it knows it. */
const LEARNING: Readonly<Record<Limited, number>> = { queue: 2, retrieve: 2 };

/** A limit other than the documented one costs a 429; a fixed window of which a run saw two parts, one or two more. */
function judgePace(
  judge: Judge,
  name: string,
  rule: LimitRule,
  tracks: number,
  { tookMs, refusals }: Pace,
): void {
  const unlikeDocumented = ROUTES.filter((route) => isLower(rule, route));
  const windows = rule.shape === 'window' ? 3 : 1;
  judgeRefusals(judge, name, refusals, windows * costOf(rule, unlikeDocumented));
  // One poll more than the minimum of a few tracks needs another window.
  const mostMs =
    1.15 * floorMs(rule, tracks) +
    MINUTE_MS +
    RUN_MS_MAX +
    refusals * MINUTE_MS +
    SHARE_MS * unlikeDocumented.length;
  if (tookMs > mostMs)
    judge.blame('S', `${name} took ${tookMs} ms for ${tracks} tracks, not ${Math.round(mostMs)}`);
}

/** A lower limit of one route makes a run careful with the others for some minutes. */
const SHARE_MS = 3 * MINUTE_MS;

function judgeRefusals(judge: Judge, name: string, refusals: number, most: number): void {
  if (refusals > most) judge.blame('R', `${name} got ${refusals} answers of 429, not ${most}`);
}

/** With headers, a run expects the limits they state, not the documented ones. */
function isLower({ routes, model }: LimitRule, route: Limited): boolean {
  const limit = routes?.[route];
  if (limit === undefined) return false;
  return model !== undefined || limit < DOCUMENTED[route];
}

/** The shortest possible run under these limits. */
function floorMs({ routes, model }: LimitRule, tracks: number): number {
  const minutes = (requests: number, perMinute: number) => Math.max(0, Math.ceil(requests / perMinute) - 1);
  return (
    MINUTE_MS *
    Math.max(
      minutes(tracks, routes?.queue ?? Number.POSITIVE_INFINITY),
      minutes(tracks, routes?.retrieve ?? Number.POSITIVE_INFINITY),
      minutes(3 * tracks, model?.perMinute ?? Number.POSITIVE_INFINITY),
    )
  );
}
