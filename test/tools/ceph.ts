import { type ChildProcess, execFile, spawn, spawnSync } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { mkdirSync, mkdtempSync, openSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { promisify } from 'node:util';
import { Agent, request } from 'undici';
import { sha256, signS3 } from '../../src/shared-log/s3-sign.js';

const PROGRAMS = [
  'ceph-authtool',
  'monmaptool',
  'osdmaptool',
  'ceph-mon',
  'ceph-osd',
  'radosgw',
  'radosgw-admin',
];
const WAIT_MS = 60_000;
const PAUSE_MS = 100;

export interface S3Server {
  readonly endpoint: string;
  readonly bucket: string;
  readonly environment: { readonly AWS_ACCESS_KEY_ID: string; readonly AWS_SECRET_ACCESS_KEY: string };
  stop(): Promise<void>;
}

const KEYS = { AWS_ACCESS_KEY_ID: 'test', AWS_SECRET_ACCESS_KEY: 'testtesttest' };
const BUCKET = 'venice-batch-test';

/** The programs of Ceph that are missing here. */
export function missingFromCeph(): readonly string[] {
  return PROGRAMS.filter((name) => spawnSync(name, ['--version'], { stdio: 'ignore' }).error !== undefined);
}

/**
 * A real S3 server on this machine: Ceph's RADOS gateway with one monitor and one in-memory store, and an empty bucket.
 * Debian: `apt-get install --no-install-recommends radosgw ceph-mon ceph-osd`. Needs neither systemd nor root.
 */
export async function startCeph(): Promise<S3Server> {
  const folder = mkdtempSync(path.join(tmpdir(), 'ceph-'));
  const [monitorPort, port] = [await freePort(), await freePort()];
  const cluster: Cluster = { folder, config: path.join(folder, 'ceph.conf'), children: [] };
  try {
    writeConfig(cluster, monitorPort, port);
    await startMonitor(cluster, monitorPort);
    await startStore(cluster);
    await addUser(cluster);
    daemon(cluster, 'radosgw', ['-f', '-n', 'client.rgw']);
    const endpoint = `http://127.0.0.1:${port}`;
    // Creating the first bucket also creates pools, which takes seconds: better here than in a test.
    await createBucket(endpoint);
    return { endpoint, bucket: BUCKET, environment: KEYS, stop: () => stop(cluster) };
  } catch (error) {
    const log = readLog(folder);
    await stop(cluster);
    throw new Error(`Ceph did not start: ${String(error)}\n${log}`);
  }
}

interface Cluster {
  readonly folder: string;
  readonly config: string;
  readonly children: ChildProcess[];
}

const ID = randomUUID();

function writeConfig({ folder, config }: Cluster, monitorPort: number, port: number): void {
  for (const name of ['mon', 'osd', 'run', 'log']) mkdirSync(path.join(folder, name));
  writeFileSync(path.join(folder, 'keyring'), '');
  // Without authentication a client hangs unless every messenger mode is unencrypted (`crc`).
  const modes = ['cluster', 'service', 'client', 'mon cluster', 'mon service', 'mon client'];
  const settings = {
    global: {
      fsid: ID,
      'mon host': `[v2:127.0.0.1:${monitorPort}]`,
      'public addr': '127.0.0.1',
      'cluster addr': '127.0.0.1',
      'ms bind ipv6': 'false',
      ...Object.fromEntries(['cluster', 'service', 'client'].map((who) => [`auth ${who} required`, 'none'])),
      ...Object.fromEntries(modes.map((mode) => [`ms ${mode} mode`, 'crc'])),
      keyring: path.join(folder, 'keyring'),
      'run dir': path.join(folder, 'run'),
      'admin socket': path.join(folder, 'run', '$name.sock'),
      'log file': path.join(folder, 'log', '$name.log'),
      // One copy of everything, on one store.
      'osd pool default size': 1,
      'osd pool default min size': 1,
      'osd pool default pg num': 1,
      'osd pool default pgp num': 1,
      'osd pool default pg autoscale mode': 'off',
      'osd crush chooseleaf type': 0,
      'mon max pg per osd': 1000,
      // A cluster of one has no peers to wait for.
      'paxos propose interval': 0.02,
      'paxos min wait': 0.01,
    },
    mon: {
      'mon data': path.join(folder, 'mon'),
      'mon data avail crit': 1,
      'mon cluster log file': path.join(folder, 'log', 'cluster.log'),
    },
    osd: {
      'osd data': path.join(folder, 'osd'),
      'osd objectstore': 'memstore',
      'memstore device bytes': 2 ** 31,
      'osd class load list': '*',
      'osd class default list': '*',
    },
    client: {
      // Without `tcp_nodelay` each small response takes 40 ms.
      'rgw frontends': `beast endpoint=127.0.0.1:${port} tcp_nodelay=1`,
      'rgw data': path.join(folder, 'run'),
      'rgw enable gc threads': 'false',
      'rgw enable lc threads': 'false',
      'rgw enable quota threads': 'false',
      'rgw run sync thread': 'false',
      'rgw dynamic resharding': 'false',
      'rgw override bucket index max shards': 1,
    },
  };
  const text = Object.entries(settings).map(([section, values]) =>
    [`[${section}]`, ...Object.entries(values).map(([name, value]) => `${name} = ${value}`), ''].join('\n'),
  );
  writeFileSync(config, text.join('\n'));
}

async function startMonitor(cluster: Cluster, port: number): Promise<void> {
  const at = (name: string) => path.join(cluster.folder, name);
  await run('ceph-authtool', [
    '--create-keyring',
    at('keyring'),
    '--gen-key',
    '-n',
    'mon.',
    '--cap',
    'mon',
    'allow *',
  ]);
  await run('monmaptool', ['--create', '--fsid', ID, '--addv', 'a', `[v2:127.0.0.1:${port}]`, at('monmap')]);
  // The first map of stores: without it the monitor waits for a CRUSH rule.
  await run('osdmaptool', ['--createsimple', '1', '--with-default-pool', at('osdmap'), '-c', cluster.config]);
  await run('ceph-mon', [
    ...['-c', cluster.config, '--mkfs', '-i', 'a', '--fsid', ID],
    ...['--monmap', at('monmap'), '--osdmap', at('osdmap')],
  ]);
  daemon(cluster, 'ceph-mon', ['-f', '-i', 'a']);
}

async function startStore(cluster: Cluster): Promise<void> {
  await run('ceph-osd', ['-c', cluster.config, '--mkfs', '-i', '0', '--osd-uuid', randomUUID()]);
  daemon(cluster, 'ceph-osd', ['-f', '-i', '0']);
}

async function addUser({ config }: Cluster): Promise<void> {
  const { AWS_ACCESS_KEY_ID: key, AWS_SECRET_ACCESS_KEY: secret } = KEYS;
  const words = ['-c', config, '-n', 'client.rgw', 'user', 'create', '--uid=test', '--display-name=test'];
  await repeatedly(() => run('radosgw-admin', [...words, `--access-key=${key}`, `--secret-key=${secret}`]));
}

async function createBucket(endpoint: string): Promise<void> {
  const url = new URL(`${endpoint}/${BUCKET}`);
  const credentials = { accessKeyId: KEYS.AWS_ACCESS_KEY_ID, secretAccessKey: KEYS.AWS_SECRET_ACCESS_KEY };
  const dispatcher = new Agent();
  try {
    await repeatedly(async () => {
      const signed = { method: 'PUT' as const, url, headers: {}, bodySha256: sha256('') };
      const { host: _, ...headers } = signS3(signed, credentials, 'us-east-1', Date.now());
      const { statusCode, body } = await request(url, { method: 'PUT', headers, dispatcher });
      const text = await body.text();
      if (statusCode !== 200) throw new Error(`HTTP ${statusCode} ${text}`);
    });
  } finally {
    await dispatcher.close();
  }
}

function daemon({ folder, config, children }: Cluster, program: string, words: readonly string[]): void {
  const log = openSync(path.join(folder, 'log', 'daemons.log'), 'a');
  children.push(spawn(program, ['-c', config, ...words], { stdio: ['ignore', log, log] }));
}

async function run(program: string, words: readonly string[]): Promise<void> {
  await promisify(execFile)(program, words, { timeout: WAIT_MS });
}

async function repeatedly(work: () => Promise<void>): Promise<void> {
  const endMs = performance.now() + WAIT_MS;
  for (;;) {
    try {
      return await work();
    } catch (error) {
      if (performance.now() > endMs) throw error;
      await new Promise((resolve) => setTimeout(resolve, PAUSE_MS));
    }
  }
}

async function stop({ folder, children }: Cluster): Promise<void> {
  const ended = children.map((child) => new Promise((resolve) => child.once('close', resolve)));
  for (const child of children.reverse()) child.kill('SIGKILL');
  await Promise.all(ended);
  rmSync(folder, { recursive: true, force: true });
}

function readLog(folder: string): string {
  try {
    return readFileSync(path.join(folder, 'log', 'daemons.log'), 'utf8').slice(-2_000);
  } catch {
    return '';
  }
}

function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.on('error', reject);
    server.listen(0, '127.0.0.1', () => {
      const address = server.address();
      server.close(() => resolve(typeof address === 'object' && address !== null ? address.port : 0));
    });
  });
}
