import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Web } from '../../src/core/ports.js';
import { createWeb } from '../../src/node/web.js';
import type { ObjectStore } from '../../src/shared-log/object-store.js';
import { openObjectStore } from '../../src/shared-log/open-object-store.js';
import { proveStore } from '../../src/shared-log/prove.js';
import { parseStateAddress } from '../../src/shared-log/state-address.js';
import { attempt, command, id, random } from '../lockfile/build.js';
import { createTestClock, openAs } from './machine.js';
import { type Place, type PlaceKind, startPlace, storeAt, whyNot, worldOf } from './places.js';

const encode = (text: string) => new TextEncoder().encode(text);
const decode = (bytes: Uint8Array | undefined) => bytes && new TextDecoder().decode(bytes);

const KINDS: readonly PlaceKind[] = ['folder', 'git', 's3'];

for (const kind of KINDS) {
  const why = whyNot(kind);
  describe.skipIf(why !== undefined)(`a real store: ${kind}${why === undefined ? '' : ` (${why})`}`, () => {
    let place: Place;
    beforeAll(async () => {
      place = await startPlace(kind);
    }, 120_000);
    afterAll(() => place.stop());

    /** Stores of this many machines at one new address. */
    function machines(count: number): readonly ObjectStore[] {
      const address = place.address();
      return Array.from({ length: count }, () => storeAt(address, place.machine(), place.environment));
    }

    it('writes an object once, and returns the first version to every machine', async () => {
      const [one, other] = machines(2) as [ObjectStore, ObjectStore];
      expect(await one.get('log/00000000.jsonl')).toBeUndefined();
      expect(await one.putIfAbsent('log/00000000.jsonl', encode('first'))).toEqual({ kind: 'created' });
      expect(await other.putIfAbsent('log/00000000.jsonl', encode('second'))).toEqual({ kind: 'exists' });
      expect(await one.putIfAbsent('log/00000000.jsonl', encode('first'))).toEqual({ kind: 'exists' });
      expect(decode(await other.get('log/00000000.jsonl'))).toBe('first');
      expect(decode(await one.get('log/00000000.jsonl'))).toBe('first');
    });

    it('lists by prefix, in order', async () => {
      const [one, other] = machines(2) as [ObjectStore, ObjectStore];
      expect(await one.list('log/')).toEqual([]);
      for (const key of [
        'log/00000001.jsonl',
        'probe/a',
        'log/00000000.jsonl',
        'log/00000001.jsonl.checkpoint',
      ])
        expect(await one.putIfAbsent(key, encode(key))).toEqual({ kind: 'created' });
      expect(await other.list('log/')).toEqual([
        'log/00000000.jsonl',
        'log/00000001.jsonl',
        'log/00000001.jsonl.checkpoint',
      ]);
    });

    it('lets one of several machines win a key, and passes the probe', async () => {
      const stores = machines(4);
      const answers = await Promise.all(
        stores.map((store, at) => store.putIfAbsent('log/00000000.jsonl', encode(`${at}`))),
      );
      expect(answers.filter((answer) => answer.kind === 'created')).toHaveLength(1);
      expect(answers.filter((answer) => answer.kind === 'exists')).toHaveLength(3);
      const about = { address: stores[0]!.address, command };
      await proveStore({ store: stores[0]!, clock: createTestClock(), random }, about);
      // Writers in one repository take turns, so several at once would show nothing new.
      expect(await stores[1]!.list('probe/')).toHaveLength(kind === 'git' ? 1 : 2);
    });

    const onS3 = kind === 's3' ? it : undefined;
    onS3?.('refuses a write whose condition was removed in transit', async () => {
      const web = createWeb({}, String);
      const stripping: Web = {
        ...web,
        request: ({ headers, ...request }) => {
          const { 'if-none-match': _, ...left } = headers;
          return web.request({ ...request, headers: left });
        },
      };
      const world = { ...worldOf('/', place.environment), web: () => stripping };
      const store = openObjectStore(parseStateAddress(place.address()), world);
      await expect(store.putIfAbsent('log/00000000.jsonl', encode('x'))).rejects.toMatchObject({
        kind: 'denied',
      });
      await store.close();
    });

    it('holds a log that several machines write', async () => {
      const stores = machines(2);
      const logs = await Promise.all(stores.map((store, at) => openAs(`${kind} ${at}`, store)));
      expect(new Set(logs.map((log) => log.header.lineage)).size).toBe(1);
      const answers = await Promise.all(
        logs.map((log, at) => log.append(attempt({ attempt: id(`${kind} ${at}`) }))),
      );
      expect([...answers].sort()).toEqual(['recorded', 'taken']);
      for (const log of logs) {
        await log.refresh();
        expect(log.attempts.size).toBe(1);
        expect(log.fault()).toBeUndefined();
        await log.close();
      }
    });
  });
}
