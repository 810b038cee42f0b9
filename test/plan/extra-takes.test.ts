import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Attempt, AttemptState } from '../../src/lockfile/attempt.js';
import type { LoadedManifest, Manifest } from '../../src/manifest/take.js';
import { decide } from '../../src/plan/decide.js';
import { type MoreTakes, withBoughtTakes, withExtraTakes } from '../../src/plan/extra-takes.js';
import type { Selection } from '../../src/plan/selection.js';
import { intentOf } from '../../src/run/transition.js';
import { load } from '../manifest/check.js';
import { filesOf, makeAttempt } from './builders.js';

const TEXT = `version: 1
defaults: { model: m, prompt: p }
tracks:
  - { id: one }
  - { id: two, takes: 2 }
`;
const ALL: Selection = { force: [], retryFailed: false };

async function manifestOf(text = TEXT): Promise<Manifest> {
  const { manifest, diagnostics } = await load(text);
  if (manifest === undefined) throw new Error(diagnostics.map(({ message }) => message).join());
  return manifest;
}

function keysOf({ manifest }: LoadedManifest): readonly string[] | undefined {
  return manifest?.takes.map(({ key }) => key);
}

/** An attempt at a take beyond `takes`, as `--more` leaves it. */
function boughtAt(manifest: Manifest, track: string, take: number, state: AttemptState = 'done'): Attempt {
  const made = manifest.extraTake?.(track, take) ?? [];
  if (!('key' in made)) throw new Error(`no take ${take} of ${track}`);
  return {
    ...makeAttempt({ name: `${track}${take}${state}`, of: made, state }),
    digest: made.digest,
    extra: true,
  };
}

describe('--more', () => {
  const asked = async (more: Partial<MoreTakes>, attempts: readonly Attempt[] = [], text = TEXT) =>
    withExtraTakes(await load(text), attempts, { selection: ALL, ...more });

  it('adds takes to every track, in order and under names of their own', async () => {
    const loaded = await asked({ more: 2 });
    expect(keysOf(loaded)).toEqual(['one', 'one#2', 'one#3', 'two', 'two#2', 'two#3', 'two#4']);
    expect(loaded.manifest?.takes.map(({ stem }) => stem)).toEqual([
      'out/01-one',
      'out/01-one-2',
      'out/01-one-3',
      'out/02-two',
      'out/02-two-2',
      'out/02-two-3',
      'out/02-two-4',
    ]);
    expect(loaded.manifest?.takes.map(({ takes }) => takes)).toEqual([3, 3, 3, 4, 4, 4, 4]);
    expect(loaded.diagnostics).toEqual([]);
  });

  it.each<[string, Selection, readonly string[]]>([
    ['--only', { ...ALL, only: ['one'] }, ['one', 'one#2', 'two', 'two#2']],
    ['--except', { ...ALL, except: ['one'] }, ['one', 'two', 'two#2', 'two#3']],
    ['--only-unpicked', { ...ALL, picked: new Set(['two']) }, ['one', 'one#2', 'two', 'two#2']],
    ['all of them picked', { ...ALL, picked: new Set(['one', 'two']) }, ['one', 'two', 'two#2']],
  ])('respects the selection of tracks: %s', async (_, selection, keys) => {
    expect(keysOf(await asked({ more: 1, selection }))).toEqual(keys);
  });

  it('counts from `takes`, so a second run adds nothing and says how to continue', async () => {
    const manifest = await manifestOf();
    const first = [boughtAt(manifest, 'one', 2), boughtAt(manifest, 'one', 3), boughtAt(manifest, 'two', 3)];
    // One of two takes was not yet made when the first run ended.
    const second = await asked({ more: 2 }, first);
    expect(keysOf(second)).toEqual(['one', 'one#2', 'one#3', 'two', 'two#2', 'two#3', 'two#4']);
    expect(second.diagnostics).toEqual([]);
    const third = await asked({ more: 2 }, [...first, boughtAt(manifest, 'two', 4)]);
    expect(keysOf(third)).toEqual(keysOf(second));
    expect(third.diagnostics).toMatchObject([
      { code: 'no-more-takes', severity: 'warning', hint: expect.stringContaining('--more 4') },
    ]);
    expect(keysOf(await asked({ more: 4 }, first))?.length).toBe(11);
  });

  it('retries failed extra takes only on request', async () => {
    const manifest = await manifestOf();
    const failed = [{ ...boughtAt(manifest, 'one', 2, 'failed'), digest: manifest.takes[0]!.digest }];
    const { manifest: now } = await asked({ more: 1, selection: { ...ALL, only: ['one'] } }, failed);
    const decided = decide({
      takes: now!.takes,
      attempts: failed,
      files: filesOf(failed),
      occupied: () => undefined,
      selection: ALL,
    });
    expect(decided.rows[1]).toMatchObject({
      take: { key: 'one#2' },
      decision: { kind: 'held', because: 'failed' },
    });
  });

  it('refuses a name that another track has', async () => {
    const text = TEXT.replace('id: two', 'id: one-2').replace(
      'version: 1',
      'version: 1\noutput: "{id}.{ext}"',
    );
    const loaded = await asked({ more: 1 }, [], text);
    expect(loaded.manifest).toBeUndefined();
    expect(loaded.diagnostics).toMatchObject([{ code: 'output-collision', span: { line: 5 } }]);
  });

  it('refuses more takes than a manifest can have', async () => {
    const tracks = Array.from({ length: 600 }, (_, at) => `  - { id: t${at} }`).join('\n');
    const text = `version: 1\ndefaults: { model: m, prompt: p }\ntracks:\n${tracks}\n`;
    const loaded = await asked({ more: 99 }, [], text);
    expect(loaded.manifest).toBeUndefined();
    expect(loaded.diagnostics).toMatchObject([{ code: 'too-many-takes', severity: 'error' }]);
  });

  it('adds its takes to a saved plan', async () => {
    const planned = [
      { track: 'two', take: 2 },
      { track: 'two', take: 3 },
    ].map((one) => ({
      ...one,
      key: `two#${one.take}`,
      digest: 'v1:',
      price_micro_usd: 1,
      attempts_before: 0,
    }));
    expect(keysOf(await asked({ savedPlan: { purchases: planned } }))).toEqual([
      'one',
      'two',
      'two#2',
      'two#3',
    ]);
  });
});

