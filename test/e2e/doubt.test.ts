import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { servedJobs } from '../kill/judge.js';
import { run as runProgram } from './in-process.js';
import { audioFiles } from './program.js';
import { startRelay } from './relay.js';
import { edit, type Scene, scene } from './scene.js';
import { KEY } from './service.js';

const PROMPTS = { door: 'A door falls shut [sandbox:lost-answer]', rain: 'Rain on a tin roof' };

/** An album with one track made and one in doubt. */
async function doubtful(): Promise<{ album: Scene; attempt: string }> {
  const album = await scene({ prompts: PROMPTS });
  const ended = await album.run('run', '--yes');
  expect(ended.code, ended.stderr).toBe(8);
  return { album, attempt: attemptInDoubt(album) };
}

function attemptInDoubt(album: Scene): string {
  return String(album.lock().find(({ state }) => state === 'in_doubt')?.attempt);
}

function stateOf(album: Scene, attempt: string): unknown {
  return album.lock().find((line) => line.attempt === attempt)?.state;
}

async function spentMicroUsd(album: Scene): Promise<number> {
  const { stdout } = await album.run('status', '--json');
  return (JSON.parse(stdout) as { spent_micro_usd: number }).spent_micro_usd;
}

const PRICE = 16_100;

async function chargesAsStated(url: string): Promise<{ timestamp: string; amount: number }[]> {
  const answer = await fetch(`${url}/billing/usage-history`, { headers: { authorization: `Bearer ${KEY}` } });
  return ((await answer.json()) as { data: { timestamp: string; amount: number }[] }).data;
}

describe('a submit whose response was lost', () => {
  it('is shown as in doubt with exit code 8, and the other takes are made', async () => {
    const album = await scene({ prompts: PROMPTS });
    const ended = await album.run('run', '--yes');
    expect(ended.code).toBe(8);
    expect(ended.stdout).toMatch(/In doubt\s+\? door/);
    expect(ended.stdout).toContain(`venice-batch resolve album.yaml --base-url ${album.service.url}`);
    expect(audioFiles(album.cwd)).toEqual([path.join('out', '02-rain.wav')]);
    expect(await album.charges()).toBe(2);
    expect(await spentMicroUsd(album)).toBe(2 * PRICE);
  });

  it('is named first by the next run, which buys nothing', async () => {
    const { album } = await doubtful();
    const again = await album.run('run', '--yes', '--progress', 'plain');
    expect(again.code).toBe(8);
    expect(again.stdout).toMatch(/In doubt\s+\? door/);
    expect(await album.charges()).toBe(2);
  });

  it.each([
    ['--force', ['--force', 'door']],
    ['--retry-failed', ['--retry-failed']],
  ])('is not bought again by %s', async (_, words) => {
    const { album } = await doubtful();
    const ended = await album.run('run', '--yes', ...words);
    expect(ended.code).toBe(8);
    expect(await album.charges()).toBe(2);
  });

  it('is not bought again with another prompt', async () => {
    const { album } = await doubtful();
    edit(path.join(album.cwd, 'album.yaml'), (text) => text.replace('A door falls shut', 'A gate'));
    const ended = await album.run('run', '--yes');
    expect(ended.code).toBe(8);
    expect(ended.stdout).toMatch(/In doubt\s+\? door/);
    expect(await album.charges()).toBe(2);
  });

  it('stops all submits when it happens three times in a row', async () => {
    const ids = ['a', 'b', 'c', 'd', 'e'];
    const prompts = Object.fromEntries(ids.map((id) => [id, `Noise ${id} [sandbox:lost-answer]`]));
    const album = await scene({ prompts });
    const ended = await album.run('run', '--yes', '--concurrency', '1');
    expect(ended.code).toBe(8);
    expect(await album.charges()).toBe(3);
    expect(album.lock().map(({ state }) => state)).toEqual(['in_doubt', 'in_doubt', 'in_doubt']);
    expect(ended.stdout).toMatch(/Not bought\n {2}error: the responses to three submits in a row were lost/);
  });

  it('stops later runs from buying until one of them is resolved', async () => {
    const ids = ['a', 'b', 'c', 'd', 'e'];
    const prompts = Object.fromEntries(ids.map((id) => [id, `Noise ${id} [sandbox:lost-answer]`]));
    const album = await scene({ prompts });
    await album.run('run', '--yes', '--concurrency', '1');
    for (const [verb, ...words] of [['run', '--yes'], ['run', '--yes'], ['plan']] as const) {
      const ended = await album.run(verb, ...words);
      expect(ended.code).toBe(8);
      expect(ended.stdout + ended.stderr).toContain('answers-lost');
    }
    expect(await album.charges()).toBe(3);
    await album.run('resolve', String(album.lock()[0]?.attempt), '--charged');
    expect((await album.run('run', '--yes')).code).toBe(8);
    expect(await album.charges()).toBe(4);
  });
});

