import type { Code } from './codes.js';

/** Exit codes, a contract that scripts rely on. Documented in the README. */
export const EXIT = {
  ok: 0,
  unexpected: 1,
  usage: 2,
  invalid: 3,
  authentication: 4,
  budget: 5,
  balance: 6,
  locked: 7,
  inDoubt: 8,
  lockfile: 9,
  changes: 10,
  inFlight: 11,
  unavailable: 12,
  tracks: 100,
  sigint: 130,
  sigterm: 143,
} as const;

export type ExitCode = (typeof EXIT)[keyof typeof EXIT];

/**
 * The only error class. For failures that end a command; failures of a single track are values. `code` is stable,
 * `hint` says what to do next, `exitCode` is the exit code of the process.
 */
export class BatchError extends Error {
  readonly code: Code;
  readonly hint: string | undefined;
  readonly exitCode: ExitCode;

  constructor(
    code: Code,
    message: string,
    options: { exitCode: ExitCode; hint?: string | undefined; cause?: unknown },
  ) {
    super(message, { cause: options.cause });
    this.name = 'BatchError';
    this.code = code;
    this.hint = options.hint;
    this.exitCode = options.exitCode;
  }
}

/** The command line, the options or the settings are wrong: nothing was done. */
export function usageError(message: string, hint: string, code: Code = 'usage'): BatchError {
  return new BatchError(code, message, { exitCode: EXIT.usage, hint });
}

/** The system's code of a thrown value (`ENOENT`, `ENOSPC`), or `''`. */
export function faultCode(error: unknown): string {
  const code = (error as { code?: unknown } | null | undefined)?.code;
  return typeof code === 'string' ? code : '';
}

/** Whether the system threw it: a disk error, not a bug. */
export function isSystemFault(error: unknown): boolean {
  return /^E[A-Z]+$/.test(faultCode(error));
}

/**
 * Errors that file systems without hard links return (FAT, some network mounts). Some network and FUSE mounts return
 * `EACCES` or `EIO`.
 */
const LINKLESS: ReadonlySet<string> = new Set([
  'EPERM',
  'EACCES',
  'EIO',
  'EINVAL',
  'ENOTSUP',
  'EOPNOTSUPP',
  'ENOSYS',
  'EMLINK',
  'EXDEV',
]);

/** Whether an error of `link` means that hard links are not available. */
export function isLinkless(fault: unknown): boolean {
  return LINKLESS.has(faultCode(fault));
}

/** What a disk error means and how to fix it. The code is the system's (`ENOSPC`), or one of ours. */
export function describeFault(code: string): { readonly what: string; readonly fix: string } {
  switch (code) {
    case 'EEXIST':
    case 'ENOTDIR':
      return {
        what: 'a file exists where a folder is needed',
        fix: 'move that file away, or use another folder',
      };
    case 'EISDIR':
      return {
        what: 'a folder exists where a file is needed',
        fix: 'move that folder away, or use another name',
      };
    case 'ENOSPC':
    case 'EDQUOT':
      return { what: 'the disk is full (out of space or of inodes)', fix: 'free some space' };
    case 'EFBIG':
      return {
        what: 'the file is larger than a limit allows',
        fix: 'if the shell limits the size of files (ulimit -f), raise that limit',
      };
    case 'EROFS':
      return { what: 'the disk is read-only', fix: 'make it writable, or use another folder' };
    case 'EACCES':
    case 'EPERM':
      return { what: 'permission denied', fix: 'change the permissions, or use another folder' };
    case 'ENOENT':
      return { what: 'no such file or folder', fix: 'create its folder, or use another one' };
    case 'ENAMETOOLONG':
      return { what: 'the path is too long', fix: 'use a shorter one' };
    case 'ELOOP':
      return {
        what: 'a symbolic link is in the way',
        fix: 'replace it with its target, or use another folder',
      };
    case 'ESTALE':
      return { what: 'it was replaced by another folder', fix: 'put the folder back' };
    case 'EFTYPE':
      return { what: 'it is a pipe or a device, not a file', fix: 'move it away, or name a regular file' };
    default:
      return { what: 'the system does not allow it', fix: 'fix the disk or the folder' };
  }
}

/** For the `default` of a switch over a closed union: a new member fails to compile here. */
export function unreachable(value: never): never {
  throw new Error(`unreachable: ${JSON.stringify(value)}`);
}
