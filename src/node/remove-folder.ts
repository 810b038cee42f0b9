import { rm } from 'node:fs/promises';

/**
 * Removes a folder and its content. A symbolic link is removed, not followed. Does nothing if the folder does not
 * exist.
 */
export async function removeFolder(path: string): Promise<void> {
  await rm(path, { recursive: true, force: true, maxRetries: 3 });
}
