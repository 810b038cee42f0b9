import type { Diagnostic, Span } from '../core/diagnostic.js';
import type { Take } from '../manifest/take.js';
import { listed } from './text.js';

const NAMED_MAX = 8;
const RELATED_MAX = 10;

/**
 * Tracks with the same request, most likely copied and not edited: each is bought. One warning for each such request.
 * Takes of one track are meant to have one.
 *
 * @param isBought whether a take would be bought; without one that would, nothing is reported
 */
export function sameRequestWarnings(
  takes: readonly Take[],
  isBought: (take: Take) => boolean,
): readonly Diagnostic[] {
  const byDigest = new Map<string, { tracks: Map<string, Span>; bought: boolean }>();
  for (const take of takes) {
    const known = byDigest.get(take.digest) ?? { tracks: new Map<string, Span>(), bought: false };
    if (!known.tracks.has(take.track)) known.tracks.set(take.track, take.span);
    known.bought ||= isBought(take);
    byDigest.set(take.digest, known);
  }
  return [...byDigest.values()].flatMap(({ tracks, bought }) => {
    const [[, first], second, ...others] = [...tracks] as [
      [string, Span],
      [string, Span]?,
      ...[string, Span][],
    ];
    if (!bought || second === undefined) return [];
    const names = listed(
      [...tracks.keys()].map((track) => `\`${track}\``),
      NAMED_MAX,
    );
    return [
      {
        code: 'same-request',
        severity: 'warning',
        message: `${names} have the same request, and you pay for each of them`,
        hint: 'if one is a copy, change its prompt; for several versions of one track, use `takes`',
        span: second[1],
        related: [first, ...others.map(([, span]) => span)]
          .slice(0, RELATED_MAX)
          .map((span) => ({ message: 'the same request', span })),
      },
    ];
  });
}
