/**
 * What the program needs from the outside world. Everything that can differ between two runs (time, chance, disk,
 * network, other processes) comes in here, so that in tests a whole run, crashes included, is a function of a seed.
 * `node/` has the real implementations.
 */

export interface Clock {
  /** Milliseconds since the Unix epoch. Never goes back within one process. */
  nowMs(): number;
  /** Resolves after `delayMs`, or at once when `signal` aborts. Never rejects. */
  sleep(delayMs: number, signal?: AbortSignal): Promise<void>;
}

export interface Random {
  /** Cryptographically secure in production: ids and salts come from it. */
  bytes(count: number): Uint8Array;
}

/**
 * A running process, distinct from a later one with the same pid and from one on another machine
 * with the same name.
 */
export interface ProcessIdentity {
  readonly pid: number;
  readonly hostname: string;
  /** Differs between any two boots of any two machines; empty if unknown. */
  readonly bootId: string;
  /** When the process started, in whatever unit the system uses; empty if unknown. */
  readonly startTime: string;
  /** Survives reboots; empty if unknown, and in containers, which may share an image. */
  readonly machineId: string;
  /** Processes in one PID namespace see each other's pids; empty if unknown or not supported. */
  readonly pidNamespace: string;
  /** The network namespace, within which claimed names are unique; empty if unknown or not supported. */
  readonly netNamespace: string;
}

export type NameClaim =
  | { readonly kind: 'held'; free(): Promise<void> }
  /** Another process has it, or this one already does. */
  | { readonly kind: 'taken' }
  /** Not supported on this system. */
  | { readonly kind: 'unsupported' };

/** A socket that answers while this process is alive. */
export interface Beacon {
  /** Device and inode of the socket, as this process sees them. */
  readonly id: string;
  /** Stops answering and removes the socket. */
  close(): Promise<void>;
}

export interface Processes {
  readonly self: ProcessIdentity;
  /**
   * Start time of a live process on this host; `undefined` if no such process is alive; `''` if it is alive but the
   * system does not say when it started.
   */
  startTimeOf(pid: number): Promise<string | undefined>;
  /**
   * Claims a name among the processes of this machine; on Linux, of this network namespace. The system keeps the claim
   * until `free` or the end of this process, whatever happens to any file.
   *
   * @param name hexadecimal digits
   */
  claim(name: string): Promise<NameClaim>;
  /** Creates a beacon at the path; `undefined` if this system or file system cannot. */
  openBeacon(path: string): Promise<Beacon | undefined>;
  /**
   * Whether the process that made the beacon answers. `silent` proves that it ended only if it ran under this kernel.
   * `unknown`: the socket no longer exists, or cannot be asked.
   */
  askBeacon(path: string, id: string): Promise<'answers' | 'silent' | 'unknown'>;
}

export interface FileFacts {
  readonly kind: 'file' | 'directory' | 'other';
  readonly bytes: number;
  readonly modifiedMs: number;
  /** Device and inode: equal for two names of one file, and never equal for two files that exist at the same time. */
  readonly id: string;
  /** Owned by this user, and not accessible to others. Always true if the system has no such modes (Windows). */
  readonly isPrivate: boolean;
}

/** An open file. Bytes written are durable only after `sync` has resolved. */
export interface FileHandle {
  /** Once it has resolved, the caller may reuse the array. */
  write(bytes: Uint8Array): Promise<void>;
  sync(): Promise<void>;
  close(): Promise<void>;
}

/** Thrown by `Files`: `code` is the system's (`ENOENT`, `EEXIST`, `ENOSPC`, `EACCES`, …). */
export interface FileFault extends Error {
  readonly code: string;
  /** The path in the way, if known. With `ESTALE`: the root of `Files.below`. */
  readonly path?: string;
}

/**
 * All paths are absolute. Every method may throw a `FileFault`. Only regular files are opened, which is checked on the
 * open handle: a pipe or a device throws `EFTYPE` and never blocks.
 */
