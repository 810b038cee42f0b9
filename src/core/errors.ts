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

export interface FaultAdvice {
  readonly what: string;
  readonly fix: string;
  /** The fix for a file that has to stay where it is, such as a lockfile with paid jobs. */
  readonly repair: string;
}

/** What a disk error means and how to fix it. The code is the system's (`ENOSPC`), or one of ours. */
export function describeFault(code: string): FaultAdvice {
  switch (code) {
    case 'EEXIST':
    case 'ENOTDIR':
      return advice('a file exists where a folder is needed', 'move that file away', 'use another folder');
    case 'EISDIR':
      return advice('a folder exists where a file is needed', 'move that folder away', 'use another name');
    case 'ENOSPC':
    case 'EDQUOT':
      return advice('the disk is full (out of space or of inodes)', 'free some space');
    case 'EFBIG':
      return advice(
        'the file is larger than a limit allows',
        'if the shell limits the size of files (ulimit -f), raise that limit',
      );
    case 'EROFS':
      return advice('the disk is read-only', 'make it writable', 'use another folder');
    case 'EACCES':
    case 'EPERM':
      return advice('permission denied', 'change the permissions', 'use another folder');
    case 'ENOENT':
      return advice('no such file or folder', 'create its folder', 'use another one');
    case 'ENAMETOOLONG':
      return advice('the path is too long', 'use a shorter one');
    case 'ELOOP':
      return advice('a symbolic link is in the way', 'replace it with its target', 'use another folder');
    case 'ESTALE':
      return advice('it was replaced by another folder', 'put the folder back');
    case 'EFTYPE':
      return advice('it is a pipe or a device, not a file', 'move it away', 'name a regular file');
    default:
      return advice('the system does not allow it', 'fix the disk or the folder');
  }
}

function advice(what: string, repair: string, instead?: string): FaultAdvice {
  return { what, repair, fix: instead === undefined ? repair : `${repair}, or ${instead}` };
}

/** For the `default` of a switch over a closed union: a new member fails to compile here. */
export function unreachable(value: never): never {
  throw new Error(`unreachable: ${JSON.stringify(value)}`);
}
