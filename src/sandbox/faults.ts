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
