import type { Source } from './source.js';
import type { TrackView } from './track-view.js';
import { drawWaveform } from './waveform.js';

export interface Waveforms {
  /** Draws those of a track when it comes into view, and again when its size or the colours change. */
  watch(track: TrackView): void;
  forget(track: TrackView): void;
  /** Draws it again, played up to a part from 0 to 1. */
  progress(canvas: HTMLCanvasElement, played: number): void;
  /** Asks again for what was not there. */
  retry(): void;
}

/** Draws only what can be seen: an album may have hundreds of takes. */
export function createWaveforms(source: Source): Waveforms {
  const heights = new Map<string, readonly number[]>();
  const played = new WeakMap<HTMLCanvasElement, number>();
  const inView = new Set<HTMLCanvasElement>();

  const draw = (canvas: HTMLCanvasElement) => {
    const known = heights.get(canvas.dataset.sha256 ?? '');
    if (known !== undefined) drawWaveform(canvas, known, played.get(canvas) ?? 0);
  };
  const fetchAndDraw = async (canvas: HTMLCanvasElement) => {
    const sha256 = canvas.dataset.sha256 ?? '';
    if (!heights.has(sha256)) {
      const answer = await source.peaksOf(sha256).catch(() => undefined);
      if (answer !== undefined) heights.set(sha256, answer);
    }
    draw(canvas);
  };
  const views = new IntersectionObserver(
    (entries) => {
      for (const { target, isIntersecting } of entries)
        for (const canvas of target.querySelectorAll<HTMLCanvasElement>('canvas'))
          if (isIntersecting) {
            inView.add(canvas);
            void fetchAndDraw(canvas);
          } else inView.delete(canvas);
    },
    { rootMargin: '300px' },
  );
  const redraw = () => {
    for (const canvas of inView) draw(canvas);
  };
  window.addEventListener('resize', redraw);
  window.matchMedia('(prefers-color-scheme: dark)').addEventListener('change', redraw);
  return {
    watch: ({ root }) => views.observe(root),
    forget({ root, rows }) {
      views.unobserve(root);
      for (const { canvas } of rows) if (canvas !== undefined) inView.delete(canvas);
    },
    progress(canvas, part) {
      if (played.get(canvas) === part) return;
      played.set(canvas, part);
      if (inView.has(canvas)) draw(canvas);
    },
    retry() {
      for (const canvas of inView) if (!heights.has(canvas.dataset.sha256 ?? '')) void fetchAndDraw(canvas);
    },
  };
}
