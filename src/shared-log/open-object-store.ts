import type { Clock, Files, Git, Random, Web } from '../core/ports.js';
import type { AudioStore } from './audio-store.js';
import { createFolderAudio } from './folder-audio.js';
import { createFolderStore } from './folder-store.js';
import { createGitStore } from './git-store.js';
import type { ObjectStore } from './object-store.js';
import type { Stopping } from './patience.js';
import { withPatientClient } from './patient-client.js';
import { createS3Audio } from './s3-audio.js';
import { createS3Client, type S3Client } from './s3-client.js';
import { s3Settings } from './s3-settings.js';
import { createS3Store } from './s3-store.js';
import { isRefName, type StateAddress, stateAddressText } from './state-address.js';

/** What stores need from outside. */
export interface StoreWorld {
  readonly files: Files;
  readonly clock: Clock;
  readonly random: Random;
  readonly environment: Readonly<Record<string, string | undefined>>;
  /** @param secrets never shown in a message */
  readonly web: (secrets: readonly string[]) => Web;
  readonly git: Git;
  /** The manifest's, for `git:`. Absolute. */
  readonly folder: string;
  /** The manifest's name without extension, the default of `git:`'s ref. Invalid characters are replaced. */
  readonly name: string;
}

/** Throws a `BatchError` if credentials are missing. Does not contact the store. */
export function openObjectStore(address: StateAddress, world: StoreWorld): ObjectStore {
  const { files, clock, random } = world;
  switch (address.kind) {
    case 's3': {
      const { client, ...place } = connect(address, world);
      return createS3Store(client, place);
    }
    case 'git':
      return createGitStore(world.git, clock, {
        folder: world.folder,
        remote: address.remote,
        ref: `refs/venice-batch/${address.ref ?? refNameOf(world.name)}`,
      });
    default:
      return createFolderStore(files, random, address.path);
  }
}

/** Audio is kept beside the log, in the same bucket or folder. A git repository cannot hold it. */
export function openAudioStore(
  address: StateAddress,
  world: StoreWorld,
  stopping: Stopping = {},
): AudioStore | undefined {
  const { files, clock, random } = world;
  if (address.kind === 'git') return undefined;
  if (address.kind === 'folder') return createFolderAudio(files, random, address.path);
  const place = connect(address, world);
  const { client, patience, close } = withPatientClient(place.client, clock, stopping);
  return createS3Audio(
    client,
    files,
    { clock, random, patience },
    {
      address: place.address,
      close: async () => {
        close();
        await place.close();
      },
    },
  );
}

interface S3Place {
  readonly client: S3Client;
  readonly address: string;
  readonly prefix: string;
  close(): Promise<void>;
}

function connect(address: StateAddress & { kind: 's3' }, { environment, web, clock }: StoreWorld): S3Place {
  const settings = s3Settings(address, environment);
  const { secretAccessKey, sessionToken = '' } = settings.credentials;
  const connection = web([secretAccessKey, sessionToken]);
  return {
    client: createS3Client(connection, clock, settings),
    address: stateAddressText(address),
    prefix: settings.prefix,
    close: () => connection.close(),
  };
}

function refNameOf(name: string): string {
  const plain = name
    .replace(/[^A-Za-z0-9_-]+/g, '-')
    .replace(/^-+/, '')
    .slice(0, 100);
  return isRefName(plain) ? plain : 'album';
}
