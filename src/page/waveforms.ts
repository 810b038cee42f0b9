import type { Source } from './data-source.js';
import type { TakeRow } from './take-row.js';
import type { TrackView } from './track-view.js';

export interface Waveforms {
  /** Draws those of a track when it comes into view, and again when its size changes. */
  watch(track: TrackView): void;
  forget(track: TrackView): void;
  /** Asks again for what was not there. */
  retry(): void;
}

/** Fetches and draws only what can be seen: an album may have hundreds of takes. */
export function createWaveforms(source: Source): Waveforms {
  const heights = new Map<string, readonly number[]>();
  const watched = new Map<Element, TrackView>();
  const inView = new Set<TrackView>();

  const fetchAndDraw = async ({ take, waveform }: TakeRow) => {
    if (take.file === undefined) return;
    const { sha256 } = take.file;
    const known = heights.get(sha256) ?? (await source.peaksOf(sha256).catch(() => undefined));
    if (known === undefined) return;
    heights.set(sha256, known);
    waveform?.draw(known);
  };
  const fetchAndDrawAll = ({ rows }: TrackView) => rows.forEach((row) => void fetchAndDraw(row));
  const views = new IntersectionObserver(
    (entries) => {
      for (const { target, isIntersecting } of entries) {
        const track = watched.get(target);
        if (track === undefined) continue;
        if (!isIntersecting) inView.delete(track);
        else if (!inView.has(track)) {
          inView.add(track);
          fetchAndDrawAll(track);
        }
      }
    },
    { rootMargin: '300px' },
  );
  window.addEventListener('resize', () => inView.forEach(fetchAndDrawAll));
  return {
    watch(track) {
      watched.set(track.root, track);
      views.observe(track.root);
    },
    forget(track) {
      watched.delete(track.root);
      inView.delete(track);
      views.unobserve(track.root);
    },
    retry() {
      for (const { rows } of inView)
        for (const row of rows)
          if (row.take.file !== undefined && !heights.has(row.take.file.sha256)) void fetchAndDraw(row);
    },
  };
}
