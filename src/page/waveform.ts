import { svgElement } from './dom.js';

/** Bar and gap, in CSS pixels. */
const BAR = 2;
const STEP = 3;

export interface Waveform {
  readonly root: SVGSVGElement;
  /**
   * Draws bars around the middle, at the current width of the element.
   *
   * @param heights from 0 to 1, from the beginning of the file to its end
   */
  draw(heights: readonly number[]): void;
  /** Shows it as played up to a position from 0 to 1. */
  progress(played: number): void;
}

/**
 * Two SVG lines: the bars still to play and those already played, coloured by the style sheet. A canvas would be a
 * separate layer, and hundreds of layers make scrolling slow.
 */
export function createWaveform(): Waveform {
  const [ahead, behind] = [svgElement('path', {}), svgElement('path', { class: 'played' })];
  const root = svgElement('svg', { class: 'wave', 'aria-hidden': 'true' }, ahead, behind);
  let bars: readonly string[] = [];
  let part = 0;
  const showPlayed = (count: number) => behind.setAttribute('d', bars.slice(0, count).join(''));
  return {
    root,
    draw(heights) {
      const { width, height } = root.getBoundingClientRect();
      if (width === 0 || height === 0) return;
      bars = columns(heights, Math.floor((width + STEP - BAR) / STEP)).map((bar, index) =>
        line(index * STEP + BAR / 2, Math.max(0, bar * height - BAR), height),
      );
      ahead.setAttribute('d', bars.join(''));
      showPlayed(Math.round(part * bars.length));
    },
    progress(played) {
      const [before, now] = [part, played].map((one) => Math.round(one * bars.length));
      part = played;
      if (before !== now) showPlayed(now!);
    },
  };
}

/** A vertical line. Its round ends add the width of the bar to its length. */
function line(x: number, length: number, height: number): string {
  return `M${x} ${((height - length) / 2).toFixed(1)}v${length.toFixed(1)}`;
}

/** One value per bar, each the maximum of its part. */
export function columns(heights: readonly number[], count: number): readonly number[] {
  if (heights.length === 0) return [];
  return Array.from({ length: count }, (_, index) => {
    const from = Math.floor((index * heights.length) / count);
    const to = Math.max(from + 1, Math.floor(((index + 1) * heights.length) / count));
    return Math.max(...heights.slice(from, to));
  });
}
