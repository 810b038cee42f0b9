import { runBatch } from '../../src/app/run-batch.js';
import type { BatchSettings, World } from '../../src/app/world.js';
import type { RunEvent } from '../../src/core/events.js';
import type { Ports } from '../../src/core/ports.js';
import { loadManifest } from '../../src/manifest/load.js';
import { createRecorder } from '../../src/report/outcome.js';
import { createSandboxTransport } from '../../src/sandbox/sandbox-transport.js';
import { createService } from '../../src/sandbox/service.js';
import { createMemoryDisk, seeded } from '../fakes/memory-files.js';
import { makeMedia, simInspector } from '../sim/media.js';
import { createTimeline, type Timeline } from '../sim/timeline.js';

const START_MS = Date.parse('2026-03-01T12:00:00.000Z');
const EVENTS_MAX = 200_000;
export const HOME = '/album';

/** What a run leaves, byte for byte. */
export interface Played {
  readonly lockfile: string;
  readonly events: readonly RunEvent[];
  readonly outcome: ReturnType<ReturnType<typeof createRecorder>['outcome']>;
}

/** A whole run in the sandbox, in virtual time and with seeded randomness: equal files give equal bytes. */
export async function play(name: string, files: Readonly<Record<string, string>>): Promise<Played> {
  const timeline = createTimeline(START_MS, EVENTS_MAX);
  const disk = createMemoryDisk(files);
  const ports = portsOf(timeline, disk.files);
  const loaded = loadManifest(disk.files, `${HOME}/${name}.yaml`, `${name}.yaml`);
  const events: RunEvent[] = [];
  const recorder = createRecorder();
  const emit = (event: RunEvent) => {
    events.push(event);
    recorder.event(event);
  };
  const world: World = {
    ports,
    transport: sandboxOver(ports),
    account: { kind: 'api_key', id: 'sandbox' },
    openState: undefined,
    load: () => loaded,
    emit,
    show: (diagnostics) => {
      for (const diagnostic of diagnostics)
        emit({ type: 'diagnostic', time: new Date(timeline.nowMs()).toISOString(), ...diagnostic });
    },
    approve: async () => 'unattended',
    stop: new AbortController().signal,
  };
  let ended: unknown;
  const running = runBatch(world, settingsOf(name)).then(
    (report) => {
      ended = report;
    },
    (error: unknown) => {
      ended = error;
    },
  );
  const how = await timeline.runUntil(() => ended !== undefined);
  if (how !== 'done') throw new Error(`the run of ${name} is ${how}`);
  await running;
  if (ended instanceof Error) throw ended;
  const keys = (await loaded).manifest?.takes.map(({ key }) => key) ?? [];
  return {
    events,
    outcome: recorder.outcome(keys),
    lockfile: disk.texts()[`${HOME}/${name}.lock.jsonl`] ?? '',
  };
}

function settingsOf(name: string): BatchSettings {
  return {
    mode: 'run',
    endpoint: 'sandbox:',
    sandbox: true,
    version: '0.0.0',
    lockfilePath: `${HOME}/${name}.lock.jsonl`,
    outputRoot: HOME,
    rescuePlaces: { keyFile: '/state/rescue.key', directories: ['/state/rescue'] },
    openPlaces: [HOME],
    selection: { force: [], retryFailed: false },
    command: (verb, ...words) => ['venice-batch', verb, `${name}.yaml`, ...words].join(' '),
    keep: false,
    failFast: false,
    detach: false,
  };
}

function portsOf(timeline: Timeline, files: Ports['files']): Ports {
  const chance = seeded(1);
  const identity = {
    pid: 7,
    hostname: 'studio',
    bootId: 'boot',
    startTime: '1',
    machineId: 'machine',
    pidNamespace: '',
    netNamespace: '',
  };
  return {
    clock: {
      nowMs: timeline.nowMs,
      sleep: (delayMs, signal) =>
        new Promise((resolve) => {
          if (signal?.aborted === true) return resolve();
          const cancel = timeline.after(delayMs, resolve);
          signal?.addEventListener('abort', () => {
            cancel();
            resolve();
          });
        }),
    },
    random: { bytes: (count) => Uint8Array.from({ length: count }, () => Math.floor(chance() * 256)) },
    files,
    processes: {
      self: identity,
      startTimeOf: async () => undefined,
      claim: async () => ({ kind: 'held', free: async () => {} }),
      openBeacon: async () => undefined,
      askBeacon: async () => 'unknown',
    },
    inspectMedia: simInspector(true),
  };
}

function sandboxOver({ clock }: Ports) {
  const service = createService({
    random: seeded(2),
    speed: 20,
    balanceUsd: 10_000,
    audio: ({ prompt }) => {
      const bytes = makeMedia('audio/mpeg', new TextEncoder().encode(prompt.slice(0, 32)));
      return { bytes: bytes.byteLength, chunks: () => [Buffer.from(bytes)] };
    },
  });
  return createSandboxTransport({ service, clock, apiKey: 'sandbox' });
}
