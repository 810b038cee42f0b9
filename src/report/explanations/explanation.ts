/** A code told at length, for `venice-batch explain`. All in our own words. */
export interface Explanation {
  /** What happened, in a few words. */
  readonly title: string;
  /** What it means. */
  readonly text: string;
  /** What it says about the money. */
  readonly money: string;
  readonly mend: string;
  /** The command that goes on, for a manifest called `album.yaml`. */
  readonly next: string;
}

export type Explanations = Readonly<Record<string, Explanation>>;
