/** A page of `src/explanations`: what a code, a state or an exit code means, and what to do. */
export interface Explanation {
  /** What happened, in a few words. */
  readonly title: string;
  /** What it means, and why it happens. */
  readonly text: string;
  readonly money: string;
  readonly fix: string;
  /** The command to run next, for a manifest named `album.yaml`. */
  readonly next: string;
}

const PAGE = /^# (.+)\n\n(.+)\n\n\*\*Money:\*\* (.+)\n\n\*\*Fix:\*\* (.+)\n\n```sh\n(.+)\n```\n$/;

/** Parses a page; `undefined` if a part is missing. Each part is one line. */
export function readExplanation(page: string): Explanation | undefined {
  const [, title, text, money, fix, next] = PAGE.exec(page.replaceAll('\r\n', '\n')) ?? [];
  if (title === undefined || text === undefined || money === undefined) return undefined;
  return fix === undefined || next === undefined ? undefined : { title, text, money, fix, next };
}
