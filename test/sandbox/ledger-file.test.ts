import { execFileSync } from 'node:child_process';
import {
  appendFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { Clock } from '../../src/core/ports.js';
import { openSandbox } from '../../src/sandbox/ledger-file.js';
import { chance, SONG, START_MS } from './play.js';

let root: string;
beforeEach(() => {
  root = mkdtempSync(path.join(os.tmpdir(), 'venice-sandbox-'));
});
afterEach(() => rmSync(root, { recursive: true, force: true }));

const directory = () => path.join(root, 'deep', 'album.sandbox');
const ledger = () => path.join(directory(), 'ledger.jsonl');
const clock: Clock = { nowMs: () => START_MS, sleep: async () => {} };
const uniform = chance();
const random = { bytes: (count: number) => Uint8Array.from({ length: count }, () => uniform() * 256) };

function open() {
  return openSandbox({ directory: directory(), speed: 20, clock, random });
}

async function submit(sandbox: ReturnType<typeof open>): Promise<string> {
  const request = {
    method: 'POST',
    path: '/audio/queue',
    body: JSON.stringify(SONG),
    deadlineMs: 1_000,
  } as const;
  const answer = await sandbox.transport(request);
  if (answer.kind !== 'answer' || answer.status !== 200) throw new Error('refused');
  let text = '';
  for await (const chunk of answer.body) text += Buffer.from(chunk).toString();
  return JSON.parse(text).queue_id;
}

describe('the ledger file', () => {
  it('is not created before the first effect', async () => {
    const { transport } = open();
    await transport({ method: 'GET', path: '/models?type=music', deadlineMs: 1_000 });
    await transport({ method: 'GET', path: '/billing/balance', deadlineMs: 1_000 });
    await transport({
      method: 'POST',
      path: '/audio/quote',
      body: '{"model":"lyria-3-pro"}',
      deadlineMs: 1_000,
    });
    await transport({ method: 'POST', path: '/audio/queue', body: '{}', deadlineMs: 1_000 });
    expect(existsSync(path.join(root, 'deep'))).toBe(false);
  });

  it('has each job before its submit is answered, for whoever opens it next', async () => {
    const first = open();
    const ids = [await submit(first), await submit(first)];
    expect(readFileSync(ledger(), 'utf8').trimEnd().split('\n')).toHaveLength(2);
    expect([...open().service.jobs.keys()]).toEqual(ids);
  });

  it('drops a line that a kill cut short, and continues after it', async () => {
    const first = await submit(open());
    appendFileSync(ledger(), '{"type":"queued","id":"12');
    const again = open();
    expect([...again.service.jobs.keys()]).toEqual([first]);
    const second = await submit(again);
    expect([...open().service.jobs.keys()]).toEqual([first, second]);
  });

  it('is refused if a complete line is damaged', async () => {
    await submit(open());
    const text = readFileSync(ledger(), 'utf8');
    for (const damage of ['{"type":"queued"', '{}', 'null', '{"type":"paid","id":"1"}']) {
      writeFileSync(ledger(), `${damage}\n${text}`);
      expect(() => open()).toThrow(expect.objectContaining({ code: 'sandbox-ledger' }));
    }
  });

  it('reports that it cannot be read', () => {
    writeFileSync(path.join(root, 'deep'), 'a file where the folder should be');
    expect(() => open()).toThrow(expect.objectContaining({ code: 'sandbox-ledger', exitCode: 12 }));
  });

  it('leaves the job undone and its submit unanswered if it cannot be written', async () => {
    const { transport, service } = open();
    writeFileSync(path.join(root, 'deep'), 'a file where the folder should be');
    const body = JSON.stringify(SONG);
    const answer = await transport({ method: 'POST', path: '/audio/queue', body, deadlineMs: 1_000 });
    expect(answer).toMatchObject({
      kind: 'no_answer',
      sent: true,
      code: expect.stringMatching(/^E(NOTDIR|EXIST)$/),
    });
    expect(service.jobs.size).toBe(0);
  });

  const isPosix = process.platform !== 'win32';

  it.runIf(isPosix)('is never reached through a link, old or new', async () => {
    const outside = path.join(root, 'outside');
    mkdirSync(outside);
    const links = [
      [directory(), outside],
      [ledger(), path.join(outside, 'other.jsonl')],
      [ledger(), path.join(outside, 'there.jsonl')],
    ] as const;
    writeFileSync(path.join(outside, 'there.jsonl'), '');
    for (const [link, target] of links) {
      rmSync(directory(), { recursive: true, force: true });
      mkdirSync(path.dirname(link), { recursive: true });
      const before = open();
      symlinkSync(target, link);
      expect(() => open()).toThrow(
        expect.objectContaining({
          code: 'sandbox-ledger',
          message: expect.stringContaining('symbolic link'),
        }),
      );
      await expect(submit(before)).rejects.toThrow('refused');
      rmSync(link);
    }
    expect(readdirSync(outside)).toEqual(['there.jsonl']);
    expect(readFileSync(path.join(outside, 'there.jsonl'), 'utf8')).toBe('');
  });

  it.runIf(isPosix)('takes no more jobs once it becomes a link', async () => {
    const sandbox = open();
    await submit(sandbox);
    renameSync(ledger(), path.join(root, 'moved.jsonl'));
    symlinkSync(path.join(root, 'moved.jsonl'), ledger());
    const before = readFileSync(path.join(root, 'moved.jsonl'), 'utf8');
    await expect(submit(sandbox)).rejects.toThrow('refused');
    expect(readFileSync(path.join(root, 'moved.jsonl'), 'utf8')).toBe(before);
  });

  it.runIf(isPosix)('is refused without waiting if it is a pipe or a device', async () => {
    mkdirSync(directory(), { recursive: true });
    const before = open();
    execFileSync('mkfifo', [ledger()]);
    expect(() => open()).toThrow(
      expect.objectContaining({
        code: 'sandbox-ledger',
        message: expect.stringContaining('a pipe or a device'),
      }),
    );
    await expect(submit(before)).rejects.toThrow('refused');
  });
});
