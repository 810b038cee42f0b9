/** A duration for display: `0.4 s`, `41 s`, `4 min 12 s`, `2 h 05 min`. */
export function formatDuration(ms: number): string {
  const seconds = Math.max(0, ms) / 1000;
  if (seconds >= 0.05 && seconds < 0.95) return `${seconds.toFixed(1)} s`;
  const whole = Math.round(seconds);
  if (whole < 60) return `${whole} s`;
  if (whole < 3600) return `${Math.floor(whole / 60)} min ${String(whole % 60).padStart(2, '0')} s`;
  const minutes = Math.round(seconds / 60);
  return `${Math.floor(minutes / 60)} h ${String(minutes % 60).padStart(2, '0')} min`;
}

/** A range whose end is more than this many times its start is shown without its end. */
const RANGE_MAX = 8;
const SHORT_MS = 10_000;
/** Longer upper limits are not shown: they mean nothing to a user who waits for seconds. */
const UP_TO_MS_MAX = 600_000;

/**
 * The remaining time of a run, only as precise as it is known: `about 3 min`, `2 to 5 min`, `50 s to 2 min`, `less than
 * 10 s`, `at least 20 s`, `up to 3 min`; `undefined` if almost nothing is known.
 */
export function formatRemaining(lowMs: number, highMs: number): string | undefined {
  if (highMs < SHORT_MS) return 'less than 10 s';
  const [low, high] = [rough(lowMs), rough(highMs)];
  if (lowMs * 1.5 >= highMs || low === high) return `about ${high}`;
  if (highMs > RANGE_MAX * Math.max(lowMs, SHORT_MS)) {
    if (lowMs >= SHORT_MS) return `at least ${low}`;
    return highMs > UP_TO_MS_MAX ? undefined : `up to ${high}`;
  }
  const [unitOfLow, unitOfHigh] = [low, high].map((text) => text.replace(/^\S+ /, ''));
  return `${unitOfLow === unitOfHigh ? low.replace(/ .*/, '') : low} to ${high}`;
}

function rough(ms: number): string {
  if (ms < 90_000) return `${Math.max(10, Math.ceil(ms / 10_000) * 10)} s`;
  if (ms < 90 * 60_000) return `${Math.round(ms / 60_000)} min`;
  return `${Number((ms / 3_600_000).toFixed(1))} h`;
}
