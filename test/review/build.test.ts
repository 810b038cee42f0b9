import { describe, expect, it } from 'vitest';
import type { Attempt } from '../../src/lockfile/attempt.js';
import type { Take } from '../../src/manifest/take.js';
import type { Picks } from '../../src/picks/pick-types.js';
import { decide } from '../../src/plan/decide.js';
import { type FileState, readHistory } from '../../src/plan/history.js';
import { buildReview } from '../../src/review/build.js';
import type { ReviewData, ReviewTrack } from '../../src/review/data.js';
import { filesOf, makeAttempt, makeTake } from '../plan/builders.js';

interface Album {
  readonly takes: readonly Take[];
  readonly attempts: readonly Attempt[];
  readonly picks?: Picks;
  readonly disk?: Readonly<Record<string, FileState>>;
}

function review({ takes, attempts, picks = new Map(), disk }: Album): ReviewData {
  const files = filesOf(attempts, disk);
  const asked = { takes, attempts, files, owners: new Map(), links: new Map(), occupied: () => undefined };
  const { rows } = decide({ ...asked, selection: { force: [], retryFailed: false } });
  return buildReview({
    title: 'Night Drive',
    manifest: 'album.yaml',
    sandbox: false,
    manifestRead: true,
    rows,
    attempts,
    holdings: readHistory(attempts, files).holdings,
    picks,
    sounds: new Map(),
    urlOf: ({ sha256 }) => `audio/${sha256}`,
  });
}

function onlyTrack(album: Album): ReviewTrack {
  const { tracks } = review(album);
  expect(tracks).toHaveLength(1);
  return tracks[0]!;
}

const [first, second] = [makeTake({ take: 1, takes: 2 }), makeTake({ take: 2, takes: 2 })];

describe('the data of the review page', () => {
  it('include the tracks in the order of the manifest, each with its takes', () => {
    const [b, a] = [makeTake({ track: 'b' }), makeTake({ track: 'a' })];
    const { tracks } = review({
      takes: [b, a],
      attempts: [makeAttempt({ name: 'x', of: a }), makeAttempt({ name: 'y', of: b })],
    });
    expect(tracks.map(({ id }) => id)).toEqual(['b', 'a']);
  });

  it('distinguish ready, in flight, in doubt, failed and not made', () => {
    const takes = [1, 2, 3, 4, 5].map((take) => makeTake({ take, takes: 5 }));
    const states = ['done', 'queued', 'in_doubt', 'failed'] as const;
    const attempts = states.map((state, index) =>
      makeAttempt({ name: `n${index}`, state, of: takes[index]! }),
    );
    const shown = onlyTrack({ takes, attempts }).takes;
    expect(shown.map(({ name, state, stateText }) => [name, state, stateText])).toEqual([
      ['Take 1', 'ready', 'done'],
      ['Take 2', 'in_flight', 'queued'],
      ['Take 3', 'in_flight', 'in doubt'],
      ['Take 4', 'absent', 'failed'],
      ['Take 5', 'absent', 'not made yet'],
    ]);
  });

  it('list files of earlier requests after the current takes', () => {
    const earlier = makeAttempt({ name: 'a', of: first, request: { prompt: 'before' }, path: 'out/old.wav' });
    const { takes } = onlyTrack({
      takes: [first],
      attempts: [earlier, makeAttempt({ name: 'b', of: first })],
    });
    expect(takes.map(({ name, file }) => [name, file?.path])).toEqual([
      ['Take 1', 'out/opening.wav'],
      ['Take 1, earlier version', 'out/old.wav'],
    ]);
  });

  it('omit files that are missing or changed', () => {
    const attempts = [makeAttempt({ name: 'a', of: first }), makeAttempt({ name: 'b', of: second })];
    const disk = { 'out/opening.wav': 'missing', 'out/opening-2.wav': 'changed' } as const;
    const { takes } = onlyTrack({ takes: [first, second], attempts, disk });
    expect(takes.map(({ state, file }) => [state, file])).toEqual([
      ['absent', undefined],
      ['absent', undefined],
    ]);
  });

  it.each([
    ['of a current take', 'now', 'current'],
    ['of a take made before the track changed', 'before', 'superseded'],
    ['that matches no file', 'f'.repeat(64), 'unknown'],
  ])('recognize a pick %s', (_what, sha256, state) => {
    const attempts = [
      makeAttempt({ name: 'a', of: first, request: { prompt: 'x' }, sha256: 'before', path: 'out/old.wav' }),
      makeAttempt({ name: 'b', of: first, sha256: 'now' }),
    ];
    const picks = new Map([['opening', { sha256, note: 'warm' }]]);
    expect(onlyTrack({ takes: [first], attempts, picks }).pick).toEqual({ sha256, note: 'warm', state });
  });

  it('include the request with its field names, and the price that was charged', () => {
    const take = makeTake({
      request: { lyrics_prompt: 'la la', duration_seconds: 30, force_instrumental: true },
    });
    const attempts = [makeAttempt({ of: take, quote: 690_000 })];
    const track = onlyTrack({ takes: [take], attempts });
    expect(track.request).toEqual({
      model: 'song',
      prompt: 'calm piano over rain',
      lyrics: 'la la',
      settings: [
        ['duration_seconds', '30'],
        ['force_instrumental', 'yes'],
      ],
    });
    expect(track.takes[0]).toMatchObject({ price: '$0.69', boughtAt: attempts[0]?.at.intent });
  });
});
