import type { ReviewData, ReviewTake, ReviewTrack } from '../review/data.js';

/** `1:05`. */
export function clock(seconds: number | undefined): string {
  if (seconds === undefined) return '–:––';
  const whole = Math.floor(Math.max(0, seconds));
  return `${Math.floor(whole / 60)}:${String(whole % 60).padStart(2, '0')}`;
}

/** The same, for a screen reader: `1 minute 5 seconds`. */
export function spokenTime(seconds: number): string {
  const whole = Math.floor(Math.max(0, seconds));
  const parts = [counted(Math.floor(whole / 60), 'minute'), counted(whole % 60, 'second')];
  return whole < 60 ? parts[1]! : parts.join(' ');
}

export function counted(count: number, noun: string): string {
  return `${count} ${noun}${count === 1 ? '' : 's'}`;
}

export function titleOf({ title, id }: ReviewTrack): string {
  return title ?? id;
}

const DAY = new Intl.DateTimeFormat(undefined, { day: 'numeric', month: 'short', year: 'numeric' });

export function day(iso: string): string {
  return DAY.format(new Date(iso));
}

export type Filter = 'all' | 'unpicked' | 'warnings';

export function isPicked({ pick }: ReviewTrack): boolean {
  return pick !== undefined && pick.state !== 'unknown';
}

export function warningsOf({ file }: ReviewTake): readonly string[] {
  return file?.sound?.warnings ?? [];
}

export function passes(filter: Filter, track: ReviewTrack): boolean {
  if (filter === 'unpicked') return !isPicked(track);
  if (filter === 'warnings') return track.takes.some((take) => warningsOf(take).length > 0);
  return true;
}

/** `6 tracks, 4 picked, 1 in flight`. */
export function totals({ tracks }: ReviewData): string {
  const inFlight = tracks.flatMap(({ takes }) => takes).filter(({ state }) => state === 'in_flight').length;
  return [
    counted(tracks.length, 'track'),
    `${tracks.filter(isPicked).length} picked`,
    ...(inFlight === 0 ? [] : [`${counted(inFlight, 'take')} in flight`]),
  ].join(', ');
}

/** `Picked take 2` from `Take 2`. */
export function inSentence(name: string): string {
  return name.charAt(0).toLowerCase() + name.slice(1);
}