export interface Files {
  /**
   * Throws `EFBIG` for a file of more than `bytesMax` bytes.
   *
   * @param kinds `pipes`: also reads a pipe, for a file that the user named on the command line
   */
  read(path: string, bytesMax: number, kinds?: 'regular' | 'pipes'): Promise<Uint8Array>;
  /** The file's bytes from `firstByte` on (default 0), in pieces of at most 1 MiB. */
  stream(path: string, firstByte?: number): AsyncIterable<Uint8Array>;
  /** Follows links; `undefined` if nothing exists there. */
  facts(path: string): Promise<FileFacts | undefined>;
  /** The path with every link resolved, even if its last parts do not exist yet. */
  real(path: string): Promise<string>;
  list(directory: string): Promise<readonly string[]>;
  /** Keeps a folder open: it was deleted, or only moved. `undefined`: the system cannot tell. */
  hold?(directory: string): { isDeleted(): boolean; close(): void } | undefined;
  /**
   * Creates the folder and its parents, and makes their entries durable. `private`: new folders are not accessible to
   * other users.
   */
  makeDirectory(path: string, access?: 'private'): Promise<void>;
  /**
   * `exclusive` fails with `EEXIST`; `truncate` starts with an empty file; `append` continues at the end, and fails
   * with `ENOENT` if the file does not exist, while the other two create it. None writes through a symbolic link
   * (`ELOOP`). `private`: a new file is not accessible to other users.
   */
  open(path: string, mode: 'exclusive' | 'truncate' | 'append', access?: 'private'): Promise<FileHandle>;
  /** Replaces the target atomically. Durable only after `syncDirectory`. */
  rename(from: string, to: string): Promise<void>;
  /** Gives the file a second name. Never replaces anything: fails with `EEXIST`. */
  link(from: string, to: string): Promise<void>;
  /** Does nothing if the path does not exist. */
  remove(path: string): Promise<void>;
  /** Does nothing if the file system cannot sync folders: see `canSyncDirectory`. */
  syncDirectory(path: string): Promise<void>;
  /** Syncs the folder; returns `false` if its file system cannot. Absent: it can. */
  canSyncDirectory?(path: string): Promise<boolean>;
  /** Free space for this user at the path; `undefined` if unknown. */
  freeBytes?(path: string): Promise<number | undefined>;
  /** How many more files fit on the disk of the path; `undefined` if unknown or unlimited. */
  freeFiles?(path: string): Promise<number | undefined>;
  /**
   * The same methods for paths below a folder, which begin with `root`, for names that may be malicious. Links in
   * `root` itself are resolved now, and the folder is remembered, from now on or from when it is first seen. Later
   * calls throw `ELOOP` if a folder on the way is a symbolic link, `ESTALE` if `root` is or leads to another folder,
   * and `EXDEV` if the path is not below it, all checked at the moment of the effect. `facts` does not follow links
   * either: a link is `other`.
   */
  below(root: string): Promise<FolderFiles>;
}

/** The files below one folder, accessed without following links: see `Files.below`. */
export type FolderFiles = Omit<Files, 'real' | 'below' | 'canSyncDirectory' | 'freeBytes' | 'freeFiles'>;

export interface TransportRequest {
  readonly method: 'GET' | 'POST';
  /** Below the base URL, with its leading slash and its query: `/audio/queue`. */
  readonly path: string;
  /**
   * Instead of `path`: an `https` address on another host, where the API says that a result is. Fetched without the key
   * and without a body.
   */
  readonly elsewhere?: string;
  /** JSON text. */
  readonly body?: string;
  /** Sent in addition to the transport's own. Names in lower case. Never sent `elsewhere`. */
  readonly headers?: Readonly<Record<string, string>>;
  /**
   * Not over a kept-alive connection that the server may have closed meanwhile: for the one request that spends money.
   */
  readonly freshConnection?: boolean;
  /** Deadline of the whole exchange, including the body. */
  readonly deadlineMs: number;
  /** Deadline for the headers of the response. Absent: the same as for the whole exchange. */
  readonly headersDeadlineMs?: number;
}

