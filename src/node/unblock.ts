interface Handle {
  setBlocking?(blocking: boolean): unknown;
}

/**
 * Lets writes to a terminal or a pipe wait in memory instead of holding up the whole process: a terminal stopped by
 * Ctrl-S, or a reader that reads nothing, must not keep answers from being read. Node opens terminals for blocking
 * writes and offers no other switch than that of the stream's handle. Files have none, and do not block.
 */
export function unblock(stream: NodeJS.WriteStream): void {
  if (process.platform === 'win32') return;
  (stream as { readonly _handle?: Handle | null })._handle?.setBlocking?.(false);
}
