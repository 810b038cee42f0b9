import { CATALOGUE } from './catalogue-2026-08.js';
import { CATALOGUE_TODAY } from './catalogue-2026-10.js';
import { VARIANTS_DEFAULT, type Variants } from './faults.js';
import type { LimitOptions } from './limits.js';
import type { SandboxModel } from './sandbox-model.js';

/** Months of the public API descriptions that the sandbox can follow. */
const DESCRIPTIONS = ['2026-10', '2026-08'] as const;
export type DescriptionName = (typeof DESCRIPTIONS)[number];
export const DESCRIPTION_DEFAULT: DescriptionName = '2026-10';

export interface TextDefaults {
  readonly promptMin: number;
  readonly lyricsMax: number;
}

/** How the descriptions of the service differ. */
export interface Description {
  readonly catalogue: readonly SandboxModel[];
  readonly limits: LimitOptions;
  readonly variants: Variants;
  /** Whether error bodies have a `code`. */
  readonly errorCodes: boolean;
  /** How a failed job is reported: with an HTTP error on retrieve, or with a JSON status. */
  readonly failures: 'http' | 'json';
  /** Whether retrieve says `QUEUED` for a job that has not begun. */
  readonly reportsQueued: boolean;
  /** Status of retrieve and complete for an id that is not the user's. */
  readonly unknownIdStatus: 400 | 404;
  /** When the history shows the charge. The money is reserved from the submit on in either case. */
  readonly chargedAt: 'queue' | 'end';
  /** 402 without credentials, 401 `Admin API key required` on billing routes, 410 for a retired model. */
  readonly strictAccess: boolean;
  /** For models that declare none: the fewest characters of a prompt, and the most of lyrics. */
  readonly textDefaults: TextDefaults;
  /** Whether `rate_limits` lists a limit for each model. */
  readonly modelLimits: boolean;
}

const TODAY: Description = {
  catalogue: CATALOGUE_TODAY,
  limits: {
    perMinuteByRoute: {
      '/audio/queue': 40,
      '/audio/retrieve': 120,
      '/x402/balance': 30,
      '/x402/transactions': 20,
    },
    headers: false,
    failuresMax: 50,
  },
  variants: { ...VARIANTS_DEFAULT, untimed: 0, errorObject: 0, unknownModel400: 0, refundUnstated: 0.5 },
  errorCodes: false,
  failures: 'http',
  reportsQueued: false,
  unknownIdStatus: 400,
  chargedAt: 'queue',
  strictAccess: true,
  textDefaults: { promptMin: 10, lyricsMax: 4_096 },
  modelLimits: false,
};

const AUGUST: Description = {
  catalogue: CATALOGUE,
  limits: { perMinute: 60 },
  variants: VARIANTS_DEFAULT,
  errorCodes: true,
  failures: 'json',
  reportsQueued: true,
  unknownIdStatus: 404,
  chargedAt: 'end',
  strictAccess: false,
  textDefaults: { promptMin: 1, lyricsMax: Number.POSITIVE_INFINITY },
  modelLimits: true,
};

export function descriptionOf(name: DescriptionName): Description {
  return name === '2026-08' ? AUGUST : TODAY;
}
