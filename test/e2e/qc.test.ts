import { readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
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

  it('is suggested by status only for files that it may measure', async () => {
    const lock = path.join(cwd, 'album.sandbox/album.lock.jsonl');
    const [, file = '', sha256] =
      /"track":"two".*?"path":"([^"]+)".*?"sha256":"([0-9a-f]{64})"/.exec(readFileSync(lock, 'utf8')) ?? [];
    const audio = path.join(cwd, 'album.sandbox', file);
    const cached = (kind: string) =>
      path.join(cwd, `album.sandbox/.venice-batch/audio/${sha256}.${kind}.json`);
    const measures = readFileSync(cached('qc-v3'));
    rmSync(cached('qc-v3'));
    const suggests = async () => (await venice('status')).stdout.includes('venice-batch qc');
    expect(await suggests()).toBe(true);
    renameSync(audio, `${audio}.away`);
    expect(await suggests()).toBe(false);
    writeFileSync(audio, 'another file');
    expect(await suggests()).toBe(false);
    renameSync(`${audio}.away`, audio);
    writeFileSync(cached('undecodable-v1'), '{"format":"Ogg"}\n');
    expect(await suggests()).toBe(false);
    expect((await venice('status')).stdout).toContain('1 file could not be decoded here');
    // A decoder may have been installed since.
    expect((await venice('qc')).stdout).toContain('2 files measured');
    expect(readFileSync(cached('qc-v3'))).toEqual(measures);
    expect((await venice('status')).stdout).not.toContain('decoded');
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
  it('is never that of other bytes', async () => {
    const out = path.join(cwd, 'album.sandbox/out');
    const at = path.join(out, readdirSync(out).find((name) => name.startsWith('02-two.'))!);
    const bytes = readFileSync(at);
    writeFileSync(at, Buffer.alloc(bytes.length));
    const changed = await venice('qc');
    expect(changed.stdout).toContain('1 file measured');
    expect(changed.stdout).toContain('not measured, because the file was changed: two\n');
    expect(JSON.parse((await venice('qc', '--json')).stdout)).toMatchObject({
      takes: [{ key: 'one' }],
      not_measured: ['two'],
      changed: ['two'],
    });
    // Another size is noticed without reading the file.
    writeFileSync(at, 'short');
    const status = JSON.parse((await venice('status', '--json')).stdout);
    expect(status.sound).toMatchObject({ takes: [{ key: 'one' }], changed: ['two'] });
    expect((await venice('status')).stdout).toMatch(/^two +done, but its file was changed /m);
    writeFileSync(at, bytes);
    expect((await venice('qc')).stdout).toContain('2 files measured');
  });
});