describe('a take that was bought beyond `takes`', () => {
  it('is marked in its record, unlike others', async () => {
    const [one] = (await manifestOf()).takes;
    const { manifest } = withExtraTakes(await load(TEXT), [], { more: 1, selection: ALL });
    const intents = [one!, manifest!.takes[1]!].map((take) => {
      const { request } = take;
      const purchase = { take, request, why: { kind: 'new' as const } } as Parameters<typeof intentOf>[0];
      return intentOf(purchase, { attempt: 'a'.repeat(32), key: 'k', quoteMicroUsd: 1, nowMs: 0 });
    });
    expect(intents.map(({ extra }) => extra)).toEqual([undefined, true]);
    expect(Object.keys(intents[0]!)).not.toContain('extra');
  });

  it.each<[AttemptState, boolean]>([
    ['intent', true],
    ['in_doubt', true],
    ['queued', true],
    ['unverified', true],
    ['stored', true],
    ['done', true],
    ['failed', false],
    ['lost', false],
    ['rejected', false],
  ])('keeps its mark while it is %s: %s', async (state, stays) => {
    const manifest = await manifestOf();
    const attempts = [{ ...boughtAt(manifest, 'one', 2, state) }];
    const keys = withBoughtTakes(manifest, attempts).takes.map(({ key }) => key);
    expect(keys.includes('one#2')).toBe(stays);
  });

  it.each([
    ['lost', 'requeued'],
    ['rejected', 'resolved_not_charged'],
  ] as const)('is bought again by the next run if the user resolved it: %s, %s', async (state, code) => {
    const manifest = await manifestOf();
    const attempt = { ...boughtAt(manifest, 'one', 2, state), reason: { code } };
    expect(withBoughtTakes(manifest, [attempt]).takes.map(({ key }) => key)).toContain('one#2');
  });

  it('does not count if the request changed, `takes` caught up, or the track is gone', async () => {
    const manifest = await manifestOf();
    const attempts = [boughtAt(manifest, 'one', 3)];
    const keys = async (text: string) =>
      withBoughtTakes(await manifestOf(text), attempts).takes.map(
        ({ key, extra = false }) => `${key} ${extra}`,
      );
    expect(await keys(TEXT)).toContain('one#3 true');
    expect(await keys(TEXT)).not.toContain('one#2 true');
    expect(await keys(TEXT.replace('prompt: p', 'prompt: q'))).not.toContain('one#3 true');
    expect(await keys(TEXT.replace('id: one', 'id: one, takes: 3'))).toContain('one#3 false');
    expect(await keys(TEXT.replace('id: one', 'id: other'))).toHaveLength(3);
  });

  it('is kept but never bought by a run without flags', () =>
    fc.assert(
      fc.asyncProperty(
        fc.uniqueArray(fc.integer({ min: 2, max: 9 }), { maxLength: 5 }),
        fc.constantFrom<AttemptState>('done', 'stored', 'queued', 'failed', 'lost', 'rejected', 'in_doubt'),
        async (numbers, state) => {
          const manifest = await manifestOf();
          const attempts = numbers.map((take) => boughtAt(manifest, 'one', take, state));
          const { takes } = withExtraTakes(await load(TEXT), attempts, { selection: ALL }).manifest!;
          expect(withBoughtTakes({ ...manifest, takes }, attempts).takes).toEqual(takes);
          const { rows } = decide({
            takes,
            attempts,
            files: filesOf(attempts),
            occupied: () => undefined,
            selection: ALL,
          });
          const bought = rows.filter(({ decision }) => decision.kind === 'buy').map(({ take }) => take.key);
          expect(bought).toEqual(['one', 'two', 'two#2']);
        },
      ),
    ));
});
