import { readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { run } from './in-process.js';
import { folder, lockLines, writeManifest } from './program.js';
import { edit } from './scene.js';

/** Sets the terminal's title, reverses the text direction, ends a line (U+2028), and turns text red. */
const HOSTILE = '\u001b]0;owned\u0007\u202e\u2028\u009b31m';
const CONTROL = /[\u0000-\u0009\u000b-\u001f\u007f-\u009f\u202e\u2028]/;

const lockPath = (cwd: string) => path.join(cwd, 'album.lock.jsonl');

function writeGuard(cwd: string, changes: object = {}): void {
  const guard = { pid: 7, hostname: `studio${HOSTILE}`, boot_id: '', start_time: '', nonce: '0'.repeat(32) };
  writeFileSync(
    `${lockPath(cwd)}.guard`,
    JSON.stringify({ ...guard, since_ms: 1_700_000_000_000, ...changes }),
  );
}

const GUARD_ID = '0'.repeat(8);

function album(): string {
  const cwd = folder();
  writeManifest(cwd, 1);
  return cwd;
}

/** The JSON document; fails if stdout has anything else. */
async function documentOf(args: readonly string[], cwd: string): Promise<unknown> {
  const { stdout } = await run([...args, '--json'], cwd);
  expect(stdout).not.toMatch(CONTROL);
  return JSON.parse(stdout) as unknown;
}

describe.concurrent('the --json document', () => {
  it('of unlock says whether a lock was freed and who held it', async () => {
    const cwd = album();
    const lockfile = lockPath(cwd);
    const free = { schema: 1, lockfile, freed: false, was: null };
    expect(await documentOf(['unlock', 'album.yaml'], cwd)).toEqual(free);
    writeGuard(cwd);
    expect(await documentOf(['unlock', 'album.yaml'], cwd)).toMatchObject({
      summary: { exit_code: 7 },
      diagnostics: [{ code: 'locked' }],
    });
    const lock = ['--force', '--id', GUARD_ID];
    expect(await documentOf(['unlock', 'album.yaml', ...lock], cwd)).toEqual({
      schema: 1,
      lockfile,
      freed: true,
      was: { id: GUARD_ID, pid: 7, hostname: `studio${HOSTILE}`, since_ms: 1_700_000_000_000 },
    });
    expect(await documentOf(['unlock', 'album.yaml'], cwd)).toEqual(free);
  });

  it('of lock repair says what it kept and what it set aside', async () => {
    const cwd = album();
    const before = { schema: 1, lockfile: lockPath(cwd), repaired: null };
    expect(await documentOf(['lock', 'repair', 'album.yaml'], cwd)).toMatchObject(before);
    const made = await run(['run', 'album.yaml', '--sandbox', '--yes'], cwd);
    expect(made.code, made.stderr).toBe(0);
    const file = path.join(cwd, 'album.sandbox', 'album.lock.jsonl');
    edit(file, (text) => `${text}<<<<<<< HEAD\n{"queue_id":"job-17${HOSTILE}`);
    edit(file, (text) => `${text}\n{"queue_id":"job-18"}\n`);
    expect(await documentOf(['lock', 'repair', 'album.yaml', '--sandbox'], cwd)).toEqual({
      schema: 1,
      lockfile: file,
      repaired: {
        attempts: 3,
        conflict_markers: 1,
        repeated_headers: 0,
        bought_twice: [],
        header_for: null,
        lockfiles_joined: 1,
        corrected: [],
        kept_as_read: [],
        missing: null,
        set_aside: [
          {
            line: expect.any(Number),
            why: expect.any(String),
            queue_ids: ['job-17'],
            salvaged: [
              {
                attempt: expect.any(String),
                track: 'unreadable',
                take: 1,
                state: 'in_doubt',
                queue_id: null,
              },
            ],
          },
          {
            line: expect.any(Number),
            why: expect.any(String),
            queue_ids: [],
            salvaged: [
              {
                attempt: expect.any(String),
                track: 'unreadable',
                take: 1,
                state: 'in_doubt',
                queue_id: 'job-18',
              },
            ],
          },
        ],
        set_aside_file: `${file}.rejected-lines`,
      },
      next_command: expect.stringMatching(/^venice-batch resolve album\.yaml --sandbox$/),
    });
    expect(readFileSync(`${file}.rejected-lines`, 'utf8')).toContain('job-18');
  });

  it('of resolve says what became of the attempt', async () => {
    const cwd = album();
    edit(path.join(cwd, 'album.yaml'), (text) => text.replace('A short', '[sandbox:lost-answer] A short'));
    const made = await run(['run', 'album.yaml', '--sandbox', '--yes'], cwd);
    expect(made.code, made.stderr).toBe(8);
    const [line] = lockLines(cwd, 'album.sandbox/album.lock.jsonl');
    const attempt = String(line?.attempt);
    expect(await documentOf(['resolve', 'album.yaml', attempt, '--charged', '--sandbox'], cwd)).toEqual({
      schema: 1,
      attempt: expect.objectContaining({ attempt, state: 'lost' }),
      counts_as_spent: true,
      next_command: 'venice-batch run album.yaml --retry-failed --sandbox',
    });
    const [after] = lockLines(cwd, 'album.sandbox/album.lock.jsonl');
    expect(after).toMatchObject({ attempt, state: 'lost' });
  });
});

describe.concurrent('text from other sources', () => {
  it('in a guard file is shown without control characters', async () => {
    const cwd = album();
    writeGuard(cwd);
    for (const args of [
      ['run', '--sandbox'],
      ['unlock'],
      ['lock', 'repair'],
      ['unlock', '--force'],
      ['unlock', '--force', '--id', GUARD_ID],
    ] as const) {
      const [verb, ...words] = args;
      const line = verb === 'lock' ? ['lock', 'repair', 'album.yaml'] : [verb, 'album.yaml', ...words];
      const { stdout, stderr } = await run(line, cwd);
      expect(stdout + stderr).not.toMatch(CONTROL);
    }
    expect((await run(['unlock', 'album.yaml'], cwd)).stdout).toBe('not locked\n');
  });

  it.each([
    ['init', []],
    ['validate', []],
    ['plan', ['--sandbox', '--out', `plan${HOSTILE}`]],
    ['run', ['--sandbox', '--lockfile', `${HOSTILE}/lock`]],
    ['run', ['--sandbox', '--junit', `nowhere/${HOSTILE}`]],
    ['status', ['--sandbox']],
  ])('in a file name is shown without control characters: %s', async (verb, words) => {
    const cwd = folder();
    const name = `album${HOSTILE}.yaml`;
    if (verb !== 'init') expect((await run(['init', name], cwd)).code).toBe(0);
    const { stdout, stderr } = await run([verb, name, ...words], cwd, {
      GITHUB_STEP_SUMMARY: `/nowhere/${HOSTILE}`,
    });
    expect(stdout + stderr).toContain('owned');
    expect(stdout + stderr).not.toMatch(CONTROL);
  });
});