export interface TransportAnswer {
  readonly kind: 'answer';
  readonly status: number;
  /** Names in lower case. */
  readonly headers: Readonly<Record<string, string>>;
  /**
   * Read it once, or discard it. Throws `TransportFault` if the body is cut off or late. A body that simply ends early
   * looks complete if the response has neither a length nor chunks: see `framed`.
   */
  readonly body: AsyncIterable<Uint8Array>;
  /** Whether the end of the body is marked (Content-Length or chunked), so that truncation is noticed. */
  readonly framed: boolean;
  /** Stops reading and frees the connection. */
  discard(): void;
}

export interface TransportNoAnswer {
  readonly kind: 'no_answer';
  /** `false` only if it is certain that no byte of the request left this machine. */
  readonly sent: boolean;
  /** The system's or library's code: `ECONNREFUSED`, `UND_ERR_HEADERS_TIMEOUT`, … */
  readonly code: string;
  readonly message: string;
}

export interface TransportFault extends Error {
  readonly code: string;
}

/**
 * One HTTP exchange with the API. Adds the base URL and the key, follows no redirects, retries nothing, and never
 * throws.
 */
export type Transport = (request: TransportRequest) => Promise<TransportAnswer | TransportNoAnswer>;

/**
 * Result of inspecting an audio file. The media type comes from the bytes, not the header: `audio/wav`, `audio/mp4`, …
 */
export type MediaFinding =
  /** The audio is complete, as far as its container can show. */
  | {
      readonly kind: 'whole';
      readonly mediaType: string;
      /** Seconds; absent if the container does not say. */
      readonly durationSeconds?: number;
      /** Something unusual that is still accepted. */
      readonly warning?: string;
    }
  /** Begins like a file of this type, but is cut off, damaged, or followed by other data. */
  | { readonly kind: 'incomplete'; readonly mediaType: string }
  /** No known type. */
  | { readonly kind: 'unknown' };

/** Signs for one address, instead of an API key. */
export interface Wallet {
  /** With its checksum (EIP-55). */
  readonly address: string;
  /** A personal signature (EIP-191), 65 bytes in hex with `0x`. */
  sign(text: string): string;
}

/**
 * Recognises the container by its bytes and reads it to its end, without holding it in memory. Rethrows errors of
 * reading.
 *
 * @param read begins at the first byte each time
 */
export type InspectMedia = (
  read: () => AsyncIterable<Uint8Array>,
  sizeBytes: number,
) => Promise<MediaFinding>;

export interface Ports {
  readonly clock: Clock;
  readonly random: Random;
  readonly files: Files;
  readonly processes: Processes;
  readonly inspectMedia: InspectMedia;
}

export interface WebRequest {
  readonly method: 'GET' | 'HEAD' | 'PUT';
  /** Absolute, http or https. */
  readonly url: string;
  /** Names in lower case. With `content-length` if the body is a stream; its error ends the request. */
  readonly headers: Readonly<Record<string, string>>;
  readonly body?: Uint8Array | AsyncIterable<Uint8Array>;
  /** For the whole exchange. */
  readonly deadlineMs: number;
}

/** One HTTP exchange with any server. Follows no redirects, retries nothing, and never throws. */
export interface Web {
  request(request: WebRequest): Promise<TransportAnswer | TransportNoAnswer>;
  /** Closes every connection at once. */
  close(): Promise<void>;
}

export interface GitAnswer {
  /** `undefined`: it was ended by a signal or the deadline, or never started. */
  readonly code: number | undefined;
  readonly stdout: Uint8Array;
  readonly stderr: string;
}

/**
 * Runs the system's git in a folder, with messages in English and no prompts. Never throws. If git is not installed,
 * the response has no code.
 */
export type Git = (
  words: readonly string[],
  options: {
    readonly folder: string;
    readonly stdin?: Uint8Array;
    readonly deadlineMs: number;
    /** Ends it, as the deadline does. */
    readonly signal?: AbortSignal;
  },
) => Promise<GitAnswer>;
