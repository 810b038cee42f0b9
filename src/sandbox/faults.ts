/** Probabilities from 0 to 1, each for one request or one job. */
export interface Faults {
  /** A job that ends FAILED; half of them are refunded. */
  readonly jobFails: number;
  /** A clean-up that answers `success: false`, and deletes nothing. */
  readonly cleanUpFails: number;
  /** A submit that is refused with 503 MODEL_AT_CAPACITY. */
  readonly atCapacity: number;
  /** A submit that is refused with 429 MODEL_OVERLOADED. */
  readonly overloaded: number;
  /** A submit that is queued, and whose answer never arrives. */
  readonly lostAnswer: number;
  /** A submit that is queued, and answered with a 500. */
  readonly errorAfterQueueing: number;
  /** A request that a proxy answers with 502 and a page of HTML, nothing having happened. */
  readonly badGateway: number;
  /** A download that breaks off half-way. */
  readonly brokenDownload: number;
}

export const FAULTS_DEFAULT: Faults = {
  jobFails: 0,
  cleanUpFails: 0.05,
  atCapacity: 0,
  overloaded: 0,
  lostAnswer: 0,
  errorAfterQueueing: 0,
  badGateway: 0,
  brokenDownload: 0,
};

/** Where the API is known to answer in two ways: how often, from 0 to 1, the second one comes. */
export interface Variants {
  /** A running job without its times. */
  readonly untimed: number;
  /** A failed job without a word about the money. */
  readonly refundUnstated: number;
  /** Success for a clean-up of what is cleaned up already, where the first way is 404. */
  readonly cleanUpAgain: number;
  /** A Content-Type of audio with parameters. */
  readonly typeParameters: number;
  /** The audio as base64 in JSON. */
  readonly audioInline: number;
  /** JSON with the URL of the audio, which nothing serves. */
  readonly audioElsewhere: number;
  /** 400 for a submit to an unknown model, where the first way is 404. */
  readonly unknownModel400: number;
  /** An error that is an object with message, type and code, where the first way is a text. */
  readonly errorObject: number;
  /** An answer without one of its rate-limit headers. */
  readonly headerMissing: number;
}

export const VARIANTS_DEFAULT: Variants = {
  untimed: 0.02,
  refundUnstated: 0.25,
  cleanUpAgain: 0.25,
  typeParameters: 0.25,
  audioInline: 0,
  audioElsewhere: 0,
  unknownModel400: 0.25,
  errorObject: 0.1,
  headerMissing: 0,
};
