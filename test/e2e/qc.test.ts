import { readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { run } from './in-process.js';
import { folder } from './program.js';

describe('the quality check', () => {
  const cwd = folder();
  const venice = (verb: string, ...words: string[]) => run([verb, 'album.yaml', '--sandbox', ...words], cwd);

  beforeAll(() => {
    writeFileSync(
      path.join(cwd, 'album.yaml'),
      `version: 1
budget: 20
defaults: { model: stable-audio-25, duration_seconds: 5 }
tracks:
  - { id: one, prompt: "Piano in C minor, 90 BPM" }
  - { id: two, model: elevenlabs-sound-effects-v2, prompt: A door falls shut }
`,
    );
  });

  it('runs during a run and is reported in events before the summary', async () => {
    const { code, stdout } = await venice(
      'run',
      '--yes',
      '--sandbox-speed',
      '1000',
      '--events',
      'ndjson',
      '--qc-fail',
    );
    expect(code).toBe(0);
    const events = stdout
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line));
    const reported = events.filter(({ type }) => type === 'qc');
    expect(reported.map(({ key, findings }) => ({ key, findings }))).toEqual([
      { key: 'one', findings: [] },
      { key: 'two', findings: [] },
    ]);
    expect(reported[0].loudness_lufs).toBeLessThan(-5);
    expect(events.at(-1)).toMatchObject({ type: 'summary', exit_code: 0 });
  });

  it('is remembered by hash for status, --json and JUnit', async () => {
    const status = JSON.parse((await venice('status', '--json')).stdout);
    expect(status.sound.takes).toMatchObject([{ key: 'one' }, { key: 'two' }]);
    expect(status.sound.not_measured).toEqual([]);
    const again = JSON.parse((await venice('run', '--json')).stdout);
    expect(again.takes[0].qc).toMatchObject({
      findings: [],
      loudness_lufs: status.sound.takes[0].loudness_lufs,
    });
    expect((await venice('qc')).stdout).toContain('2 files measured, 0 with warnings');
  });

  it('shows its warnings everywhere and fails the run with --qc-fail', async () => {
    const lock = path.join(cwd, 'album.sandbox/album.lock.jsonl');
    const [, sha256] = /"track":"one".*?"sha256":"([0-9a-f]{64})"/.exec(readFileSync(lock, 'utf8')) ?? [];
    const cache = path.join(cwd, `album.sandbox/.venice-batch/audio/${sha256}.qc-v3.json`);
    const measures = JSON.parse(readFileSync(cache, 'utf8'));
    writeFileSync(cache, JSON.stringify({ ...measures, clippedRuns: 2 }));
    expect((await venice('status')).stdout).toContain('one: it clips in 2 places');
    const plain = await venice('run', '--junit', 'plain.xml');
    expect(plain.code).toBe(0);
    expect(plain.stdout).toContain('one: it clips in 2 places');
    expect(readFileSync(path.join(cwd, 'plain.xml'), 'utf8')).toContain(
      '<system-out>it clips in 2 places</system-out>',
    );
    const failing = await venice('run', '--junit', 'failing.xml', '--qc-fail', '--json');
    expect(failing.code).toBe(100);
    expect(JSON.parse(failing.stdout).summary).toMatchObject({ exit_code: 100, qc_warnings: 1 });
    expect(readFileSync(path.join(cwd, 'failing.xml'), 'utf8')).toContain(
      '<failure type="qc-clipped" message="it clips in 2 places"/>',
    );
    expect((await venice('qc', '--qc-fail')).code).toBe(100);
  });
});
