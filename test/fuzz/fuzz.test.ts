import fc from 'fast-check';
import { expect, it } from 'vitest';
import { TARGETS, type TargetName } from './targets.js';

/** Time for each reader, ms. `npm run fuzz` sets the variable: see main.ts. */
const TIME_MS = Number(process.env.FUZZ_SECONDS ?? 1.5) * 1_000;

const names = Object.keys(TARGETS) as TargetName[];

/** Cuts a piece out, doubles it, overwrites it, or inserts one from elsewhere. */
const change = fc.record({
  at: fc.double({ min: 0, max: 1, noNaN: true, maxExcluded: true }),
  length: fc.integer({ min: 0, max: 64 }),
  kind: fc.constantFrom('cut', 'repeat', 'write', 'flip', 'end'),
  bytes: fc.oneof(
    fc.uint8Array({ minLength: 1, maxLength: 8 }),
    fc
      .constantFrom(
        '\n',
        '"',
        '{',
        '}',
        '[',
        '\0',
        '&a ',
        '*a',
        ': ',
        '- ',
        '1e999',
        '-1',
        'null',
        '\ufeff',
        '__proto__',
      )
      .map((text) => new TextEncoder().encode(text)),
  ),
});

function changed(
  data: Uint8Array,
  { at, length, kind, bytes }: typeof change extends fc.Arbitrary<infer T> ? T : never,
) {
  const start = Math.floor(at * data.length);
  const [before, piece, after] = [
    data.subarray(0, start),
    data.subarray(start, start + length),
    data.subarray(start + length),
  ];
  if (kind === 'cut') return Buffer.concat([before, after]);
  if (kind === 'repeat') return Buffer.concat([before, piece, piece, after]);
  if (kind === 'write') return Buffer.concat([before, bytes, after]);
  if (kind === 'end') return Buffer.from(before);
  const flipped = Buffer.from(data);
  if (start < flipped.length) flipped[start]! ^= 1 << (length % 8);
  return flipped;
}

it.each(names)('accepts its corpus: %s', async (name) => {
  for (const data of TARGETS[name].corpus) await expect(TARGETS[name].run(data)).resolves.toBeUndefined();
});

it.each(names)(
  'survives any input: %s',
  async (name) => {
    const { corpus, run } = TARGETS[name];
    const input = fc
      .tuple(fc.constantFrom(...corpus), fc.array(change, { minLength: 1, maxLength: 6 }))
      .map(([data, changes]) => changes.reduce<Uint8Array>(changed, data));
    let inputs = 0;
    await fc.assert(
      fc.asyncProperty(input, async (data) => {
        inputs += 1;
        await run(data);
      }),
      { numRuns: TIME_MS * 10, interruptAfterTimeLimit: TIME_MS, markInterruptAsFailure: false },
    );
    expect(inputs).toBeGreaterThan(0);
  },
  TIME_MS + 60_000,
);
