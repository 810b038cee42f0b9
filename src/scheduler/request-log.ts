/** A minute counted from the response, by which time the service has counted the request. */
export const WINDOW_MS = 60_100;

/** Times in ms at which requests were sent or answered within the last window. */
export function createRequestLog() {
  let times: number[] = [];
  let start = 0;
  const forget = (nowMs: number): void => {
    while (start < times.length && times[start]! <= nowMs - WINDOW_MS) start += 1;
    if (start > 1_024) {
      times = times.slice(start);
      start = 0;
    }
  };
  return {
    add: (nowMs: number): void => {
      forget(nowMs);
      times.push(nowMs);
    },
    /** Also accepts times earlier than those already known. */
    addAll: (sentMs: readonly number[]): void => {
      times = [...times.slice(start), ...sentMs].sort((a, b) => a - b);
      start = 0;
    },
    count: (nowMs: number): number => {
      forget(nowMs);
      return times.length - start;
    },
    /** `undefined` if there are not that many. Place 0 is the oldest. */
    at: (place: number, nowMs: number): number | undefined => {
      forget(nowMs);
      return times[start + place];
    },
  };
}
