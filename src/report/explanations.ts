/** An error code told at length, for `venice-batch explain`. */
export interface Explanation {
  readonly title: string;
  readonly text: string;
}

export const EXPLANATIONS: Readonly<Record<string, Explanation>> = {};
