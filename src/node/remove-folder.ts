import { rm } from 'node:fs/promises';

/** Removes a folder and all in it. A symbolic link is removed, not followed. No error where nothing is. */
export async function removeFolder(path: string): Promise<void> {
  await rm(path, { recursive: true, force: true, maxRetries: 3 });
}
