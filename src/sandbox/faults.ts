/** Probabilities from 0 to 1, each for one request or one job. */
export interface Faults {
  /** A job ends FAILED; half of these are refunded. */
  readonly jobFails: number;
  /** A clean-up answers `success: false`, and deletes nothing. */
  readonly cleanUpFails: number;
  /** A submit is refused with 503 MODEL_AT_CAPACITY. */
  readonly atCapacity: number;
  /** A submit is refused with 429 MODEL_OVERLOADED. */
  readonly overloaded: number;
  /** A submit is queued, but its response never arrives. */
  readonly lostAnswer: number;
  /** A submit is queued, but answered with a 500. */
  readonly errorAfterQueueing: number;
  /** A proxy answers with 502 and an HTML page, and the request has no effect. */
  readonly badGateway: number;
  /** A download is cut off half-way. */
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

/** Where the API has two ways of answering: the probability of the second one, from 0 to 1. */
export interface Variants {
  /** A running job without its times. */
  readonly untimed: number;
  /** A failed job without information about the refund. */
  readonly refundUnstated: number;
  /** Success when cleaning up twice, instead of 404. */
  readonly cleanUpAgain: number;
  /** A Content-Type of audio with parameters. */
  readonly typeParameters: number;
  /** The audio as base64 in JSON. */
  readonly audioInline: number;
  /** JSON with the URL of the audio, which does not exist. */
  readonly audioElsewhere: number;
  /** 400 for a submit to an unknown model, instead of 404. */
  readonly unknownModel400: number;
  /** 404 with a hint for a submit to a retired model, instead of 410. */
  readonly retired404: number;
  /** A job of the replacement for a submit to a retired model that names one, instead of 410. */
  readonly rerouted: number;
  /** 404 for a voice changer on the audio routes, instead of 400. */
  readonly voiceChanger404: number;
  /** Another name for the type of M4A, instead of `audio/mp4`. */
  readonly otherM4aType: number;
  /** An error as an object with message, type and code, instead of a text. */
  readonly errorObject: number;
  /** A response without one of its rate limit headers. */
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
  retired404: 0,
  rerouted: 0,
  voiceChanger404: 0,
  otherM4aType: 0,
  errorObject: 0.1,
  headerMissing: 0,
};
