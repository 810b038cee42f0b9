/** A longer text is not a number with its unit, and could keep the expressions below busy for hours. */
const TEXT_LENGTH_MAX = 40;

/** Text that may be beside a number without changing its value. */
const BESIDE =
  /^\+?(?:us\$|[$€£]|usd|eur|dollars?|s|secs?|seconds?|x|times|takes?|jobs?|lufs|db(?:tp|fs)?|kbps|kbit\/s)*$/i;
export const BESIDE_MINUTES = /^\+?(?:m|mins?|minutes?)?$/i;

/**
 * The number in a text such as `$5`, `5 USD`, `45s` or `1,50`, as it should be written; `undefined` if there is none
 * above 0, or if the rest of the text changes its meaning (`5k`, `50 cents`, `2-3`).
 */
export function numberIn(text: string, beside = BESIDE): string | undefined {
  if (text.length > TEXT_LENGTH_MAX) return undefined;
  const written = /\d[\d.,]*/.exec(text)?.[0] ?? '';
  if (!beside.test(text.replace(written, '').replace(/\s/g, ''))) return undefined;
  // A comma before three digits groups thousands; any other is a decimal comma.
  const plain = written
    .replace(/[.,]+$/, '')
    .replace(/,(?=\d{3}(\D|$))/g, '')
    .replace(',', '.');
  return /^\d+(\.\d+)?$/.test(plain) && Number(plain) > 0 ? plain : undefined;
}

/** Like `numberIn`, for a duration: also `1:30`, `1m30s` and `2 min`, in seconds. */
export function secondsIn(text: string): string | undefined {
  if (text.length > TEXT_LENGTH_MAX) return undefined;
  const [, minutes, seconds = '0'] =
    /^\s*(\d{1,3})\s*(?::|m(?:in)?)\s*([0-5]\d|\d(?=\s*s))\s*s?(?:ec)?\s*$/i.exec(text) ?? [];
  if (minutes !== undefined) return String(Number(minutes) * 60 + Number(seconds));
  const whole = numberIn(text, BESIDE_MINUTES);
  return whole === undefined || !/m/i.test(text) ? numberIn(text) : String(Number(whole) * 60);
}
