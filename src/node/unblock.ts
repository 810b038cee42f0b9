interface Handle {
  setBlocking?(blocking: boolean): unknown;
}

/**
 * Buffers writes to a terminal or a pipe in memory instead of blocking the process: a terminal stopped with Ctrl-S, or
 * a reader that does not read, must not stop responses from being read. Node opens terminals for blocking writes, and
 * only the stream's handle can change that. Files have no handle, and do not block.
 */
export function unblock(stream: NodeJS.WriteStream): void {
  if (process.platform === 'win32') return;
  (stream as { readonly _handle?: Handle | null })._handle?.setBlocking?.(false);
}
