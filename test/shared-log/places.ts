import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { createRedactor } from '../../src/core/redact.js';
import { createClock } from '../../src/node/clock.js';
import { systemFiles } from '../../src/node/files.js';
import { systemGit } from '../../src/node/git.js';
import { systemRandom } from '../../src/node/random.js';
import { createWeb } from '../../src/node/web.js';
import type { ObjectStore } from '../../src/shared-log/object-store.js';
import { openObjectStore, type StoreWorld } from '../../src/shared-log/open-object-store.js';
import { parseStateAddress } from '../../src/shared-log/state-address.js';
import { missingFromCeph, startCeph } from '../tools/ceph.js';
import { createClone, startGitServer } from '../tools/git-server.js';

export type PlaceKind = 'folder' | 's3' | 'git';

/** A real store, started for a test. */
export interface Place {
  /** A fresh address each time. */
  address(): string;
  readonly environment: Readonly<Record<string, string>>;
  /** A folder of the machine's own: for git a repository with its remote. */
  machine(): string;
  stop(): Promise<void>;
}

/** Why the store cannot be started on this machine; `undefined` if it can. */
export function whyNot(kind: PlaceKind): string | undefined {
  if (kind !== 's3') return undefined;
  const missing = missingFromCeph();
  return missing.length === 0 ? undefined : `not installed: ${missing.join(', ')}`;
}

export async function startPlace(kind: PlaceKind): Promise<Place> {
  if (kind === 's3') return startS3();
  return kind === 'git' ? startGit() : startFolder();
}

let places = 0;

function startFolder(): Place {
  const root = mkdtempSync(path.join(tmpdir(), 'shared-log-'));
  const fresh = () => mkdtempSync(path.join(root, 'at-'));
  return {
    address: () => `file://${fresh()}`,
    environment: {},
    machine: fresh,
    stop: async () => rmSync(root, { recursive: true, force: true }),
  };
}

async function startS3(): Promise<Place> {
  const server = await startCeph();
  const folder = startFolder();
  return {
    address: () => {
      places += 1;
      return `s3://${server.bucket}/run-${process.pid}/${places}?endpoint=${server.endpoint}`;
    },
    environment: server.environment,
    machine: folder.machine,
    stop: async () => {
      await server.stop();
      await folder.stop();
    },
  };
}

async function startGit(): Promise<Place> {
  const server = await startGitServer();
  const clones: string[] = [];
  return {
    address: () => {
      places += 1;
      return `git:origin?ref=album-${places}`;
    },
    environment: {},
    machine: () => {
      const clone = createClone(server.url);
      clones.push(clone);
      return clone;
    },
    stop: async () => {
      await server.stop();
      for (const clone of clones) rmSync(clone, { recursive: true, force: true });
    },
  };
}

export function worldOf(folder: string, environment: Readonly<Record<string, string>>): StoreWorld {
  return {
    files: systemFiles,
    clock: createClock(),
    random: systemRandom,
    environment,
    web: (secrets) => createWeb(environment, createRedactor(secrets)),
    git: systemGit,
    folder,
    name: 'album',
  };
}

/** The store as one machine sees it. */
export function storeAt(
  address: string,
  folder: string,
  environment: Readonly<Record<string, string>>,
): ObjectStore {
  return openObjectStore(parseStateAddress(address), worldOf(folder, environment));
}
