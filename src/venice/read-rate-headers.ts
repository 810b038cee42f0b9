import type { RateHeaders } from '../core/rate-headers.js';
import { finite, present } from './read-json.js';

const DAY_SECONDS = 86_400;

/** Rate limit headers of a response (names in lower case). Implausible values are ignored. */
export function readRateHeaders(headers: Readonly<Record<string, string>>): RateHeaders {
  // Without it, the other header is that of a proxy, which counts requests.
  const errorsReset = unixSeconds(headers['x-ratelimit-resets']);
  return present({
    limit: count(headers['x-ratelimit-limit-requests']),
    remaining: count(headers['x-ratelimit-remaining-requests']),
    resetUnixSeconds: unixSeconds(headers['x-ratelimit-reset-requests']),
    errorsRemaining: errorsReset === undefined ? undefined : count(headers['x-ratelimit-remaining']),
    errorsResetUnixSeconds: errorsReset,
    retryAfterSeconds: retryAfter(headers['retry-after'], headers.date),
    dateUnixSeconds: finite(Date.parse(headers.date ?? '') / 1_000, 0, 1e11),
  });
}

/**
 * Seconds or milliseconds since 1970, distinguished by size: as seconds, 1e11 is in the year 5138; as milliseconds, in
 * 1973.
 */
function unixSeconds(header: string | undefined): number | undefined {
  const value = decimal(header);
  return finite(value !== undefined && value >= 1e11 ? value / 1_000 : value, 0, 1e11);
}

function decimal(header: string | undefined): number | undefined {
  return header !== undefined && /^\s*\d{1,15}(\.\d{1,9})?\s*$/.test(header) ? Number(header) : undefined;
}

function count(header: string | undefined): number | undefined {
  const value = finite(decimal(header), 0, 1e9);
  return value === undefined ? undefined : Math.floor(value);
}

/** Seconds, or a date, which is compared with the server's clock because no other is comparable. */
function retryAfter(header: string | undefined, serverDate: string | undefined): number | undefined {
  const seconds = decimal(header);
  if (seconds !== undefined) return finite(seconds, 0, DAY_SECONDS);
  if (header === undefined || serverDate === undefined) return undefined;
  return finite((Date.parse(header) - Date.parse(serverDate)) / 1_000, 0, DAY_SECONDS);
}
