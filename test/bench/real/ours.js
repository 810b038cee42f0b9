import { mkdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { losingAppends } from './lost-journal.js';
import { createScaledClock } from './scaled-clock.js';

const dist = new URL('../../../dist/', import.meta.url);
const load = (file) => import(new URL(file, dist).href);

/**
 * A whole run of the built program: manifest, plan, approval, lockfile, files, and the reporter that prints where no
 * terminal is, its text thrown away. Only the clock is another.
 *
 * @param {import('./measured.js').Job} job
 */
export async function createOurs(job) {
  const { growHeapSparingly } = await load('node/heap.js');
  growHeapSparingly();
  const clock = createScaledClock(job.epochMs, job.factor);
  const ports = await realPorts(clock);
  const { runBatch } = await load('app/run-batch.js');
  const { loadManifest } = await load('manifest/load.js');
  const connect = job.kind === 'embedded' ? embedded : network;
  const transport = await connect(job, clock, ports);
  return async (folder, tracks) => {
    mkdirSync(folder);
    const manifestPath = path.join(folder, 'album.yaml');
    writeFileSync(manifestPath, manifestText(tracks, job.durationSeconds ?? 1));
    const lockfilePath = path.join(folder, 'album.lock.jsonl');
    const files = job.lostJournal === true ? losingAppends(ports.files, lockfilePath) : ports.files;
    const { reporter, end } = await silentReporter(clock);
    const report = await runBatch(
      {
        ports: { ...ports, files },
        transport,
        account: { kind: 'api_key', id: 'sandbox' },
        load: () => loadManifest(ports.files, manifestPath, 'album.yaml'),
        emit: (event) => reporter.event(event),
        show: (diagnostics) => {
          if (diagnostics.some(({ severity }) => severity === 'error'))
            throw new Error(diagnostics[0].message);
        },
        approve: async () => 'approved',
        stop: new AbortController().signal,
      },
      settings(job, folder, lockfilePath),
    );
    await end();
    if (report.exitCode !== 0) throw new Error(`the run ended with ${JSON.stringify(report.summary)}`);
  };
}

async function realPorts(clock) {
  const [{ systemFiles }, { systemRandom }, { createProcesses }, { inspectMedia }] = await Promise.all(
    ['node/files.js', 'node/random.js', 'node/processes.js', 'storage/inspect-media.js'].map(load),
  );
  return {
    clock,
    random: systemRandom,
    files: systemFiles,
    processes: await createProcesses(),
    inspectMedia,
  };
}

async function network({ url }) {
  const { createTransport } = await load('node/transport.js');
  return createTransport({ baseUrl: url, apiKey: 'sandbox', environment: {} }).transport;
}

async function embedded(_job, clock) {
  const { createService } = await load('sandbox/service.js');
  const { createSandboxTransport } = await load('sandbox/sandbox-transport.js');
  const service = createService({
    random: Math.random,
    limits: { kind: 'none' },
    speed: 20,
    balanceUsd: 1_000_000,
  });
  return createSandboxTransport({ service, clock, apiKey: 'sandbox' });
}

async function silentReporter(clock) {
  const { createLines } = await load('report/lines.js');
  const { createRecorder } = await load('report/outcome.js');
  const { fanOut } = await load('report/reporter.js');
  const terminal = { write() {}, columns: 80, rows: 24, isTty: false, color: false };
  const reporter = fanOut([createRecorder(), createLines({ terminal, clock })]);
  return { reporter, end: () => reporter.end() };
}

function settings({ url, concurrency }, folder, lockfilePath) {
  return {
    mode: 'run',
    endpoint: url ?? 'sandbox:',
    command: (verb) => verb,
    sandbox: url === undefined,
    version: '0.0.0',
    lockfilePath,
    outputRoot: folder,
    rescuePlaces: { keyFile: `${folder}/.state/rescue.key`, directories: [] },
    openPlaces: [],
    selection: { force: [], retryFailed: false },
    keep: false,
    failFast: false,
    detach: false,
    ...(concurrency === undefined ? {} : { concurrency }),
  };
}

function manifestText(tracks, durationSeconds) {
  const lines = ['version: 1', 'output: out/{id}.{ext}', 'budget: 100000'];
  lines.push(
    `defaults: { model: elevenlabs-sound-effects-v2, duration_seconds: ${durationSeconds} }`,
    'tracks:',
  );
  for (let number = 1; number <= tracks; number += 1)
    lines.push(`  - { id: track-${number}, prompt: "A short sound, number ${number}" }`);
  return `${lines.join('\n')}\n`;
}