describe('resolve', () => {
  it('shows when it was sent, the model, the quote and the matching charge', async () => {
    const { album, attempt } = await doubtful();
    const shown = await album.run('resolve');
    expect(shown.code).toBe(8);
    expect(shown.stdout).toMatch(/\? door\n {2}sent 20\S+ \S+ UTC: elevenlabs-sound-effects-v2, \$0\.0161/);
    expect(shown.stdout).toMatch(
      /billing history: 2 matching charges, 1 of them .*; 1 left:\n {4}20\S+ \S+ UTC \$0\.0161\s+elevenlabs-sound-effects-v2/,
    );
    expect(shown.stdout).toContain(`resolve album.yaml ${attempt.slice(0, 8)} --not-charged`);
    const { stdout } = await album.run('resolve', '--json');
    const document = JSON.parse(stdout) as { in_doubt: { attempt: { track: string }; matches: object[] }[] };
    // Two charges are equal; the other belongs to a job that is known.
    expect(document.in_doubt).toMatchObject([
      { attempt: { track: 'door' }, matches: [{ spentMicroUsd: PRICE }] },
    ]);
    expect(document.in_doubt[0]?.matches).toHaveLength(1);
  });

  it.each([
    [403, 'Admin key required', 'billing history: not available with this key'],
    [
      503,
      'Down for maintenance',
      'billing history: could not be read (Down for maintenance); try again later',
    ],
  ])('says why the billing history cannot be read: %i', async (status, error, said) => {
    const album = await scene({ prompts: PROMPTS });
    const relay = await startRelay(album.service.url, async (passing) => {
      if (!passing.path.startsWith('/billing/usage-history')) return passing.answer(await passing.forward());
      passing.answer({
        status,
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify({ error }),
      });
    });
    const run = (verb: string, ...words: string[]) =>
      runProgram([verb, 'album.yaml', ...words, '--base-url', relay.url], album.cwd, album.service.env);
    expect((await run('run', '--yes')).code).toBe(8);
    const shown = await run('resolve');
    expect(shown.code).toBe(8);
    expect(shown.stdout).toContain(said);
  });

  it('shows a charge with another time, name and price as a possible match', async () => {
    const album = await scene({ prompts: PROMPTS });
    const clockMs = -5 * 60_000;
    const relay = await startRelay(album.service.url, async (passing) => {
      if (!passing.path.startsWith('/billing/usage-history')) return passing.answer(await passing.forward());
      const { searchParams } = new URL(passing.path, 'http://any');
      const [fromMs, toMs] = ['startTimestamp', 'endTimestamp'].map((name) =>
        Date.parse(searchParams.get(name) ?? ''),
      );
      const data = (await chargesAsStated(album.service.url))
        .map((charge) => ({
          ...charge,
          timestamp: new Date(Date.parse(charge.timestamp) + clockMs).toISOString(),
          amount: charge.amount * 1.1,
          sku: 'sound-standard',
        }))
        .filter(({ timestamp }) => Date.parse(timestamp) >= fromMs! && Date.parse(timestamp) < toMs!);
      const date = new Date(Date.now() + clockMs).toUTCString();
      const headers = { 'content-type': 'application/json', date };
      passing.answer({ status: 200, headers, body: JSON.stringify({ data, nextCursor: null }) });
    });
    const run = (verb: string, ...words: string[]) =>
      runProgram([verb, 'album.yaml', ...words, '--base-url', relay.url], album.cwd, album.service.env);
    expect((await run('run', '--yes')).code).toBe(8);
    const attempt = attemptInDoubt(album);
    const shown = await run('resolve');
    expect(shown.code, shown.stderr).toBe(8);
    expect(shown.stdout).toMatch(/billing history:\n {4}similar: 20\S+ \S+ UTC \$0\.01771\s+sound-standard/);
    expect(shown.stdout).toContain('A similar charge may be this attempt');
    const { stdout } = await run('resolve', '--json');
    expect(JSON.parse(stdout)).toMatchObject({
      in_doubt: [{ attempt: { attempt }, matches: [], near: [{}, { difference: 'another amount' }] }],
    });
    expect((JSON.parse(stdout) as { service_clock_offset_ms: number }).service_clock_offset_ms).toBeLessThan(
      -290_000,
    );
  });

  it('--queue-id adopts the job, which is then collected at no cost', async () => {
    const { album, attempt } = await doubtful();
    const known = new Set(album.lock().map(({ queue_id }) => queue_id));
    const job = servedJobs(album.service.ledger, 'door').find(({ id }) => !known.has(id));
    expect((await album.run('resolve', attempt, '--queue-id', job!.id)).code).toBe(0);
    expect(stateOf(album, attempt)).toBe('queued');
    expect((await album.run('run', '--yes')).code).toBe(0);
    expect(audioFiles(album.cwd)).toHaveLength(2);
    expect(await album.charges()).toBe(2);
  });

  it('--charged gives the take up, keeps it as spent, and lets it be bought again only on request', async () => {
    const { album, attempt } = await doubtful();
    const reported = await album.run('resolve', attempt, '--charged');
    expect([reported.code, reported.stdout.split(';')[0]]).toEqual([0, 'door is resolved as charged']);
    expect(stateOf(album, attempt)).toBe('lost');
    expect(await spentMicroUsd(album)).toBe(2 * PRICE);
    expect((await album.run('run', '--yes')).code).toBe(100);
    expect(await album.charges()).toBe(2);
    expect((await album.run('run', '--yes', '--retry-failed')).code).toBe(0);
    expect(await album.charges()).toBe(3);
    expect(await spentMicroUsd(album)).toBe(3 * PRICE);
  });

  it('--not-charged frees its price, and the next run buys it', async () => {
    const { album, attempt } = await doubtful();
    const reported = await album.run('resolve', attempt, '--not-charged');
    expect([reported.code, reported.stdout.split(';')[0]]).toEqual([0, 'door is resolved as not charged']);
    expect((await album.run('plan')).stdout).toMatch(/^\+ +door +resolved as not charged /m);
    expect(stateOf(album, attempt)).toBe('rejected');
    expect(await spentMicroUsd(album)).toBe(PRICE);
    expect((await album.run('run', '--yes')).code).toBe(0);
    expect(audioFiles(album.cwd)).toHaveLength(2);
    expect(await album.charges()).toBe(3);
  });

  it('--refunded frees its price and lets it be bought again only on request', async () => {
    const { album, attempt } = await doubtful();
    expect((await album.run('resolve', attempt, '--refunded')).code).toBe(0);
    expect(await spentMicroUsd(album)).toBe(PRICE);
    expect((await album.run('run', '--yes')).code).toBe(100);
    expect(await album.charges()).toBe(2);
    expect((await album.run('run', '--yes', '--retry-failed')).code).toBe(0);
    expect(await spentMicroUsd(album)).toBe(2 * PRICE);
  });

  it('--requeue keeps its price reserved within the budget and allows one more attempt', async () => {
    const { album, attempt } = await doubtful();
    expect((await album.run('resolve', attempt, '--requeue')).code).toBe(0);
    expect(await spentMicroUsd(album)).toBe(2 * PRICE);
    const refused = await album.run('run', '--yes', '--budget', '0.03');
    expect(refused.code).toBe(5);
    expect(await album.charges()).toBe(2);
    expect((await album.run('run')).code).toBe(2);
    expect((await album.run('run', '--yes', '--budget', '0.05')).code).toBe(0);
    expect(await album.charges()).toBe(3);
    expect(await spentMicroUsd(album)).toBe(3 * PRICE);
  });

  it.each([
    ['still has', 'A door falls shut', 2],
    ['failed', 'A door falls shut [sandbox:refund]', 0],
  ])(
    '--requeue of a queued job is refused only while the service has it: a job that it %s',
    async (_, one, code) => {
      const album = await scene({ prompts: { one } });
      expect((await album.run('run', '--yes', '--detach')).code).toBe(11);
      const [queued] = album.lock();
      const requeue = () => album.run('resolve', String(queued?.attempt), '--requeue');
      let ended = await requeue();
      // Until it has failed, the service has it: then nothing is changed, and the same command can be given again.
      for (let tries = 1; tries < 20 && ended.code !== code; tries += 1) ended = await requeue();
      expect(ended.code, ended.stderr).toBe(code);
      if (code === 0) return;
      expect(ended.stderr).toContain('the service still has the job of one: nothing was changed');
      expect(album.lock()).toEqual([queued]);
      expect((await album.run('run', '--yes')).code).toBe(0);
      expect(await album.charges()).toBe(1);
    },
  );

  it('says what was recorded, when, and what can be done, if an attempt is not in doubt any more', async () => {
    const { album, attempt } = await doubtful();
    expect((await album.run('resolve', 'door', '--charged')).code).toBe(0);
    for (const name of ['door', attempt]) {
      const ended = await album.run('resolve', name, '--not-charged');
      expect(ended.code).toBe(2);
      const said = ended.stderr.replaceAll(/\s+/g, ' ');
      expect(said).toMatch(/door is not in doubt: resolved as charged on 20\S+ \S+ UTC/);
      expect(said).toContain(`resolve album.yaml ${attempt.slice(0, 8)} --refunded`);
      expect(said).toContain('to buy it again: venice-batch run album.yaml --retry-failed');
    }
    expect(stateOf(album, attempt)).toBe('lost');
  });

  it('accepts exactly one outcome for one attempt in doubt', async () => {
    const { album, attempt } = await doubtful();
    const done = String(album.lock().find(({ state }) => state === 'done')?.attempt);
    const before = album.lock();
    for (const words of [
      [attempt],
      ['--charged'],
      [attempt, '--charged', '--requeue'],
      ['ffffffffffffffff', '--charged'],
      [attempt.slice(0, 2), '--charged'],
      [done, '--not-charged'],
      [attempt, '--queue-id', 'two words'],
      [attempt, '--queue-id', '\u001b[2J'],
    ]) {
      const ended = await album.run('resolve', ...words);
      expect(ended.code, words.join(' ')).toBe(2);
      expect(ended.stderr).not.toContain('\u001b');
    }
    expect(album.lock()).toEqual(before);
  });
});

describe('a job that fails', () => {
  it.each([
    ['is not spent if a refund is documented', '[sandbox:fail]', PRICE],
    ['is not spent if the answer says that it was refunded', '[sandbox:refund]', PRICE],
  ])('%s, and is bought again only on request', async (_, word, spent) => {
    const album = await scene({ prompts: { door: `A door ${word}`, rain: 'Rain on a tin roof' } });
    expect((await album.run('run', '--yes')).code).toBe(100);
    expect(audioFiles(album.cwd)).toHaveLength(1);
    expect(await spentMicroUsd(album)).toBe(spent);
    expect((await album.run('run', '--yes')).code).toBe(100);
    expect(await album.charges()).toBe(2);
    expect((await album.run('run', '--yes', '--retry-failed')).code).toBe(100);
    expect(await album.charges()).toBe(3);
  });
});
