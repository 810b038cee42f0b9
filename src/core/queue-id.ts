/**
 * Whether it can be the id of a job: 1 to 1,000 visible characters. The service decides what its ids look like, and
 * they are only ever sent back to it, in JSON.
 */
export function isQueueId(value: unknown): value is string {
  return typeof value === 'string' && QUEUE_ID.test(value);
}

/** Longer ids are not valid, and are truncated for display. */
export const QUEUE_ID_LENGTH_MAX = 1_000;

/** No control characters, invisible characters or characters that change the text direction, and no U+FFFD. */
const QUEUE_ID =
  /^[^\u0000-\u001f\u007f-\u009f\u00ad\u061c\u200b-\u200f\u2028-\u202e\u2060-\u206f\ud800-\udfff\ufeff\ufff0-\uffff]{1,1000}$/u;
