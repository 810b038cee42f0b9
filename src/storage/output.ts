import type { Files, FolderFiles } from '../core/ports.js';

/** The folder that audio is stored below. The names in it come from a lockfile that a stranger may have written. */
export interface Output {
  /** Absolute, as it was given. */
  readonly root: string;
  /** Paths begin with `root`; no link below it is followed, and no other folder taken for it. */
  readonly files: FolderFiles;
}

/** Links in `root` itself are the user's own choice: they are resolved now, once. Throws the `FileFault`. */
export async function openOutput(files: Files, root: string): Promise<Output> {
  return { root, files: await files.below(root) };
}
