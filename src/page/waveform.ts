/** Bar and gap, in CSS pixels. */
const BAR = 2;
const STEP = 3;

/**
 * Draws a waveform as bars around the middle, in the colours of the element's style: `--wave` and, up to `played`,
 * `--wave-played`.
 *
 * @param heights from 0 to 1, from the beginning of the file to its end
 * @param played from 0 to 1
 */
export function drawWaveform(canvas: HTMLCanvasElement, heights: readonly number[], played: number): void {
  const { clientWidth: width, clientHeight: height } = canvas;
  const context = canvas.getContext('2d');
  if (context === null || width === 0 || height === 0) return;
  const scale = window.devicePixelRatio;
  canvas.width = Math.round(width * scale);
  canvas.height = Math.round(height * scale);
  context.scale(scale, scale);
  const style = getComputedStyle(canvas);
  const [ahead, behind] = ['--wave', '--wave-played'].map((name) => style.getPropertyValue(name));
  const bars = columns(heights, Math.floor((width + STEP - BAR) / STEP));
  bars.forEach((bar, index) => {
    const tall = Math.max(BAR, bar * height);
    context.fillStyle = (index + 0.5) / bars.length <= played ? behind! : ahead!;
    context.beginPath();
    context.roundRect(index * STEP, (height - tall) / 2, BAR, tall, BAR / 2);
    context.fill();
  });
}

/** As many values as there are bars, each the highest of its part. */
export function columns(heights: readonly number[], count: number): readonly number[] {
  if (heights.length === 0) return [];
  return Array.from({ length: count }, (_, index) => {
    const from = Math.floor((index * heights.length) / count);
    const to = Math.max(from + 1, Math.floor(((index + 1) * heights.length) / count));
    return Math.max(...heights.slice(from, to));
  });
}
