import type { Files, FolderFiles } from '../core/ports.js';

/** The output folder. File names in it come from a lockfile, which may be malicious. */
export interface Output {
  /** Absolute, as given. */
  readonly root: string;
  /** Paths begin with `root`. Links below it are not followed, and `root` cannot be swapped for another folder. */
  readonly files: FolderFiles;
}

/** Links in `root` itself are the user's choice and are resolved now. Throws the `FileFault`. */
export async function openOutput(files: Files, root: string): Promise<Output> {
  return { root, files: await files.below(root) };
}
