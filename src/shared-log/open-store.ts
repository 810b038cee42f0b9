import type { Clock, Files, Git, Random, Web } from '../core/ports.js';
import { isRefName, type StateAddress, stateAddressText } from './address.js';
import { createFolderStore } from './folder-store.js';
import { createGitStore } from './git-store.js';
import type { ObjectStore } from './object-store.js';
import { createS3Client } from './s3-client.js';
import { s3Settings } from './s3-settings.js';
import { createS3Store } from './s3-store.js';

/** What stores need of the world. */
export interface StoreWorld {
  readonly files: Files;
  readonly clock: Clock;
  readonly random: Random;
  readonly environment: Readonly<Record<string, string | undefined>>;
  /** @param secrets never to be shown in a message */
  readonly web: (secrets: readonly string[]) => Web;
  readonly git: Git;
  /** The manifest's, for `git:`. Absolute. */
  readonly folder: string;
  /** The manifest's, without its extension: the default of `git:`'s ref. Other characters than a ref may have are replaced. */
  readonly name: string;
}

/** Throws a `BatchError` where credentials are missing. Asks nothing yet. */
export function openObjectStore(address: StateAddress, world: StoreWorld): ObjectStore {
  const { files, clock, random } = world;
  switch (address.kind) {
    case 's3': {
      const settings = s3Settings(address, world.environment);
      const { secretAccessKey, sessionToken = '' } = settings.credentials;
      const web = world.web([secretAccessKey, sessionToken]);
      const client = createS3Client(web, clock, settings);
      const close = () => web.close();
      return createS3Store(client, { address: stateAddressText(address), prefix: settings.prefix, close });
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

function refNameOf(name: string): string {
  const plain = name
    .replace(/[^A-Za-z0-9_-]+/g, '-')
    .replace(/^-+/, '')
    .slice(0, 100);
  return isRefName(plain) ? plain : 'album';
}
