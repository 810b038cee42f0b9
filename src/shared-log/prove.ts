import { fill } from './fill-slot.js';
import { StoreFault } from './object-store.js';
import { type About, unsafeError } from './state-error.js';
import { type StoreAccess, withRetries } from './store-retries.js';

const WRITERS = 8;
/** Writers of one round that must be answered at their first try: retries may arrive one after the other. */
const PROMPT_MIN = 4;
const ROUNDS_MAX = 5;

/**
 * Tests with two separate keys whether only the first writer of a key wins: one after the other, then several at once.
 * Some stores ignore the condition, and two machines could then claim one take.
 */
export async function proveStore(access: StoreAccess, about: About): Promise<void> {
  const name = Buffer.from(access.random.bytes(16)).toString('hex');
  await proveInTurn(access, about, `probe/${name}-1`);
  if (access.store.takesTurns === true) await proveShown(access, about, `probe/${name}-1`);
  else await proveAtOnce(access, about, `probe/${name}`);
}

/** A git remote may accept a ref and hide it from readers: other machines would find an empty log. */
async function proveShown(access: StoreAccess, about: About, key: string): Promise<void> {
  let shown: readonly string[] = [];
  try {
    shown = await withRetries(access, () => access.store.list(key));
  } catch (fault) {
    if (!(fault instanceof StoreFault) || fault.kind !== 'altered') throw fault;
  }
  if (!shown.includes(key))
    throw unsafeError('the remote accepts what is pushed, but does not show it to readers', about);
}

async function proveInTurn(access: StoreAccess, about: About, key: string): Promise<void> {
  const [first, second] = [text('first'), text('second')];
  await fill(access, key, first);
  const answer = await fill(access, key, second);
  if (answer === 'created')
    throw unsafeError('the store lets a second writer replace what the first one wrote', about);
  await compare(access, about, key, [first]);
}

/** Repeats the test on a fresh key while lost responses keep the writers from really writing at once. */
async function proveAtOnce(access: StoreAccess, about: About, name: string): Promise<void> {
  for (let round = 1; round <= ROUNDS_MAX; round += 1)
    if ((await writeAtOnce(access, about, `${name}-${WRITERS}-${round}`)) >= PROMPT_MIN) return;
  throw new StoreFault(
    'unreachable',
    'too many responses were lost to test whether one of several writers wins',
  );
}

/** @returns how many writers were answered at their first try */
async function writeAtOnce(access: StoreAccess, about: About, key: string): Promise<number> {
  const doubtful = new Set<number>();
  const texts = Array.from({ length: WRITERS }, (_, at) => text(`writer ${at + 1}`));
  const answers = await Promise.all(texts.map((one, at) => fill(access, key, one, () => doubtful.add(at))));
  const winners = texts.filter((_, at) => answers[at] === 'created');
  if (winners.length > 1) throw unsafeError('the store lets several writers at once write one key', about);
  if (winners.length === 0 && doubtful.size === 0)
    throw unsafeError('the store reports a key that was never written', about);
  await compare(access, about, key, winners.length === 1 ? winners : texts);
  return WRITERS - doubtful.size;
}

/** A response proves nothing; what can be read back counts. */
async function compare(
  access: StoreAccess,
  about: About,
  key: string,
  expected: readonly Uint8Array[],
): Promise<void> {
  const found = await withRetries(access, () => access.store.get(key));
  if (found === undefined) throw unsafeError('the store does not return what was just written', about);
  if (!expected.some((one) => Buffer.compare(one, found) === 0))
    throw unsafeError('the store returns different bytes from those that the first writer wrote', about);
}

function text(word: string): Uint8Array {
  return new TextEncoder().encode(`venice-batch probe: ${word}\n`);
}
